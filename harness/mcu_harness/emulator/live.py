"""A machine that a test holds in its hands: it runs as far as it is told, and is looked at and changed in between.

Where `contract` is a plan and its execution, this is a conversation: `go` until a time, a place or a wish, `read`, `write`,
`go` on. Time is virtual: it passes in `go` and nowhere else, in cycles of the core, slept ones included.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mcu_harness.emulator.contract import BlockCounts, Call, DataTrace, Emulator, Fault, RunPlan
from mcu_harness.emulator.recorder.clock import Clock
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program


class StopReason(StrEnum):
    """Why `go` came back."""

    TIME = "the time is up"
    PLACE = "a place was reached"
    ASKED = "it was asked to"  # by what listens to the console
    EXITED = "the program ended"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the core stands at `pc`, before that instruction; `detail` and `fault` say what went wrong, if anything."""

    reason: StopReason
    pc: int
    detail: str = ""
    status: int | None = None
    fault: Fault | None = None

    @property
    def is_end(self) -> bool:
        """Whether the program cannot go on without a reset."""
        return self.reason in (StopReason.EXITED, StopReason.FAULT)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What ran between two times of a live run, as `Execution` has it of a whole one."""

    instructions: int
    cycles_by_clock: int
    counts: BlockCounts
    trace: DataTrace | None
    heap: tuple[int, int] | None


class Device(Protocol):
    """Registers of a device that a test makes up: `offset` is from where it was attached, `size` is 1, 2 or 4 bytes."""

    def read(self, offset: int, size: int) -> int: ...

    def write(self, offset: int, size: int, value: int) -> None: ...


class LiveMachine(Protocol):
    """Addresses have no Thumb bit. Raises EmulatorError where there is no memory, and after `close`."""

    name: str

    def version(self) -> str: ...

    @property
    def now(self) -> int:
        """The time in cycles since reset."""
        ...

    @property
    def pc(self) -> int: ...

    @property
    def sleeps(self) -> str:
        """What the core waits in, "" while it works; with ", and nothing can wake it" where that is so."""
        ...

    def go(self, until: int, places: Collection[int] = ()) -> Stop:
        """Run until the time `until`, before the instruction at one of `places`, or until something else stops it."""
        ...

    def step(self) -> Stop:
        """Execute one instruction; time that the core would sleep passes up to what wakes it, where anything does."""
        ...

    def go_until_changed(self, until: int, address: int, size: int) -> tuple[Stop, int | None]:
        """As `go`, but it stops at the end of the basic block in which the `size` bytes at `address` change.

        Also gives the instruction that changed them, None where nothing did. It is slow: each instruction is looked at.
        """
        ...

    @property
    def uarts(self) -> tuple[str, ...]:
        """The UARTs that can be spoken to by name, without the console's."""
        ...

    def send(self, data: bytes, uart: str = "") -> None:
        """The program can read `data` from now on, from its console or a UART; if that receives nothing yet, it is lost."""
        ...

    def unread(self, uart: str = "") -> bytes:
        """What it has not read of that, and still can."""
        ...

    def lost(self, uart: str = "") -> tuple[bytes, str]:
        """What was lost of that, and why: what was not switched on."""
        ...

    def read(self, address: int, size: int) -> bytes: ...

    def write(self, address: int, data: bytes) -> None: ...

    def registers(self) -> dict[str, int]: ...

    def set_register(self, name: str, value: int) -> None: ...

    def calls(self) -> Sequence[Call]:
        """The calls under way, outermost first."""
        ...

    def begin(self, traced: bool) -> object:
        """A stretch begins here; hand what is returned to `end`. `traced` also traces memory, for one at a time."""
        ...

    def end(self, begun: object) -> Stretch: ...

    def save_core(self) -> object:
        """The core's registers as they are, for `restore_core`."""
        ...

    def restore_core(self, saved: object) -> None: ...

    def snapshot(self) -> object:
        """All that the program's course depends on, the time too, for `restore`. What was counted stays counted."""
        ...

    def restore(self, snapshot: object) -> None: ...

    def reset(self) -> None:
        """Core and peripherals are as after reset; memories stay, and time goes on."""
        ...

    @property
    def resets(self) -> int:
        """How often it was reset, by itself or from outside."""
        ...

    def interrupt(self, number: int) -> None:
        """Make the external interrupt `number` pending."""
        ...

    def skip(self, cycles: int) -> None:
        """Let time pass in which the core does nothing."""
        ...

    def attach(self, low: int, high: int, device: Device) -> None:
        """Let `device` answer at [low, high); raises EmulatorError where the board has something else."""
        ...

    def monitor(self, command: str) -> str:
        """What the emulator's own console answers to `command`; raises EmulatorError where it has none, and for what fails."""
        ...

    def close(self) -> None:
        """Give everything back; harmless when called twice."""
        ...


# Told of what the program writes to its console, or to the UART of a name; True asks `go` to come back.
Listener = Callable[[bytes, str], bool]


@dataclass(frozen=True, slots=True)
class LiveSetup:
    """What a live machine is made of: `program` on `board`, after reset, with a `listener` to its console.

    `plan` says where the vector table, the stack, `exit` and `sbrk` are. `clock` prices blocks, for machines that have no
    time of their own.
    """

    program: Program
    board: Board
    plan: RunPlan
    clock: Clock
    listener: Listener


class LiveEmulator(Emulator, Protocol):
    """An emulator that also makes live machines; those that are open when it is closed are closed too."""

    def live(self, setup: LiveSetup) -> LiveMachine:
        """Raises EmulatorError where it cannot run that board."""
        ...
