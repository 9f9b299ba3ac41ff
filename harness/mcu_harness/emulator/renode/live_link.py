"""The requests of a live run in Renode and their answers; the other side is csharp/Live.cs and csharp/LiveDrive.cs.

Frames are those of `protocol`. While the program runs, Renode asks back: what a byte on the console means for the run, and
what a device that a test made up answers. Whatever is asked of Renode in between is answered before the program goes on.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.renode import protocol
from mcu_harness.emulator.renode.server import RenodeRefusedError, RenodeServer

# How long Renode may take to answer, and while a program runs, how long neither that nor the time may get on.
_ANSWER_S = 60.0

_HEARD, _ACCESS, _SIGN, _STANDS, _TRACED = b"T", b"D", b"P", b"S", b"A"


class Stand(IntEnum):
    """Why it stands, as LiveDrive.cs numbers it."""

    TIME = 0
    PLACE = 1
    ASKED = 2
    ENDED = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """Why and where the program stands, at the time `now_ns`; `end` says what ended it, `writes` is the instruction that is about to
    change what is watched. Without `intact` Renode is lost.
    """

    why: Stand
    pc: int
    now_ns: int
    asleep: bool
    intact: bool
    heap: tuple[int, int] | None
    writes: int | None
    end: protocol.End | None


@dataclass(frozen=True, slots=True)
class Access:
    """A program's access to the device of that number; `value` is what it writes."""

    device: int
    offset: int
    size: int
    is_write: bool
    value: int


@dataclass(frozen=True, slots=True)
class Listeners:
    """What a run is told: a byte on a UART of that number, where True asks it to stop, and accesses to devices, both with the time in
    nanoseconds; blocks, accesses to memory that are traced, before the blocks that made them, and code that is not where the program
    was loaded.
    """

    heard: Callable[[bytes, int, int], bool]
    accessed: Callable[[Access, int], int]
    blocks: Callable[[bytearray], None]
    traced: Callable[[bytearray], None]
    code: Callable[[int, bytes], None]


class LiveLink:
    """Asks `server`, in which a board is ready."""

    def __init__(self, server: RenodeServer, listeners: Listeners) -> None:
        self._server = server
        self._tell = listeners
        self.is_broken = False  # something went wrong in between: nobody knows what Renode is doing

    def start(self, run_request: bytes) -> None:
        """Put the program into memory, and the core to its first instruction. It is what `protocol.run_request` makes."""
        self._done(b"L" + run_request[1:])

    def go(self, until_ns: int, skipped: int, places: Collection[int]) -> tuple[Standing, Exception | None]:
        """Go on; what a listener raised has stopped the program, and comes back too."""
        return self._going(struct.pack(f"<cQQI{len(places)}I", b"g", until_ns, skipped, len(places), *sorted(places)))

    def step(self) -> tuple[Standing, Exception | None]:
        """Execute one instruction; otherwise as `go`."""
        return self._going(b"n")

    def _going(self, request: bytes) -> tuple[Standing, Exception | None]:
        self._server.request(request)
        raised: Exception | None = None
        last_sign, since = b"", time.monotonic()
        while True:
            frame = self._answer()
            kind = frame[:1]
            if kind == _STANDS:
                return _standing(frame), raised
            if kind == _SIGN:
                if frame != last_sign:
                    last_sign, since = bytes(frame), time.monotonic()
                elif time.monotonic() - since > _ANSWER_S:
                    raise EmulatorError(
                        f"Renode hangs: for {_ANSWER_S:g} s the program has got no further, nor has its time",
                        hint="run it in the embedded emulator, unicorn, or take out the peripheral that it waits for",
                    )
                continue
            since = time.monotonic()
            try:
                self._told(frame)
            except Exception as error:
                raised = raised or error
                if kind in (_HEARD, _ACCESS):
                    self._reply(0, stop=True)

    def _told(self, frame: bytearray) -> None:
        reader, kind = protocol.Reader(frame), frame[:1]
        if kind == protocol.BLOCKS:
            self._tell.blocks(frame)
        elif kind == _TRACED:
            self._tell.traced(frame)
        elif kind == protocol.CODE:
            self._tell.code(*protocol.read_code(frame))
        elif kind == _HEARD:
            now, uart = reader.number("Q"), reader.number("I")
            self._reply(0, stop=self._tell.heard(bytes([reader.number("B")]), uart, now))
        elif kind == _ACCESS:
            now, device, offset = reader.number("Q"), reader.number("I"), reader.number("I")
            size, is_write = reader.number("B"), bool(reader.number("B"))
            answer = self._tell.accessed(Access(device, offset, size, is_write, reader.number("I")), now)
            self._reply(answer & 0xFFFFFFFF, stop=False)
        else:
            raise EmulatorError(f"Renode: unexpected answer {bytes(kind)!r} to a live run")

    def _reply(self, value: int, stop: bool) -> None:
        self._server.request(struct.pack("<cBI", b"a", stop, value))

    # While it stands, and in listeners.

    def read(self, address: int, size: int) -> bytes:
        return self._ask(struct.pack("<cQI", b"m", address, size)).data()

    def write(self, address: int, data: bytes) -> None:
        self._done(struct.pack("<cQI", b"w", address, len(data)) + data)

    def registers(self) -> dict[str, int]:
        return self._ask(b"r").registers()

    def set_register(self, number: int, value: int, bits: int = 32) -> None:
        """r0 to r12, 13 for sp, 14 for lr, 15 for pc, and Renode's own numbers of the others."""
        self._done(struct.pack("<cIIQ", b"s", number, bits, value))

    def saved_registers(self) -> Sequence[tuple[int, int, int]]:
        """All registers but pc that Renode has, as (its number, bits, value)."""
        reader = self._ask(b"c")
        return [(reader.number("I"), reader.number("I"), reader.number("Q")) for _ in range(reader.number("I"))]

    def listen(self, base: int, register: int | None) -> bool:
        """Hear the UART at `base`, which the program reads at `register`, under the next number; False when there is none."""
        return bool(self._ask(struct.pack("<cIq", b"l", base, -1 if register is None else register)).number("B"))

    def send(self, data: bytes, uart: int) -> None:
        """The program can read `data` from the UART of that number, 0 for its console."""
        self._done(struct.pack("<cII", b"i", uart, len(data)) + data)

    def unread(self, uart: int) -> bytes:
        """What it has not read of that."""
        return self._ask(struct.pack("<cI", b"u", uart)).data()

    def watch(self, address: int, size: int) -> None:
        """Stop before an instruction that changes one of these bytes; with size 0 no longer."""
        self._done(struct.pack("<cII", b"h", address, size))

    def trace(self, on: bool) -> None:
        """Have accesses to memory told, or no longer."""
        self._done(struct.pack("<cB", b"t", on))

    def reset(self) -> None:
        """All peripherals and the core are as after reset."""
        self._done(b"x")

    def monitor(self, command: str) -> str:
        """What Renode's monitor says to `command`; raises EmulatorError for one that fails."""
        text = command.encode()
        return self._ask(struct.pack("<cI", b"q", len(text)) + text).text()

    def attach(self, device: int, address: int, size: int) -> None:
        """Accesses to [address, address + size) are told under the number `device`."""
        self._done(struct.pack("<cIII", b"d", device, address, size))

    def _ask(self, request: bytes) -> protocol.Reader:
        self._server.request(request)
        while (frame := self._answer())[:1] == _SIGN:
            pass  # of a program that runs, where a listener asks
        return protocol.Reader(frame)

    def _answer(self) -> bytearray:
        try:
            return self._server.answer(time.monotonic() + _ANSWER_S)
        except RenodeRefusedError as error:
            raise EmulatorError(error.message) from error
        except BaseException:  # also an interrupt
            self.is_broken = True
            raise

    def _done(self, request: bytes) -> None:
        self._ask(request)


def _standing(frame: bytearray) -> Standing:
    reader = protocol.Reader(frame)
    why = Stand(reader.number("B"))
    return Standing(
        why=why,
        pc=reader.number("I"),
        now_ns=reader.number("Q"),
        asleep=bool(reader.number("B")),
        intact=bool(reader.number("B")),
        heap=reader.optional_pair(),
        writes=reader.optional("I"),
        end=protocol.read_live_end(bytearray(reader.data())) if why is Stand.ENDED else None,
    )
