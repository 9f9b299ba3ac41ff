"""A part of a run: what ran in some functions and in what they called."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.image.program import Program


def below(counts: BlockCounts, program: Program, functions: Collection[int]) -> BlockCounts:
    """`counts` of the functions that start at `functions` and all that was called from them.

    The calls that led there stay in the tree, with no cost of their own.
    """
    inside = np.zeros(len(counts.context_parent), np.bool_)
    for context, (parent, entry) in enumerate(
        zip(counts.context_parent.tolist(), counts.context_entry.tolist(), strict=True)
    ):
        function = program.function_at(entry)
        start = function.address if function else entry
        inside[context] = start in functions or (parent >= 0 and inside[parent])
    return pruned(_with_edges(counts, inside[counts.edge_context]))


def pruned(counts: BlockCounts) -> BlockCounts:
    """`counts` without contexts in which, and below which, nothing ran."""
    parents = counts.context_parent.tolist()
    kept = np.zeros(len(parents), np.bool_)
    kept[:1] = True
    for context in set(counts.edge_context.tolist()):
        while context >= 0 and not kept[context]:
            kept[context] = True
            context = parents[context]
    number = np.cumsum(kept) - 1
    return replace(
        counts,
        context_parent=np.array([number[p] if p >= 0 else -1 for p in counts.context_parent[kept].tolist()], np.int32),
        context_entry=counts.context_entry[kept],
        edge_context=number[counts.edge_context].astype(np.int32),
    )


def _with_edges(counts: BlockCounts, which: npt.NDArray[np.bool_]) -> BlockCounts:
    return replace(
        counts,
        edge_context=counts.edge_context[which],
        edge_previous=counts.edge_previous[which],
        edge_current=counts.edge_current[which],
        edge_count=counts.edge_count[which],
        window_counts=None,
    )
