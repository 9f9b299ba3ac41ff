"""Looks for the instruction that changes some bytes of memory.

Unicorn's own hooks on memory corrupt the program where they fire inside an IT block (see `engine`). So the bytes are looked at
before each instruction: where they are others than before, the instruction before did it.
"""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.emulator.unicorn.memory import BoardMemory


class LiveWatch:
    """Watches `size` bytes at `address`; `on_change` is called when they have changed, once."""

    def __init__(self, memory: BoardMemory, address: int, size: int, on_change: Callable[[], None]) -> None:
        self._memory = memory
        self._place = address, size
        self._before = memory.read(*self._place)
        self._on_change = on_change
        self._last = 0
        self.changed_by: int | None = None

    def before(self, pc: int) -> None:
        """The instruction at `pc` is about to execute."""
        if self.changed_by is None and self._memory.peek(*self._place) != self._before:
            self.changed_by = self._last
            self._on_change()
        self._last = pc
