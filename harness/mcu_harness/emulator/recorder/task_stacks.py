"""How deep the stack of each task was, seen while it ran: for emulators that take exceptions themselves.

Watching begins where a handler first returns to a task. What a handler stores below a task's stack pointer (the registers that a
switch of tasks saves) is seen by what it leaves in memory only.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.emulator.recorder.tables import RecorderTables
from mcu_harness.hardware.arm.stack_effect import deepest_dip


@dataclass(slots=True)
class _Seen:
    lowest: int
    highest: int


class TaskStacks:
    """Works on the recorder's tables; `code[block]` is the machine code of a block."""

    def __init__(self, tables: RecorderTables, code: list[bytes]) -> None:
        self._tables = tables
        self._code = code
        self._seen: dict[int, _Seen] = {}
        self._running: int | None = None

    def resume(self, task: int, pointer: int) -> None:
        """A handler returns to a task, whose stack pointer is `pointer` then."""
        self._add(task, pointer, pointer)
        self._running = task
        self._tables.state.task_lowest = self._seen[task].lowest

    def suspend(self, task: int, pointer: int, frame: int) -> None:
        """An exception is taken in a task with the stack pointer `pointer`, and pushes its frame at `frame`."""
        self._add(task, frame, pointer)
        self.stop()

    def stop(self) -> None:
        """No task runs from now on."""
        state = self._tables.state
        task, self._running = self._running, None
        if task is not None and state.task_lowest < self._seen[task].lowest:
            block = self._tables.edge(state.task_edge).current
            self._seen[task].lowest = state.task_lowest - (deepest_dip(self._code[block]) or 0)
        state.task_lowest = 0

    def extents(self) -> tuple[tuple[int, int], ...]:
        """The lowest and the highest stack pointer of each task, lowest first; those that share memory are one."""
        self.stop()
        found: list[tuple[int, int]] = []
        for seen in sorted(self._seen.values(), key=lambda seen: seen.lowest):
            if found and seen.lowest < found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], seen.highest)
            else:
                found.append((seen.lowest, seen.highest))
        return tuple(found)

    def _add(self, task: int, low: int, high: int) -> None:
        seen = self._seen.setdefault(task, _Seen(low, high))
        seen.lowest, seen.highest = min(seen.lowest, low), max(seen.highest, high)
