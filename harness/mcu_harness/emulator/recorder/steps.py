"""The block recorder's tables as a memory trace reads them, while the program runs and afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.recorder.layout import FIRST_BLOCK, ROOT
from mcu_harness.emulator.recorder.rows import Rows, Words


@dataclass(frozen=True, slots=True)
class RecordedSteps:
    """Rows as in `recorder.layout`, of edges, blocks and contexts; bytes and machine code by number of the block."""

    edges: Rows
    blocks: Rows
    contexts: Rows
    block_bytes: Sequence[int]
    block_code: Sequence[bytes]

    @property
    def edge_context(self) -> Words:
        """The context of every edge as in `BlockCounts`, negative outside of windows."""
        contexts: Words = self.edges["to_context"] - ROOT
        return contexts

    @property
    def edge_block(self) -> Words:
        """The block that every edge goes to."""
        return self.edges["current"]

    @property
    def edge_count(self) -> Words:
        return self.edges["count"].copy()

    @property
    def edge_source(self) -> Words:
        """Where the block ended that every edge comes from; -1 at the start of a window or a handler."""
        prior = self.edges["prior"]
        return np.where(prior < FIRST_BLOCK, -1, self.blocks["end"][prior])

    @property
    def addresses(self) -> Words:
        """The address of every block."""
        addresses: Words = self.blocks["key"] >> 32
        return addresses

    def block_of_edge(self, edge: int) -> tuple[int, int, bytes]:
        """(number, address, machine code) of the block that an edge goes to."""
        block = int(self.edges["current"][edge])
        return block, *self.block(block)

    def block(self, block: int) -> tuple[int, bytes]:
        """(address, machine code) of a block."""
        return int(self.blocks["key"][block]) >> 32, self.block_code[block]

    def context_tree(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint32]]:
        """(parent, entry) of every context of the tree, as in `BlockCounts`."""
        inside = self.contexts[ROOT:]
        return (inside["parent"] - ROOT).astype(np.int32), inside["entry"].astype(np.uint32)
