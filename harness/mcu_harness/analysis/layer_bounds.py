"""The least cycles that each layer of a model needs on a board, beside what it takes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.profile.cycles.bound import bound_cycles, core_limits
from mcu_harness.hardware.board import Board
from mcu_harness.model.graph import Graph
from mcu_harness.model.layer_work import layer_work


def with_bounds(regions: Sequence[CodeRegion], graph: Graph, board: Board) -> tuple[CodeRegion, ...]:
    """The regions of the layers of `graph` with their bounds, where the core's cycles and the layer's work are known."""
    limits = core_limits(board)
    if limits is None:
        return tuple(regions)
    works = [layer_work(graph, layer) for layer in graph.layers]
    return tuple(
        region if work is None else replace(region, bound_cycles=bound_cycles(work, limits))
        for region, work in zip(regions, works, strict=True)
    )
