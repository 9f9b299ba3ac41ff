"""From the block recorder's tables to `BlockCounts`: of all windows, or of what ran since a mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.contract import START, BlockCounts
from mcu_harness.emulator.recorder import block_hook, views
from mcu_harness.emulator.recorder.steps import RecordedSteps

Words = npt.NDArray[np.int64]

_COLUMNS = [word // 8 for word in (block_hook.TO, block_hook.PRIOR, block_hook.CURRENT, block_hook.COUNT)]


@dataclass(frozen=True, slots=True)
class Mark:
    """What had been counted at some time: executions of each edge, and how many blocks had been left early."""

    counts: Words
    left_early: int


@dataclass(frozen=True, slots=True)
class Early:
    """Parts of blocks that were left before their end: (context, previous, current, count), and the window of each."""

    steps: Sequence[tuple[int, int, int, int]]
    windows: Sequence[int]


def block_counts(
    tables: RecordedSteps, early: Early, since: Mark | None, window_marks: Sequence[Words] | None
) -> BlockCounts:
    """What ran inside windows, or only what of that ran after `since`; with `window_marks`, of each window too."""
    parents, entries = tables.context_tree()
    columns = tables.edges[:, _COLUMNS]
    if since is not None:
        columns[: len(since.counts), 3] -= since.counts
    left_early = early.steps[since.left_early if since else 0 :]
    columns = np.concatenate([columns, np.array(left_early, np.int64).reshape(-1, 4)])
    kept = np.flatnonzero((columns[:, 0] != block_hook.OUTSIDE) & (columns[:, 3] > 0))
    columns = columns[kept]
    # Edges that differ only in the context they came from are one.
    steps, which = np.unique(columns[:, :3], axis=0, return_inverse=True)
    which = which.reshape(-1)
    totals = np.zeros(len(steps), np.int64)
    np.add.at(totals, which, columns[:, 3])
    seen = np.unique(steps[:, 1:])
    seen = seen[seen >= block_hook.FIRST_BLOCK]
    blocks = tables.blocks[seen]
    per_window = None
    if window_marks is not None:
        per_window = views.window_counts(window_marks, len(tables.edges), early.windows, kept, which, len(steps))
    return BlockCounts(
        block_address=(blocks[:, block_hook.KEY // 8] >> 32).astype(np.uint32),
        block_bytes=np.array(tables.block_bytes, np.int32)[seen],
        block_instructions=blocks[:, block_hook.INSTRUCTIONS // 8].astype(np.int32),
        context_parent=parents,
        context_entry=entries,
        edge_context=(steps[:, 0] - block_hook.ROOT).astype(np.int32),
        edge_previous=np.where(
            steps[:, 1] < block_hook.FIRST_BLOCK, START - steps[:, 1], np.searchsorted(seen, steps[:, 1])
        ).astype(np.int32),
        edge_current=np.searchsorted(seen, steps[:, 2]).astype(np.int32),
        edge_count=totals,
        block_code=tuple(tables.block_code[block] for block in seen),
        window_counts=per_window,
    )
