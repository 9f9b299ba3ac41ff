"""The heap of a live run on its timeline: a counter that changes where the allocator's functions return."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcu_harness.emulator.heap_log import HeapCourse, HeapFunction
from mcu_harness.emulator.live import LiveMachine


class HeapTimeline:
    """Follows calls of `functions` in `machine`, and tells the bytes on the heap whenever they change: `counted(bytes, now)`."""

    def __init__(
        self, functions: Sequence[HeapFunction], machine: LiveMachine, counted: Callable[[int, int], None]
    ) -> None:
        self._course = HeapCourse(functions, lambda name: machine.registers()[name], lambda: machine.now)
        self._counted = counted

    @property
    def places(self) -> set[int]:
        """Where the machine has to stop."""
        return self._course.exits

    def at(self, machine: LiveMachine) -> None:
        """The machine stands at one of the places."""
        before = len(self._course.log.course)
        self._course.at(machine.pc)
        for now, in_use in self._course.log.course[before:]:
            self._counted(in_use, now)
