"""Where every activation lies in the one arena: lifetimes, sharing, in-place layers, scratch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcu_harness.model.blocks import Block, choices, occupancy, overlaps, separate, shared
from mcu_harness.model.graph import Graph
from mcu_harness.model.overlap import raster_distance
from mcu_harness.model.placement import ORDERS, place

# Offsets are multiples of this. A word: the largest access of the portable and DSP kernels, and Cortex-M0 faults on
# words that are not aligned. A larger one buys nothing there and costs up to its size for every tensor.
ALIGNMENT = 4

# Pair comparisons that the search for the first plan may spend, about a quarter of a second; and how many plans may be
# compared, with twice as much again in all, when layers can work in place in more than one way.
_SEARCH_EFFORT = 400_000
_COMBINATIONS = 32
# Pair comparisons that all plans together may spend before no further one is begun: only models of hundreds of tensors that
# are all alive at once come near.
_MOST_EFFORT = 2_000_000


@dataclass(frozen=True, slots=True)
class Placement:
    """`nbytes` bytes at `offset` from the arena's start, in use from layer `first` to layer `last`, both included.

    `first` is -1 for what must be there before the first layer runs (model inputs), and `last` is the number of layers
    for what must be there after the last one (model outputs).
    """

    offset: int
    nbytes: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """A place for every activation tensor and every scratch buffer of a graph.

    `tensors` is keyed by tensor index (constants have no place), `scratch` by layer index. `live_bytes[i]` is what is
    in use while layer i runs, scratch included and overlapping bytes counted once; `lower_bound` is the least that any moment needs, before the first and
    after the last layer included and aligned: no plan that keeps the layers' order and these in-place decisions can need
    less. Every offset is a multiple of `alignment`. A model input may be overwritten once its last reader has run, so
    inputs are written anew for every inference; model outputs stay. `shared` is False for a plan in which nothing is
    ever overwritten.
    """

    arena_bytes: int
    lower_bound: int
    live_bytes: tuple[int, ...]
    tensors: Mapping[int, Placement]
    scratch: Mapping[int, Placement]
    alignment: int
    shared: bool

    def offset_of(self, tensor_index: int) -> int:
        """Arena offset of an activation tensor; KeyError for constants, which lie in flash."""
        return self.tensors[tensor_index].offset

    def scratch_offset(self, layer_index: int) -> int | None:
        """Arena offset of a layer's scratch buffer, None where it asked for none."""
        placement = self.scratch.get(layer_index)
        return None if placement is None else placement.offset


def plan(
    graph: Graph,
    scratch: Mapping[int, int] | None = None,
    raster: Mapping[int, int] | None = None,
    in_place: Mapping[int, tuple[int, ...]] | None = None,
    *,
    share: bool = True,
    alignment: int = ALIGNMENT,
) -> MemoryPlan:
    """Place all activations of a validated `graph`.

    `scratch` is the bytes that a kernel asked for, by layer index. `raster` names layers whose kernels keep the promise
    of harness/mcu_harness/model/overlap.py, with the number of positions they have in flight: the output of such a layer may lie in
    the bytes of an input that nobody needs afterwards.

    `in_place` names layers whose kernels, unlike others of their operator, let the output take the place of these inputs.

    With `share=False` everything has a place of its own, so that every layer's output can be read after the last one.
    The same graph and scratch always give the same plan.
    """
    requests = {layer: size for layer, size in (scratch or {}).items() if size > 0}
    if not share:
        return _apart(graph, separate(graph, requests), alignment)
    distances = {
        layer: distance
        for layer, positions in (raster or {}).items()
        if (distance := raster_distance(graph, graph.layers[layer], positions)) is not None
    }
    best = _sharing(graph, shared(graph, requests, in_place or {}), alignment, _SEARCH_EFFORT, distances)
    declined: frozenset[int] = frozenset()
    candidates = choices(graph, in_place or {})[:_COMBINATIONS]
    for tried, layer in enumerate(candidates, start=1):
        if best.arena_bytes <= best.lower_bound or tried * _effort_of_one(best) > _MOST_EFFORT:
            break
        blocks = shared(graph, requests, in_place or {}, declined | {layer})
        other = _sharing(graph, blocks, alignment, 2 * _SEARCH_EFFORT // len(candidates), distances)
        if other.arena_bytes < best.arena_bytes:
            best, declined = other, declined | {layer}
    return best


def _effort_of_one(memory: MemoryPlan) -> int:
    """Pair comparisons of trying each of the orders that tend to be good, about: tensors alive together, squared."""
    alive = sum(use.last - use.first + 1 for use in memory.tensors.values()) // max(len(memory.live_bytes), 1)
    return ORDERS * alive * len(memory.tensors)


def _apart(graph: Graph, blocks: Sequence[Block], alignment: int) -> MemoryPlan:
    """The plan in which blocks follow one another and none is ever given up."""
    offsets, top = [], 0
    for block in blocks:
        top = _aligned(top, alignment)
        offsets.append(top)
        top += block.nbytes
    live = (sum(block.nbytes for block in blocks),) * len(graph.layers)
    return _plan_of(blocks, offsets, top, live, alignment, shared=False)


def _sharing(
    graph: Graph, blocks: Sequence[Block], alignment: int, effort: int, distances: Mapping[int, int]
) -> MemoryPlan:
    """The plan in which blocks share bytes wherever they do not meet in time, or `distances` allow it."""
    closer = overlaps(blocks, graph, distances)
    moments = occupancy(blocks)
    for layer, (output, source, distance) in closer.items():  # the two as one
        sizes = moments[layer]
        together = max(sizes[output], _aligned(distance, alignment) + sizes[source])
        if together < sizes[output] + sizes[source]:
            sizes[output] = together
            del sizes[source]
    live = tuple(sum(moments.get(layer, {}).values()) for layer in range(len(graph.layers)))
    lower_bound = max((_stacked(list(sizes.values()), alignment) for sizes in moments.values()), default=0)
    offsets = place(blocks, alignment, lower_bound, effort, closer.values())
    return _plan_of(blocks, offsets, lower_bound, live, alignment, shared=True)


def _plan_of(
    blocks: Sequence[Block],
    offsets: Sequence[int],
    lower_bound: int,
    live: tuple[int, ...],
    alignment: int,
    *,
    shared: bool,
) -> MemoryPlan:
    tensors: dict[int, Placement] = {}
    scratch: dict[int, Placement] = {}
    for block, offset in zip(blocks, offsets, strict=True):
        for index, use in zip(block.tensors, block.uses, strict=False):
            tensors[index] = Placement(offset, use.nbytes, use.first, use.last)
        if block.scratch_of is not None:
            use = block.uses[0]
            scratch[block.scratch_of] = Placement(offset, use.nbytes, use.first, use.last)
    arena_bytes = max((p.offset + p.nbytes for p in (*tensors.values(), *scratch.values())), default=0)
    return MemoryPlan(arena_bytes, lower_bound, live, tensors, scratch, alignment, shared)


def _stacked(sizes: Sequence[int], alignment: int) -> int:
    """Bytes that buffers take one above the other: each is padded to the next one's start, the topmost is not."""
    paddings = [-size % alignment for size in sizes]
    return sum(sizes) + sum(paddings) - max(paddings, default=0)


def _aligned(nbytes: int, alignment: int) -> int:
    return -(-nbytes // alignment) * alignment
