"""Places that the embedded emulator stops at to learn something of firmware: where main returns, how the heap grows.

Each watch says at which addresses it wants to be asked (`exits`), and is asked there (`at`).
"""

from __future__ import annotations

from collections.abc import Callable

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
