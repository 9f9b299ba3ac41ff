"""Places that the embedded emulator stops at to learn something of firmware: where main returns, how the heap grows.

Each watch says at which addresses it wants to be asked (`exits`), and is asked there (`at`).
"""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.emulator.contract import RunPlan
from mcu_harness.emulator.heap_log import HeapCourse, HeapLog

_FAILED = 0xFFFFFFFF


class _Return:
    """Where a call will return to: the same address with the same stack pointer."""

    def __init__(self, register: Callable[[str], int]) -> None:
        self.address = register("lr") & ~1
        self._stack = register("sp")

    def is_here(self, pc: int, register: Callable[[str], int]) -> bool:
        return pc == self.address and register("sp") == self._stack


class MainWatch:
    """Learns whether the function [start, end) has returned, and what. `register` reads a core register by name."""

    def __init__(self, main: tuple[int, int] | None, register: Callable[[str], int]) -> None:
        self._main = main
        self._register = register
        self._return: _Return | None = None
        self.returned: int | None = None

    @property
    def exits(self) -> set[int]:
        if self._main is None or self.returned is not None:
            return set()
        return {self._return.address if self._return else self._main[0]}

    def at(self, pc: int) -> None:
        """Execution has reached `pc`, one of `exits`."""
        if self._return is None:
            self._return = _Return(self._register)
        elif self._return.is_here(pc, self._register):
            self.returned = self._register("r0")

    def holds(self, pc: int) -> bool:
        """Whether `pc` lies in main itself."""
        return self._main is not None and self._main[0] <= pc < self._main[1]


class HeapWatch:
    """Learns the lowest and highest end of the heap that `sbrk`, at address `entry`, ever returned or set."""

    def __init__(self, entry: int | None, register: Callable[[str], int]) -> None:
        self._entry = entry
        self._register = register
        self._return: _Return | None = None
        self._increment = 0
        self.extent: tuple[int, int] | None = None

    @property
    def exits(self) -> set[int]:
        if self._entry is None:
            return set()
        return {self._return.address if self._return else self._entry}

    def at(self, pc: int) -> None:
        """Execution has reached `pc`, one of `exits`."""
        if self._return is None:
            self._return = _Return(self._register)
            self._increment = self._register("r0")
        elif self._return.is_here(pc, self._register):
            self._return = None
            before = self._register("r0")
            if before != _FAILED:
                after = (before + self._increment) & 0xFFFFFFFF
                low, high = self.extent or (before, before)
                self.extent = min(low, before, after), max(high, before, after)


class FunctionWatches:
    """All of a run by `plan`; `now` is the time for the log of the heap."""

    def __init__(self, plan: RunPlan, register: Callable[[str], int], now: Callable[[], int]) -> None:
        self.main = MainWatch(plan.main, register)
        self._heap = HeapWatch(plan.sbrk, register)
        self._course = HeapCourse(plan.heap_functions, register, now)
        self._is_traced = bool(plan.heap_functions)

    @property
    def heap(self) -> tuple[int, int] | None:
        """The lowest and highest end of the heap; None without any."""
        return self._heap.extent

    @property
    def heap_log(self) -> HeapLog | None:
        """The calls of the allocator, where the plan asks for them."""
        return self._course.log if self._is_traced else None

    @property
    def exits(self) -> set[int]:
        return self.main.exits | self._heap.exits | self._course.exits

    def at(self, pc: int) -> None:
        """Execution has reached `pc`: whoever wants to be asked there is."""
        for watch in (self.main, self._heap, self._course):
            if pc in watch.exits:
                watch.at(pc)
