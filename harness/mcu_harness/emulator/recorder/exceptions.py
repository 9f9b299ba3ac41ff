"""How the block recorder follows exceptions that the emulator takes itself, and therefore knows exactly.

A handler is a context of its own, below the code it interrupted. When it returns, that code goes on as if nothing had
been: even the step it was interrupted in is the same one. A context switch, which returns to another thread than was
interrupted, goes on in the other's calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.emulator.recorder.layout import (
    CHAINED,
    ENTERED,
    ENTERED_WITH_FLOATS,
    GROW_CONTEXTS,
    GROW_FRAMES,
    NO_BLOCK,
    OUTSIDE,
    ROOT,
    START_OUTSIDE,
    START_ROOT,
    START_TAKEN,
    TAKEN,
)
from mcu_harness.emulator.recorder.rows import Rows
from mcu_harness.emulator.recorder.tables import RecorderTables

_DEEPEST = 64  # contexts below which another exception is no child of what it interrupts
_SAME_PLACE = 4  # bytes that a handler may set the return address on, past the instruction that called it


@dataclass(frozen=True, slots=True)
class Position:
    """Where the recorder was when an exception was taken at `pc`, to go back to; and in which task."""

    pc: int
    edge: int
    entered: int  # how, where `edge` is the start of another handler
    context: int
    frames: Rows
    window: int
    task: int


class TakenExceptions:
    """Works on the recorder's tables; `function(address)` is a function's start, and `now()` the time, which stands still
    between a return and an exception that is chained to it.
    """

    def __init__(self, tables: RecorderTables, function: Callable[[int], int], now: Callable[[], int]) -> None:
        self._tables = tables
        self._state = tables.state
        self._function = function
        self._now = now
        self._left_at = -1  # the time of the last return
        self._suspended: dict[int, Position] = {}  # by the stack pointer
        self._children: dict[tuple[int, int], int] = {}
        self._window = 0
        self._start = START_OUTSIDE
        self.task = 0  # what runs, or was interrupted: a number for each stack that a handler ever returned to
        self._tasks = 1

    def restart(self, start: int) -> None:
        """A window begins or ends, and the counting goes on at the edge `start`: older positions mean nothing now."""
        self._window += 1
        self._start = start

    @property
    def suspended(self) -> dict[int, Position]:
        """What exceptions have interrupted and not returned to, by its stack pointer."""
        return dict(self._suspended)

    @suspended.setter
    def suspended(self, positions: dict[int, Position]) -> None:
        self._suspended = dict(positions)

    def here(self, pc: int) -> Position:
        """Where the recorder is now, before the code at `pc`."""
        edge = self._tables.last_edge
        frames = self._tables.open_frames.copy()
        return Position(pc, self._state.edge, edge.current, edge.to_context, frames, self._window, self.task)

    def enter(self, entry: int, pc: int, stack: int, floats: bool) -> None:
        """An exception is taken whose handler is at `entry`; code is to go on at `pc`, its stack pointer is `stack`.

        `floats` is whether its floating-point context is kept.
        """
        position = self._suspended[stack] = self.here(pc)
        depth = len(position.frames)
        chained = self._left_at == self._now()
        if position.context == OUTSIDE:
            self._state.edge = START_OUTSIDE
            return
        while depth >= len(self._tables.frames):
            self._tables.grow(GROW_FRAMES)
        frame = self._tables.frames.row(depth)
        frame.return_to, frame.caller, frame.caller_block = TAKEN, position.context, position.entered
        self._state.depth = depth + 1
        entered = ENTERED_WITH_FLOATS if floats else ENTERED
        self._start_in(self._child(position.context, entry), CHAINED if chained else entered)

    def leave(self, pc: int, stack: int) -> None:
        """A handler returns to `pc`, the stack pointer is `stack` now: to what was interrupted there, or a new thread."""
        self._left_at = self._now()
        position = self._suspended.pop(stack, None)
        if position is not None and abs(pc - position.pc) > _SAME_PLACE:
            position = None  # its frame was made up, for a thread that begins
        if position is None:
            self.task, self._tasks = self._tasks, self._tasks + 1
        else:
            self.task = position.task
        self.go_to(position, pc)

    def go_to(self, position: Position | None, pc: int) -> None:
        """Count on at `position`; None is a thread that begins at `pc`."""
        if position is not None and position.window == self._window:
            frames = position.frames
            self._tables.frames.rows[: len(frames)] = frames
            self._state.depth = len(frames)
            if position.edge == START_TAKEN:
                self._start_in(position.context, position.entered)
            else:
                self._state.edge = position.edge
            return
        self._state.depth = 0
        self._state.edge = self._start
        if position is None and self._start == START_ROOT:
            self._start_in(self._child(ROOT, pc), NO_BLOCK)

    def _start_in(self, context: int, entered: int) -> None:
        """The next block is counted in `context`, as one that follows no block; `entered` says how."""
        edge = self._tables.edge(START_TAKEN)
        edge.likely = edge.unlikely = 0
        edge.to_context, edge.current = context, entered
        self._state.edge = START_TAKEN

    def _child(self, parent: int, entry: int) -> int:
        if (parent, entry) in self._children:
            return self._children[parent, entry]
        depth = self._tables.contexts.row(parent).depth + 1
        if depth > _DEEPEST and parent != ROOT:
            return self._child(ROOT, entry)
        new = self._state.context_count
        if new >= len(self._tables.contexts):
            self._tables.grow(GROW_CONTEXTS)
        self._state.context_count = new + 1
        above, context = self._tables.contexts.row(parent), self._tables.contexts.row(new)
        context.parent, context.entry, context.tail = parent, entry, 0
        context.function, context.depth = self._function(entry), depth
        context.first_child, context.sibling = 0, above.first_child
        above.first_child = new
        self._children[parent, entry] = new
        return new
