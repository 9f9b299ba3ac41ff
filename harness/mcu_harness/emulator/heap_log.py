"""What firmware has on its heap, over time: calls of its allocator, as an emulator sees them begin and return.

Bytes are those that were asked for; what an allocator keeps beside them for itself is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from mcu_harness.image.program import Program


class Allocates(IntEnum):
    """What a function of an allocator does; numbered as Renode's part has them."""

    MALLOC = 0  # (size)
    FREE = 1  # (pointer)
    REALLOC = 2  # (pointer, size)
    CALLOC = 3  # (count, size)
    ALIGNED = 4  # (alignment, size)


@dataclass(frozen=True, slots=True)
class HeapFunction:
    """The function at `entry`; its arguments begin in register `first`, 1 for newlib's reentrant ones."""

    entry: int
    does: Allocates
    first: int = 0


# Of newlib the functions that all the others end in; of others what the program calls; and FreeRTOS's own heap.
_NEWLIB = {
    "_malloc_r": Allocates.MALLOC,
    "_free_r": Allocates.FREE,
    "_realloc_r": Allocates.REALLOC,
    "_calloc_r": Allocates.CALLOC,
    "_memalign_r": Allocates.ALIGNED,
}
_PLAIN = {
    "malloc": Allocates.MALLOC,
    "free": Allocates.FREE,
    "realloc": Allocates.REALLOC,
    "calloc": Allocates.CALLOC,
    "memalign": Allocates.ALIGNED,
    "aligned_alloc": Allocates.ALIGNED,
}
_FREERTOS = {"pvPortMalloc": Allocates.MALLOC, "vPortFree": Allocates.FREE, "pvPortCalloc": Allocates.CALLOC}


def heap_functions(program: Program) -> tuple[HeapFunction, ...]:
    """Those of the program, () where it has none, or no symbols."""
    there = {
        symbol.name: symbol.address & ~1 for symbol in program.symbols if symbol.kind == "function" and symbol.size
    }
    own = [(_NEWLIB, 1)] if "_malloc_r" in there else [(_PLAIN, 0)]
    return tuple(
        HeapFunction(there[name], does, first)
        for names, first in (*own, (_FREERTOS, 0))
        for name, does in names.items()
        if name in there
    )


@dataclass(slots=True)
class HeapLog:
    """Calls in their order. `course` are the moments at which the heap changed, each with the bytes on it then; `failed` are calls
    that got nothing, `unknown` pointers that were freed and not seen to be allocated.
    """

    course: list[tuple[int, int]] = field(default_factory=list)
    bytes: int = 0
    calls: int = 0
    failed: int = 0
    unknown: int = 0
    blocks: dict[int, int] = field(default_factory=dict)  # bytes of what is on it, by address

    def returned(self, does: Allocates, arguments: Sequence[int], result: int, now: int) -> None:
        """A call has returned `result`, at `now`; `arguments` are its own, two of them."""
        self.calls += 1
        first, second = arguments
        if does is Allocates.FREE:
            self._drop(first)
        elif does is Allocates.REALLOC:
            if result or not second:
                self._drop(first)
            self._keep(result, second)
        else:
            size = first if does is Allocates.MALLOC else second * (first if does is Allocates.CALLOC else 1)
            self._keep(result, size)
        if not self.course or self.course[-1][1] != self.bytes:
            self.course.append((now, self.bytes))

    def _keep(self, address: int, size: int) -> None:
        if address:
            self.bytes += size - self.blocks.get(address, 0)
            self.blocks[address] = size
        elif size:
            self.failed += 1

    def _drop(self, address: int) -> None:
        if address:
            self.unknown += address not in self.blocks
            self.bytes -= self.blocks.pop(address, 0)


class HeapCourse:
    """Follows calls of `functions` in an emulator that stops at `exits` and then asks `at`; `log` is what came of it.

    `register` reads a core register by name, `now` is the time that the log is to have.
    """

    def __init__(
        self, functions: Sequence[HeapFunction], register: Callable[[str], int], now: Callable[[], int]
    ) -> None:
        self._functions = {function.entry: function for function in functions}
        self._register, self._now = register, now
        self._open: tuple[HeapFunction, tuple[int, int], int, int] | None = (
            None  # with arguments, return and stack pointer
        )
        self.log = HeapLog()

    @property
    def exits(self) -> set[int]:
        """An allocator's functions call each other: within one, none begins."""
        return set(self._functions) if self._open is None else {self._open[2]}

    def at(self, pc: int) -> None:
        """Execution has reached `pc`, one of `exits`."""
        if self._open is None:
            function = self._functions[pc]
            arguments = self._register(f"r{function.first}"), self._register(f"r{function.first + 1}")
            self._open = function, arguments, self._register("lr") & ~1, self._register("sp")
            return
        function, arguments, _, stack = self._open
        if self._register("sp") == stack:
            self._open = None
            self.log.returned(function.does, arguments, self._register("r0"), self._now())
