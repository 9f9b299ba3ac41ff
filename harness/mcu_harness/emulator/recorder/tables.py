"""The block recorder's state and tables: made, and made larger when the compiled part asks for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcu_harness.emulator.recorder.layout import (
    FIRST_BLOCK,
    FIRST_EDGE,
    GROW_CONTEXTS,
    GROW_EDGES,
    NO_STACK,
    ROOT,
    START_OUTSIDE,
    START_ROOT,
    Block,
    Context,
    Edge,
    Frame,
    State,
    hash_block,
)
from mcu_harness.emulator.recorder.rows import Rows, Table, Words, aligned

_DEEPEST = 1000
_DEEPEST_IN_LARGE_TREE = 64
_LARGE_TREE = 1 << 16


class RecorderTables:
    """See `layout` for what is in them."""

    def __init__(self) -> None:
        self.state = State.new()
        self.blocks = Table(Block, 1 << 12)
        self.edges = Table(Edge, 1 << 13)
        self.contexts = Table(Context, 1 << 10)
        self.frames = Table(Frame, 1 << 12)
        self._block_index = aligned(1 << 15)
        self._edge_index = aligned(1 << 15)
        for name in ("key", "function", "target"):
            self.blocks.rows[name][:FIRST_BLOCK] = -1
        self.edges.rows["key"][:FIRST_EDGE] = -1
        self.edges.rows["lowest"][:FIRST_EDGE] = NO_STACK
        self.edge(START_ROOT).to_context = ROOT
        self._no_pointer = np.full(2, NO_STACK, np.uint32)
        self.state.stack_pointer = int(self._no_pointer.ctypes.data)
        self.state.edge = START_OUTSIDE
        self.state.edge_count = FIRST_EDGE
        self.state.context_count = ROOT + 1
        self.state.max_depth = _DEEPEST
        self._point_at_tables()

    def edge(self, offset: int) -> Edge:
        """The edge with that offset."""
        return self.edges.row(offset // Edge.nbytes)

    @property
    def last_edge(self) -> Edge:
        """Of the step that was recorded last."""
        return self.edge(self.state.edge)

    @property
    def known_edges(self) -> Rows:
        """The edges so far."""
        return self.edges.rows[: self.state.edge_count]

    @property
    def known_contexts(self) -> Rows:
        """The contexts so far."""
        return self.contexts.rows[: self.state.context_count]

    @property
    def open_frames(self) -> Rows:
        """The calls that have not returned."""
        return self.frames.rows[: self.state.depth]

    def address(self, block: int) -> int:
        """Where a block of code begins."""
        return self.blocks.row(block).key >> 32

    def grow(self, what: int) -> int:
        """A callback of compiled code: make more room for edges (whose index it fills again), contexts or frames."""
        if what == GROW_EDGES:
            self.edges.grow()
            self._edge_index = aligned(4 * len(self.edges))
        elif what == GROW_CONTEXTS:
            self.contexts.grow()
            if len(self.contexts) > _LARGE_TREE:
                self.state.max_depth = _DEEPEST_IN_LARGE_TREE
        else:
            self.frames.grow()
        self._point_at_tables()
        return 0

    def make_room_for_block(self, index: int) -> None:
        """Block number `index` is added: the ones before it are in the table and, but for the last, in the index."""
        while index >= len(self.blocks):
            self.blocks.grow()
            self._point_at_tables()
        if 2 * index > len(self._block_index):
            keys = self.blocks.rows["key"][1:index].tolist()
            self._block_index = block_index(2 * len(self._block_index), keys)
            self._point_at_tables()

    def _point_at_tables(self) -> None:
        state = self.state
        state.blocks, state.edges = self.blocks.address, self.edges.address
        state.contexts, state.frames = self.contexts.address, self.frames.address
        state.block_index, state.block_mask = int(self._block_index.ctypes.data), len(self._block_index) - 1
        state.edge_index, state.edge_mask = int(self._edge_index.ctypes.data), len(self._edge_index) - 1
        state.edge_room = len(self.edges)
        state.context_room = len(self.contexts)
        state.frame_room = len(self.frames)


def block_index(slots: int, keys: Sequence[int]) -> Words:
    """A hash table of so many slots (a power of two) that finds block i + 1 by `keys[i]`, as the compiled code does."""
    index, mask = aligned(slots), slots - 1
    for number, key in enumerate(keys, start=1):
        at = hash_block(key) & mask
        while index[at]:
            at = (at + 1) & mask
        index[at] = number
    return index
