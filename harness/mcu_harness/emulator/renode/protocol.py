"""The frames exchanged with the code that runs inside Renode; the other side of the same format is csharp/Wire.cs.

A frame is its length (32 bits) and so many bytes. Numbers are little-endian, bytes and UTF-8 texts have their length
in front. A request begins with its kind (one byte), an answer with its kind (four bytes).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

from mcu_harness.emulator.contract import STACK_PAINT, OtherCore, RunPlan
from mcu_harness.emulator.heap_log import Allocates

HELLO, OK, ERROR, BLOCKS, CODE, OPENED, WINDOW, END = b"H", b"K", b"E", b"B", b"C", b"O", b"W", b"X"
NO_SUCH_CORE = b"N"
CALLED, RETURNED, LEFT = b"G", b"R", b"L"
ALLOCATED = b"A"

_NO_ADDRESS = -1
_REGISTERS = (*(f"r{i}" for i in range(13)), "sp", "lr", "pc", "xpsr", "cfsr", "mmfar", "primask", "faultmask", "shcsr")


_WROTE = 0x100
_MOST_BYTES = (1 << 31) - 1  # of an area


class Cause(IntEnum):
    """Why a run ended, as Run.cs numbers it."""

    EXIT = 0
    DEADLINE = 1
    INSTRUCTION_LIMIT = 2
    BAD_ACCESS = 3
    EXCEPTION = 4
    ABORT = 5
    STUCK = 6
    BAD_VECTORS = 7
    SYSTEM_RESET = 8
    FLASH_WRITE = 9
    WINDOWS_DONE = 10
    STOP_PLACE = 11
    STOP_AFTER = 12
    DIALOGUE_OVER = 13
    SUPERVISOR_CALL = 14
    STACKING = 15
    UNSTACKING = 16
    OTHER_ABORTED = 17


@dataclass(frozen=True, slots=True)
class End:
    """The end of a run. `about` and `more` depend on the cause:

    - EXIT: r0;
    - BAD_ACCESS: the address; the width in bytes, + 0x100 for a write;
    - EXCEPTION: the translator's number of the exception; the fault status;
    - BAD_VECTORS: stack pointer and reset address;
    - FLASH_WRITE: the address; the width in bytes, 0 where this Renode does not tell;
    - STUCK: 1 where interrupts came and changed nothing for it, 2 where it executes a loop;
    - STACKING, UNSTACKING: the address of the frame; the number of the exception, 0 where it is not known;
    - OTHER_ABORTED: where the other core was; its number among the plan's.

    `registers` are as they were at that moment. `intact` is false when that Renode cannot be used any more,
    `flash_changed` true when the program has written to flash. `window_open` is whether a window was open, but for one
    that is the whole run; `main` what main has returned, None if it has not; `heap` the lowest and highest end of the
    heap; `step` the number of the dialogue's step under way, -1 before the first, and `unread` what the program has not
    read of what it sends.
    """

    cause: Cause
    pc: int
    about: int
    more: int
    registers: dict[str, int]
    intact: bool = True
    flash_changed: bool = False
    instructions: int = 0
    stack: bytes = b""
    console: bytes = b""
    log: str = ""
    window_open: bool = False
    main: int | None = None
    heap: tuple[int, int] | None = None
    step: int = -1
    unread: bytes = b""

    @property
    def is_write(self) -> bool:
        """Whether the access of a BAD_ACCESS wrote."""
        return bool(self.more & _WROTE)


class Reader:
    """Takes an answer apart, field by field."""

    def __init__(self, frame: bytearray) -> None:
        self._frame = frame
        self._at = 4

    def number(self, code: str) -> int:
        """The next number, in `struct`'s notation ("I", "Q", "B")."""
        (value,) = struct.unpack_from("<" + code, self._frame, self._at)
        self._at += struct.calcsize("<" + code)
        return int(value)

    def optional(self, code: str) -> int | None:
        """A number after the flag that says whether there is one."""
        there, value = self.number("B"), self.number(code)
        return value if there else None

    def optional_pair(self) -> tuple[int, int] | None:
        """Two numbers after the flag that says whether there are any."""
        there, pair = self.number("B"), (self.number("I"), self.number("I"))
        return pair if there else None

    def data(self) -> bytes:
        size = self.number("I")
        self._at += size
        return bytes(self._frame[self._at - size : self._at])

    def registers(self) -> dict[str, int]:
        """The core's registers, by name."""
        return {name: self.number("I") for name in _REGISTERS}

    def text(self) -> str:
        return self.data().decode("utf-8", "replace")


def _data(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value


def _text(value: str) -> bytes:
    return _data(value.encode())


def _chunks(chunks: Sequence[tuple[int, bytes]]) -> bytes:
    return struct.pack("<I", len(chunks)) + b"".join(struct.pack("<I", at) + _data(data) for at, data in chunks)


def _areas(areas: Sequence[tuple[int, int]]) -> bytes:
    return struct.pack("<I", len(areas)) + b"".join(struct.pack("<II", *area) for area in areas)


def _spans(spans: Sequence[tuple[int, int]]) -> bytes:
    return _areas([(start, min(end - start, _MOST_BYTES)) for start, end in spans])


def platform_request(
    description: Path,
    includes: Sequence[Path],
    core: str,
    others: Sequence[OtherCore],
    uart: str,
    mips: int,
    empty: Iterable[tuple[int, int]],
) -> bytes:
    """Make a new machine. `includes` are further descriptions (.repl) and scripts (anything else), in order.

    `core` is the name of the core under test, "" for the only one, and `others` run beside it; `uart` is the peripheral whose text is the console, "" for none; `empty` are the [start, end) where the board has
    nothing.
    """
    parts = [b"P", _text(str(description)), struct.pack("<I", len(includes))]
    for path in includes:
        parts += [struct.pack("<B", path.suffix != ".repl"), _text(str(path))]
    parts += [_text(core), struct.pack("<I", len(others))]
    for other in others:
        parts += [_text(other.name), struct.pack("<I", other.vectors), _chunks(other.load)]
    ranges = list(empty)
    parts += [struct.pack("<I", mips), _text(uart), struct.pack("<I", len(ranges))]
    parts += [struct.pack("<QQ", start, end) for start, end in ranges]
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Image:
    """What is in memory before a run: `load` are (address, bytes), `vectors` is the address of the vector table.

    `code` and `flash` are areas (address, size): blocks outside of `code` are preceded by a CODE answer with their
    bytes, and `flash` is what the program must not change.
    """

    load: tuple[tuple[int, bytes], ...]
    vectors: int
    code: tuple[int, int]
    flash: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Frames:
    """Where functions are, and what stacks lie in, as sorted [start, end): to tell when a measured call is off its stack."""

    functions: Sequence[tuple[int, int]] = ()
    arrays: Sequence[tuple[int, int]] = ()
    memories: Sequence[tuple[int, int]] = ()


def run_request(
    plan: RunPlan, image: Image, watch_flash: bool, console_input: int | None, clock_hz: int, frames: Frames
) -> bytes:
    """Run `image` by `plan`; with `watch_flash`, slowly, until the first write to flash.

    `console_input` is the address of the register from which the program reads its console, None without one; `frames` matter to
    plans that follow calls.
    """
    low, high = plan.stack
    marks = [_address(mark) for mark in (plan.begin, plan.end, plan.exit)]
    paint = (low, bytes([STACK_PAINT]) * (high - low))
    parts = [
        b"R",
        struct.pack("<BI3q", plan.profile, image.vectors, *marks),
        struct.pack("<QI", plan.max_instructions, max(1, round(plan.timeout_s * 1000))),
        struct.pack("<IIIIB", low, high - low, *image.code, watch_flash),
        _areas(image.flash),
        _chunks([*image.load, paint] if high > low else image.load),
        struct.pack("<I", len(plan.windows)),
    ]
    for window in plan.windows:
        parts += [_chunks(window.writes), _areas(window.reads)]
    parts += [*_of_any_make(plan), struct.pack("<qQ", _address(console_input), clock_hz)]
    parts += [_spans(spans) for spans in (frames.functions, frames.arrays, frames.memories)]
    parts.append(struct.pack("<I", len(plan.heap_functions)))
    parts += [struct.pack("<IBB", one.entry, one.does, one.first) for one in plan.heap_functions]
    return b"".join(parts)


def _of_any_make(plan: RunPlan) -> Iterator[bytes]:
    """What only plans for firmware of the user's own say."""
    yield struct.pack(f"<BI{len(plan.stops)}I", plan.repeat, len(plan.stops), *plan.stops)
    main = plan.main or (None, None)
    yield struct.pack("<4q", *(_address(value) for value in (*main, plan.stop_after, plan.sbrk)))
    yield struct.pack("<B", 0) if plan.start is None else struct.pack("<BII", 1, *plan.start)
    yield struct.pack("<I", len(plan.dialogue))
    for exchange in plan.dialogue:
        yield _data(exchange.send) + _data(exchange.wait) + struct.pack("<B", exchange.measured)


def _address(value: int | None) -> int:
    return _NO_ADDRESS if value is None else value


def read_code(frame: bytearray) -> tuple[int, bytes]:
    """Code that is not where the program was loaded: address and bytes."""
    reader = Reader(frame)
    return reader.number("I"), reader.data()


def read_opened(frame: bytearray) -> tuple[int, int]:
    """A window that opened: the address of its first instruction, and the stack pointer there."""
    reader = Reader(frame)
    return reader.number("I"), reader.number("I")


@dataclass(frozen=True, slots=True)
class Arrival:
    """The core came to the function whose calls are measured, back from it or off its frame, after so many `instructions`.

    The others are only told at the function: the link register, which stack is in use, and whether this Renode lets the stack pointer be
    looked at before each block.
    """

    pc: int
    pointer: int
    instructions: int
    lr: int = 0
    on_process_stack: bool = False
    sees_pointer: bool = False


def read_called(frame: bytearray) -> Arrival:
    """The core is at the first instruction of the function whose calls are measured."""
    reader = Reader(frame)
    pc, pointer, instructions, lr = (reader.number(code) for code in "IIQI")
    return Arrival(pc, pointer, instructions, lr, bool(reader.number("B")), bool(reader.number("B")))


def read_returned(frame: bytearray) -> Arrival:
    """The core is where a call returns to, with its stack pointer; or off the frame of a call that began with that one."""
    reader = Reader(frame)
    return Arrival(reader.number("I"), reader.number("I"), reader.number("Q"))


def read_allocated(frame: bytearray) -> tuple[Allocates, tuple[int, int], int, int]:
    """A call of the allocator that has returned: what the function does, its arguments, its result, instructions so far."""
    reader = Reader(frame)
    does, arguments = Allocates(reader.number("B")), (reader.number("I"), reader.number("I"))
    return does, arguments, reader.number("I"), reader.number("Q")


def read_window(frame: bytearray) -> tuple[int, tuple[bytes, ...]]:
    """A closed window: instructions, and what was read."""
    reader = Reader(frame)
    instructions = reader.number("Q")
    return instructions, tuple(reader.data() for _ in range(reader.number("I")))


def read_end(frame: bytearray) -> End:
    """The end of a run."""
    reader = Reader(frame)
    return replace(
        _cause_and_place(reader),
        intact=bool(reader.number("B")),
        flash_changed=bool(reader.number("B")),
        instructions=reader.number("Q"),
        stack=reader.data(),
        console=reader.data(),
        log=reader.text(),
        window_open=bool(reader.number("B")),
        main=reader.optional("I"),
        heap=reader.optional_pair(),
        step=_signed(reader.number("I")),
        unread=reader.data(),
    )


def read_live_end(frame: bytearray) -> End:
    """The end of a live run: what is asked for afterwards is not in it."""
    return _cause_and_place(Reader(frame))


def _cause_and_place(reader: Reader) -> End:
    """What every end begins with."""
    return End(
        cause=Cause(reader.number("B")),
        pc=reader.number("I"),
        about=reader.number("Q"),
        more=reader.number("I"),
        registers=reader.registers(),
    )


def _signed(word: int) -> int:
    return word - (1 << 32) if word >> 31 else word
