"""A live machine in Renode: its own peripherals and time, our counts of what the core executes.

Time is Renode's: an instruction takes a cycle of the board's clock, rounded to whole MIPS, and it passes in Renode's own steps
of up to a microsecond.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import Call, Fault, FaultKind, Wait
from mcu_harness.emulator.live import Device, LiveSetup, Stop, StopReason, Stretch
from mcu_harness.emulator.recorder.exceptions import Position
from mcu_harness.emulator.renode import protocol
from mcu_harness.emulator.renode.end_place import arrived, last_branches, located
from mcu_harness.emulator.renode.image import LoadedProgram
from mcu_harness.emulator.renode.live_link import Access, Listeners, LiveLink, Stand, Standing
from mcu_harness.emulator.renode.live_record import Begun, LiveRecord
from mcu_harness.emulator.renode.outcome import BRANCH_TO_ITSELF, WAITS, explain, is_even_jump
from mcu_harness.emulator.renode.platform import console_input, mips, other_uarts
from mcu_harness.emulator.renode.server import RenodeServer

_NS = 10**9
_NUMBERS = {**{f"r{nth}": nth for nth in range(13)}, "sp": 13, "lr": 14, "pc": 15}
_SET_PENDING = 0xE000E200  # NVIC_ISPR (Armv7-M Architecture Reference Manual, B3.4.5)
# Commands of Renode's monitor, and what they may be shortened to, that start, pause or end the emulation.
_LETS_TIME_PASS = re.compile(
    r"\s*(start|s|pause|p|quit|q|Clear|(emulation|machine|(sysbus\.)?cpu)\s+(Run|Start|Pause|Step)\w*)\b"
)
_MOST_WATCHED = 256  # bytes
_LOOKED_AT_CYCLES = 1_000_000
_REASONS = {Stand.TIME: StopReason.TIME, Stand.PLACE: StopReason.PLACE, Stand.ASKED: StopReason.ASKED}


Going = tuple[Standing, Exception | None]
Ended = Callable[["RenodeLive", RenodeServer, bool], None]


@dataclass(frozen=True, slots=True)
class _Core:
    registers: Sequence[tuple[int, int, int]]
    pc: int
    position: Position


class RenodeLive:
    """Implements `mcu_harness.emulator.live.LiveMachine`, in a `server` in which the board is ready.

    `ended(machine, server, intact)` is called when it is closed, with whether the server can be used again.
    """

    name = "renode"

    def __init__(self, setup: LiveSetup, server: RenodeServer, version: str, ended: Ended) -> None:
        self._board = setup.board
        self._plan = setup.plan
        self._listener = setup.listener
        self._version = version
        self.server = server
        self._ended = ended
        self._intact = True
        self._is_open = True
        self._program = LoadedProgram(setup.program, setup.board, setup.plan.vectors)
        self._record = LiveRecord(setup.program, self._program, setup.board)
        self._recorder = self._record.recorder
        self._devices: list[Device] = []
        self._uarts = [""]  # the console's, and those that have a name
        self._now_ns = 0
        self._skipped = 0
        self._pc = 0
        self._asleep = False
        self._heap: tuple[int, int] | None = None
        self._end: Stop | None = None
        self._writes: int | None = None
        self._resets = 0
        self._goes = False
        listeners = Listeners(
            self._heard, self._accessed, self._record.blocks, self._record.accesses, self._program.add_code
        )
        self._link = LiveLink(server, listeners)
        self._start()

    def _start(self) -> None:
        console, clock_hz = console_input(self._board), round(self._board.clock_hz)
        image = self._program.image
        self._link.start(protocol.run_request(self._plan, image, False, console, clock_hz, protocol.Frames()))
        self._pc = self._link.registers()["pc"] & ~1
        for name, base, register in other_uarts(self._board):
            if self._link.listen(base, register):
                self._uarts.append(name)
        self._recorder.begin(self._pc)
        self._at_reset = self._recorder.exceptions.here(self._pc)

    # What can be asked at any time.

    def version(self) -> str:
        return self._version

    @property
    def now(self) -> int:
        return self._now_ns * self._board.clock_hz // _NS + self._skipped

    @property
    def pc(self) -> int:
        return self._pc

    @property
    def sleeps(self) -> str:
        if not self._asleep:
            return ""
        before, at = self._program.code(self._pc - 2, 2), self._program.code(self._pc, 2)
        return "an endless loop" if at == BRANCH_TO_ITSELF else WAITS.get(before, Wait.INTERRUPT).value

    @property
    def uarts(self) -> tuple[str, ...]:
        return tuple(self._uarts[1:])

    def send(self, data: bytes, uart: str = "") -> None:
        self._link.send(data, self._uarts.index(uart))

    def unread(self, uart: str = "") -> bytes:
        return self._link.unread(self._uarts.index(uart))

    def lost(self, uart: str = "") -> tuple[bytes, str]:
        return b"", ""

    def read(self, address: int, size: int) -> bytes:
        return self._link.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        self._link.write(address, data)

    def registers(self) -> dict[str, int]:
        registers = self._link.registers()
        return registers if self._goes else registers | {"pc": self._pc}

    def set_register(self, name: str, value: int) -> None:
        self._link.set_register(_NUMBERS[name], value)
        if name == "pc":
            self._stand_at(value & ~1)

    def calls(self) -> Sequence[Call]:
        return self._recorder.calls()

    def monitor(self, command: str) -> str:
        if _LETS_TIME_PASS.match(command):
            raise EmulatorError(
                f"{command!r} lets time pass or ends Renode, which is for the test to do",
                hint="use run_for, run_until or expect",
            )
        return self._link.monitor(command).replace("\r", "").strip("\n")

    # Putting back.

    def save_core(self) -> _Core:
        return _Core(self._link.saved_registers(), self._pc, self._recorder.exceptions.here(self._pc))

    def restore_core(self, saved: object) -> None:
        assert isinstance(saved, _Core)
        for number, bits, value in saved.registers:
            self._link.set_register(number, value, bits)
        self._link.set_register(_NUMBERS["pc"], saved.pc)
        self._recorder.exceptions.go_to(saved.position, saved.pc)
        self._stand_at(saved.pc)

    def snapshot(self) -> object:
        raise EmulatorError(
            "a board in Renode cannot be put back to a snapshot: Renode's Save cannot keep what the harness watches with",
            hint='open the board anew, or use the embedded emulator: mcu_board(..., emulator="unicorn")',
        )

    def restore(self, snapshot: object) -> None:
        raise AssertionError("there are no snapshots")

    def reset(self) -> None:
        self._link.reset()
        self._recorder.exceptions.suspended = {}
        self._recorder.exceptions.go_to(self._at_reset, self._at_reset.pc)
        self._stand_at(self._at_reset.pc)
        self._end = None
        self._resets += 1

    @property
    def resets(self) -> int:
        return self._resets

    def interrupt(self, number: int) -> None:
        word, bit = divmod(number, 32)
        self._link.write(_SET_PENDING + 4 * word, (1 << bit).to_bytes(4, "little"))

    def skip(self, cycles: int) -> None:
        self._skipped += cycles

    def attach(self, low: int, high: int, device: Device) -> None:
        self._link.attach(len(self._devices), low, high - low)
        self._devices.append(device)

    # Stretches.

    def begin(self, traced: bool) -> Begun:
        return self._record.begin(self.now, traced, self._link)

    def end(self, begun: object) -> Stretch:
        assert isinstance(begun, Begun)
        trace = self._record.end_trace(self._link if self._can_ask else None) if begun.is_traced else None
        return Stretch(
            instructions=self._recorder.instructions - begun.instructions,
            cycles_by_clock=self.now - begun.now,
            counts=self._recorder.counts(begun.mark),
            trace=trace,
            heap=self._heap,
        )

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._ended(self, self.server, self._intact and not self._goes and not self._link.is_broken)

    @property
    def _can_ask(self) -> bool:
        return self._is_open and not self._goes and not self._link.is_broken

    # Running.

    def go(self, until: int, places: Collection[int] = ()) -> Stop:
        self._require_standing()
        while self._end is None:
            if until <= self.now:
                return Stop(StopReason.TIME, self._pc)
            # A trace is looked at from time to time, whether it has seen enough.
            up_to = until if not self._record.is_traced else min(until, self.now + _LOOKED_AT_CYCLES)
            stop = self._stopped(self._run(up_to, places))
            self._record.end_full_trace(self._link)
            if stop is not None and not (stop.reason is StopReason.TIME and self.now < until):
                self._end = stop if stop.is_end else None
                return stop
        return self._end

    def step(self) -> Stop:
        self._require_standing()
        if self._end is not None:
            return self._end
        stop = self._stopped(self._stands(*self._going(self._link.step)))
        self._end = stop if stop is not None and stop.is_end else None
        return stop or Stop(StopReason.PLACE, self._pc)

    def go_until_changed(self, until: int, address: int, size: int) -> tuple[Stop, int | None]:
        """It stops after the instruction; what a device writes by itself is not seen."""
        if size > _MOST_WATCHED:
            raise EmulatorError(
                f"{size} B are too many to watch in Renode", hint=f"name a part of at most {_MOST_WATCHED} B"
            )
        self._link.watch(address, size)
        try:
            stop = self.go(until)
            while stop.reason is StopReason.ASKED and self._writes is None:  # something on the console
                stop = self.go(until)
            by = self._writes
            return (stop if by is None else self.step()), by
        finally:
            if self._can_ask:
                self._link.watch(0, 0)

    def _require_standing(self) -> None:
        if not self._is_open:
            raise EmulatorError("the board is closed", hint="use it inside of the test that asked for it")
        if self._goes:
            raise EmulatorError("the firmware cannot go on inside of a device", hint="return from it first")

    def _run(self, until: int, places: Collection[int]) -> Standing:
        until_ns = -(-until * _NS // self._board.clock_hz)
        skipped = round(self._skipped * mips(self._board) * 1e6 / self._board.clock_hz)
        standing = self._stands(*self._going(lambda: self._link.go(until_ns, skipped, places)))
        # As everywhere, it stops at the end of a block: Renode's are of one instruction while memory is traced.
        while standing.why is Stand.ASKED and self._record.is_inside_block:
            standing = replace(self._stands(*self._going(self._link.step)), why=Stand.ASKED)
        return standing

    def _going(self, go: Callable[[], Going]) -> Going:
        self._goes = True  # after an error it still does, as far as anybody knows
        going = go()
        self._goes = False
        return going

    def _stands(self, standing: Standing, raised: Exception | None) -> Standing:
        self._now_ns, self._skipped = standing.now_ns, 0
        self._pc, self._asleep, self._heap = standing.pc, standing.asleep, standing.heap
        self._writes = standing.writes
        self._intact = self._intact and standing.intact
        if raised is not None:
            raise raised
        return standing

    def _stopped(self, standing: Standing) -> Stop | None:
        """What it means that it stands; None when it just goes on."""
        if self._record.no_code is not None:
            fault = Fault(FaultKind.JUMP, self._record.no_code)
            return Stop(StopReason.FAULT, self._record.no_code, ending.no_code(self._record.no_code), fault=fault)
        if standing.end is None:
            return Stop(_REASONS[standing.why], standing.pc)
        if standing.end.cause is protocol.Cause.SYSTEM_RESET:
            self.reset()
            return None
        if standing.end.cause is protocol.Cause.EXIT:
            status = standing.end.about
            signed = status - (1 << 32) if status >> 31 else status
            return Stop(StopReason.EXITED, standing.end.pc & ~1, f"the program ended with status {signed}", signed)
        return self._failed(standing.end)

    def _failed(self, end: protocol.End) -> Stop:
        code = self._program.code
        end, origin = located(end, code, self._word)
        pc = end.pc & ~1
        outcome = explain(end, self._board, self._plan, 0, self._program.vectors, code(pc - 2, 6))
        fault = outcome.fault
        if fault is not None:
            fault = arrived(fault, pc, origin, is_even_jump(end), last_branches(self._recorder))
        self._pc = pc
        return Stop(StopReason.FAULT, pc, outcome.detail, outcome.status, fault)

    def _word(self, address: int) -> int | None:
        try:
            return int.from_bytes(self._link.read(address, 4), "little")
        except EmulatorError:
            return None

    # What Renode tells and asks while it runs.

    def _heard(self, data: bytes, uart: int, now_ns: int) -> bool:
        self._now_ns, self._skipped = now_ns, 0
        return self._listener(data, self._uarts[uart])

    def _accessed(self, access: Access, now_ns: int) -> int:
        self._now_ns, self._skipped = now_ns, 0
        device = self._devices[access.device]
        if access.is_write:
            device.write(access.offset, access.size, access.value)
            return 0
        return device.read(access.offset, access.size)

    def _stand_at(self, pc: int) -> None:
        self._pc, self._asleep = pc, False
