"""The block recorder's tables as a memory trace reads them, while the program runs and afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.recorder import block_hook

Words = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RecordedSteps:
    """Rows as in `recorder.block_hook`, of edges, blocks and contexts; bytes and machine code by number of the block."""

    edges: Words
    blocks: Words
    contexts: Words
    block_bytes: Sequence[int]
    block_code: Sequence[bytes]

    @property
    def edge_context(self) -> Words:
        """The context of every edge as in `BlockCounts`, negative outside of windows."""
        return self.edges[:, block_hook.TO // 8] - block_hook.ROOT

    @property
    def edge_block(self) -> Words:
        """The block that every edge goes to."""
        return self.edges[:, block_hook.CURRENT // 8]

    @property
    def edge_count(self) -> Words:
        return self.edges[:, block_hook.COUNT // 8].copy()

    @property
    def edge_source(self) -> Words:
        """Where the block ended that every edge comes from; -1 at the start of a window or a handler."""
        prior = self.edges[:, block_hook.PRIOR // 8]
        return np.where(prior < block_hook.FIRST_BLOCK, -1, self.blocks[prior, block_hook.END // 8])

    @property
    def addresses(self) -> Words:
        """The address of every block."""
        return self.blocks[:, block_hook.KEY // 8] >> 32

    def block_of_edge(self, edge: int) -> tuple[int, int, bytes]:
        """(number, address, machine code) of the block that an edge goes to."""
        block = int(self.edges[edge, block_hook.CURRENT // 8])
        return block, *self.block(block)

    def block(self, block: int) -> tuple[int, bytes]:
        """(address, machine code) of a block."""
        return int(self.blocks[block, block_hook.KEY // 8]) >> 32, self.block_code[block]

    def context_tree(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint32]]:
        """(parent, entry) of every context of the tree, as in `BlockCounts`."""
        inside = self.contexts[block_hook.ROOT :]
        parents = (inside[:, block_hook.PARENT // 8] - block_hook.ROOT).astype(np.int32)
        return parents, inside[:, block_hook.ENTRY // 8].astype(np.uint32)
