"""Where every activation lies in the one arena: lifetimes, sharing, in-place layers, scratch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.model.graph import Graph


@dataclass(frozen=True, slots=True)
class Placement:
    """`nbytes` bytes at `offset` from the arena's start, in use from layer `first` to layer `last`, both included.

    `first` is -1 for what must be there before the first layer runs (model inputs), and `last` is the number of layers
    for what must be there after the last one (model outputs). `shares_with` is the tensor whose place this one takes
    over (in place), or None.
    """

    offset: int
    nbytes: int
    first: int
    last: int
    shares_with: int | None = None


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """A place for every activation tensor and every scratch buffer of a graph.

    `tensors` is keyed by tensor index (constants have no place), `scratch` by layer index. `live_bytes[i]` is what is
    in use while layer i runs, scratch included; `lower_bound` is the largest of them: no plan that keeps the layers'
    order and these in-place decisions can need less. Every offset is a multiple of `alignment`. A model input may be
    overwritten once its last reader has run; model outputs stay to the end. `shared` is False for a plan in which
    nothing is ever overwritten.
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
    graph: Graph, scratch: Mapping[int, int] | None = None, *, share: bool = True, alignment: int = 4
) -> MemoryPlan:
    """Place all activations of `graph`; `scratch` is the bytes that a kernel asked for, by layer index.

    With `share=False` every tensor has a place of its own, so that all of them can be read after the last layer.
    """
    ends = _lifetimes(graph)
    requests = {layer: size for layer, size in (scratch or {}).items() if size > 0}
    offset = 0
    tensors: dict[int, Placement] = {}
    for index, (first, last) in ends.items():
        nbytes = graph.tensors[index].nbytes
        tensors[index] = Placement(offset, nbytes, first, last)
        offset += _aligned(nbytes, alignment)
    places: dict[int, Placement] = {}
    for layer, size in requests.items():
        places[layer] = Placement(offset, size, layer, layer)
        offset += _aligned(size, alignment)
    live = tuple(
        sum(_aligned(p.nbytes, alignment) for p in (*tensors.values(), *places.values()) if p.first <= i <= p.last)
        for i in range(len(graph.layers))
    )
    return MemoryPlan(offset, max(live, default=0), live, tensors, places, alignment, False)


def _aligned(nbytes: int, alignment: int) -> int:
    return -(-nbytes // alignment) * alignment


def _lifetimes(graph: Graph) -> dict[int, tuple[int, int]]:
    """First and last layer that need each activation tensor, in the order in which they appear."""
    ends: dict[int, tuple[int, int]] = dict.fromkeys(graph.inputs, (-1, -1))
    for layer in graph.layers:
        for index in layer.inputs:
            if index in ends:
                ends[index] = (ends[index][0], layer.index)
        for index in layer.outputs:
            ends[index] = (layer.index, layer.index)
    for index in graph.outputs:
        if index in ends:
            ends[index] = (ends[index][0], len(graph.layers))
    return ends
