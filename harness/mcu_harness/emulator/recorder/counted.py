"""From the block recorder's tables to `BlockCounts`: of all windows, or of what ran since a mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcu_harness.emulator.contract import START, BlockCounts
from mcu_harness.emulator.recorder import views
from mcu_harness.emulator.recorder.layout import FIRST_BLOCK, OUTSIDE, ROOT
from mcu_harness.emulator.recorder.rows import Words
from mcu_harness.emulator.recorder.steps import RecordedSteps
from mcu_harness.emulator.recorder.window_marks import WindowMarks


@dataclass(frozen=True, slots=True)
class Mark:
    """What had been counted at some time: executions of each edge, and how many blocks had been left early."""

    counts: Words
    left_early: int


@dataclass(frozen=True, slots=True)
class Early:
    """Parts of blocks that were left before their end: (context, previous, current, count), and the windows of each."""

    steps: Sequence[tuple[int, int, int, int]]
    windows: Sequence[Sequence[int]]


def block_counts(tables: RecordedSteps, early: Early, since: Mark | None, windows: WindowMarks | None) -> BlockCounts:
    """What ran inside windows, or only what of that ran after `since`; with `windows`, of each that closed too.

    Where these are too many to be told apart, it is what ran in windows that closed.
    """
    parents, entries = tables.context_tree()
    edges, counts = tables.edges, tables.edge_count
    if since is not None:
        counts[: len(since.counts)] -= since.counts
    left_early = np.array(early.steps[since.left_early if since else 0 :], np.int64).reshape(-1, 4)
    each = windows.each if windows is not None else None
    if windows is not None and each is None:
        counts[:] = 0
        counts[: len(windows.total)] = windows.total
        closed = set(windows.closed)
        left_early[:, 3] = [len(closed.intersection(within)) for within in early.windows]
    steps = np.column_stack([edges["to_context"], edges["prior"], edges["current"]])
    steps, counts = np.concatenate([steps, left_early[:, :3]]), np.concatenate([counts, left_early[:, 3]])
    kept = np.flatnonzero((steps[:, 0] != OUTSIDE) & (counts > 0))
    # Edges that differ only in the context they came from are one.
    steps, which = np.unique(steps[kept], axis=0, return_inverse=True)
    which = which.reshape(-1)
    totals = np.zeros(len(steps), np.int64)
    np.add.at(totals, which, counts[kept])
    context, previous, current = steps.T
    seen = np.unique(steps[:, 1:])
    seen = seen[seen >= FIRST_BLOCK]
    blocks = tables.blocks[seen]
    per_window = None
    if windows is not None and each is not None:
        left_in = [[window in within for within in early.windows] for window in windows.closed]
        per_window = views.window_counts(each, len(edges), left_in, kept, which, len(steps))
    return BlockCounts(
        block_address=(blocks["key"] >> 32).astype(np.uint32),
        block_bytes=np.array(tables.block_bytes, np.int32)[seen],
        block_instructions=blocks["instructions"].astype(np.int32),
        context_parent=parents,
        context_entry=entries,
        edge_context=(context - ROOT).astype(np.int32),
        edge_previous=np.where(previous < FIRST_BLOCK, START - previous, np.searchsorted(seen, previous)).astype(
            np.int32
        ),
        edge_current=np.searchsorted(seen, current).astype(np.int32),
        edge_count=totals,
        block_code=tuple(tables.block_code[block] for block in seen),
        window_counts=per_window,
    )
