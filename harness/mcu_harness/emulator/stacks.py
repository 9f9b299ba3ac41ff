"""Which stack the core uses, and where that ends: the same in every emulator.

Stacks are told apart by the exceptions that switch tasks, and by the arrays that they lie in, so that calls of several tasks may
be under way at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.hardware.board import Board
from mcu_harness.image.object_index import ObjectIndex
from mcu_harness.image.program import Program

MAIN_STACK = -1


@dataclass(frozen=True, slots=True)
class Stack:
    """Which stack: the task that uses it, MAIN_STACK for the main one, and where the array begins that it lies in, None if unknown."""

    task: int
    array: int | None


class Stacks:
    """Those of one run; `area` is the plan's own [low, high)."""

    def __init__(self, program: Program, board: Board, area: tuple[int, int]) -> None:
        self._objects = ObjectIndex(program)
        self._low, self._high = area
        self._memories = [(memory.origin, memory.end) for memory in board.memories]

    def at(self, task: int, pointer: int) -> Stack:
        """The stack of `task` whose pointer is `pointer` now."""
        array = self._objects.at(pointer - 1)
        return Stack(task, None if array is None else array.address)

    def end(self, pointer: int) -> int:
        """Where the stack ends at the latest that `pointer` is in: the plan's area, the array, or the memory that it lies in."""
        if self._low <= pointer <= self._high:
            return self._high
        array = self._objects.at(pointer - 1)
        if array is not None:
            return array.address + array.size
        return next((end for origin, end in self._memories if origin < pointer <= end), pointer)

    @property
    def arrays(self) -> list[tuple[int, int]]:
        """The objects that they may lie in, as sorted [start, end)."""
        return [(symbol.address, symbol.address + symbol.size) for symbol in self._objects.all()]

    @property
    def memories(self) -> list[tuple[int, int]]:
        """The board's memories, as [start, end)."""
        return list(self._memories)
