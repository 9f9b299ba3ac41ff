"""How the block recorder follows exceptions that the emulator takes itself, and therefore knows exactly.

A handler is a context of its own, below the code it interrupted. When it returns, that code goes on as if nothing had
been: even the step it was interrupted in is the same one. A context switch, which returns to another thread than was
interrupted, goes on in the other's calls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.recorder import block_hook
from mcu_harness.emulator.recorder.tables import Table

Words = npt.NDArray[np.int64]

_DEEPEST = 64  # contexts below which another exception is no child of what it interrupts
_SAME_PLACE = 4  # bytes that a handler may set the return address on, past the instruction that called it


@dataclass(frozen=True, slots=True)
class Position:
    """Where the recorder was when an exception was taken at `pc`, to go back to."""

    pc: int
    edge: int
    entered: int  # how, where `edge` is the start of another handler
    context: int
    frames: Words
    window: int


class TakenExceptions:
    """Works on the recorder's state and tables; `grow(what)` makes room, `function(address)` is a function's start, and
    `now()` the time, which stands still between a return and an exception that is chained to it.
    """

    def __init__(
        self,
        state: Words,
        edges: Table,
        contexts: Table,
        frames: Table,
        grow: Callable[[int], object],
        function: Callable[[int], int],
        now: Callable[[], int],
    ) -> None:
        self._state = state
        self._edges = edges
        self._contexts = contexts
        self._frames = frames
        self._grow = grow
        self._function = function
        self._now = now
        self._left_at = -1  # the time of the last return
        self._suspended: dict[int, Position] = {}  # by the stack pointer
        self._children: dict[tuple[int, int], int] = {}
        self._window = 0
        self._start = block_hook.START_OUTSIDE

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
        edge, depth = self._get(block_hook.EDGE), self._get(block_hook.DEPTH)
        entered, context = self._edge(edge, block_hook.CURRENT), self._edge(edge, block_hook.TO)
        return Position(pc, edge, entered, context, self._frames.rows[:depth].copy(), self._window)

    def enter(self, entry: int, pc: int, stack: int, floats: bool) -> None:
        """An exception is taken whose handler is at `entry`; code is to go on at `pc`, its stack pointer is `stack`.

        `floats` is whether its floating-point context is kept.
        """
        position = self._suspended[stack] = self.here(pc)
        edge, context, depth = position.edge, position.context, len(position.frames)
        chained = self._left_at == self._now()
        if context == block_hook.OUTSIDE:
            self._set(block_hook.EDGE, block_hook.START_OUTSIDE)
            return
        while depth >= len(self._frames.rows):
            self._grow(block_hook.FRAMES)
        self._frames.rows[depth, :3] = block_hook.TAKEN, context, self._edge(edge, block_hook.CURRENT)
        self._set(block_hook.DEPTH, depth + 1)
        entered = block_hook.ENTERED_WITH_FLOATS if floats else block_hook.ENTERED
        self._start_in(self._child(context, entry), block_hook.CHAINED if chained else entered)

    def leave(self, pc: int, stack: int) -> None:
        """A handler returns to `pc`, the stack pointer is `stack` now: to what was interrupted there, or a new thread."""
        self._left_at = self._now()
        position = self._suspended.pop(stack, None)
        if position is not None and abs(pc - position.pc) > _SAME_PLACE:
            position = None  # its frame was made up, for a thread that begins
        self.go_to(position, pc)

    def go_to(self, position: Position | None, pc: int) -> None:
        """Count on at `position`; None is a thread that begins at `pc`."""
        if position is not None and position.window == self._window:
            frames = position.frames
            self._frames.rows[: len(frames)] = frames
            self._set(block_hook.DEPTH, len(frames))
            if position.edge == block_hook.START_TAKEN:
                self._start_in(position.context, position.entered)
            else:
                self._set(block_hook.EDGE, position.edge)
            return
        self._set(block_hook.DEPTH, 0)
        self._set(block_hook.EDGE, self._start)
        if position is None and self._start == block_hook.START_ROOT:
            self._start_in(self._child(block_hook.ROOT, pc), block_hook.NO_BLOCK)

    def _start_in(self, context: int, entered: int) -> None:
        """The next block is counted in `context`, as one that follows no block; `entered` says how."""
        row = self._edges.rows[block_hook.START_TAKEN // block_hook.EDGE_ROW]
        row[[block_hook.LIKELY // 8, block_hook.UNLIKELY // 8]] = 0
        row[[block_hook.TO // 8, block_hook.CURRENT // 8]] = context, entered
        self._set(block_hook.EDGE, block_hook.START_TAKEN)

    def _child(self, parent: int, entry: int) -> int:
        if (parent, entry) in self._children:
            return self._children[parent, entry]
        contexts = self._contexts.rows
        depth = int(contexts[parent, block_hook.CONTEXT_DEPTH // 8]) + 1
        if depth > _DEEPEST and parent != block_hook.ROOT:
            return self._child(block_hook.ROOT, entry)
        new = self._get(block_hook.CONTEXT_COUNT)
        if new >= len(contexts):
            self._grow(block_hook.CONTEXTS)
            contexts = self._contexts.rows
        self._set(block_hook.CONTEXT_COUNT, new + 1)
        sibling = int(contexts[parent, block_hook.FIRST_CHILD // 8])
        contexts[new, :7] = parent, entry, 0, self._function(entry), depth, 0, sibling
        contexts[parent, block_hook.FIRST_CHILD // 8] = new
        self._children[parent, entry] = new
        return new

    def _edge(self, edge: int, word: int) -> int:
        return int(self._edges.rows[edge // block_hook.EDGE_ROW, word // 8])

    def _get(self, word: int) -> int:
        return int(self._state[word // 8])

    def _set(self, word: int, value: int) -> None:
        self._state[word // 8] = value
