"""Which tensors share one place: lifetimes, views and layers that work in place. Says nothing of where the place is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mcu_harness.model.graph import Graph, Layer
from mcu_harness.model.operators.catalogue import OPERATORS


@dataclass(frozen=True, slots=True)
class Use:
    """`nbytes` bytes are needed from layer `first` to layer `last`, both included.

    -1 is the moment before the first layer (model inputs are there), the number of layers the one after the last.
    """

    first: int
    last: int
    nbytes: int

    def meets(self, other: Use) -> bool:
        return self.first <= other.last and other.first <= self.last


@dataclass(slots=True)
class Block:
    """Uses that start at one address: tensors (in the order they are written), or one layer's scratch.

    `alive` are the tensors that may still be read, while blocks are put together.
    """

    uses: list[Use] = field(default_factory=list)
    tensors: list[int] = field(default_factory=list)
    scratch_of: int | None = None
    alive: list[int] = field(default_factory=list)

    @property
    def nbytes(self) -> int:
        return max(use.nbytes for use in self.uses)


def lifetimes(graph: Graph) -> dict[int, Use]:
    """When each activation is needed, by tensor index, in the order in which they come to be."""
    first = dict.fromkeys(graph.inputs, -1)
    last = dict.fromkeys(graph.inputs, -1)
    for layer in graph.layers:
        for index in layer.outputs:
            if not graph.tensors[index].is_state:  # those have a place of their own
                first[index] = last[index] = layer.index
        for index in layer.inputs:
            if index in first:
                last[index] = layer.index
    for index in graph.outputs:
        last[index] = len(graph.layers)
    return {index: Use(first[index], last[index], graph.tensors[index].nbytes) for index in first}


def occupancy(blocks: Sequence[Block]) -> dict[int, dict[int, int]]:
    """Bytes in use of each block, by number, at every moment (-1, a layer, the number of layers) that has any."""
    moments: dict[int, dict[int, int]] = {}
    for number, block in enumerate(blocks):
        for use in block.uses:
            for moment in range(use.first, use.last + 1):
                sizes = moments.setdefault(moment, {})
                sizes[number] = max(use.nbytes, sizes.get(number, 0))
    return moments


def separate(graph: Graph, scratch: Mapping[int, int]) -> list[Block]:
    """A block for every tensor and scratch buffer."""
    return [Block([use], [index]) for index, use in lifetimes(graph).items()] + _scratch_blocks(scratch)


def shared(
    graph: Graph,
    scratch: Mapping[int, int],
    in_place: Mapping[int, tuple[int, ...]],
    declined: frozenset[int] = frozenset(),
) -> list[Block]:
    """Blocks with views and in-place layers joined; `declined` layers take their second possibility, or none.

    `in_place` as in mcu_harness.model.planner, by layer, instead of what holds for all kernels of the operator.

    An ADD of two dying tensors can overwrite either, and which is better depends on everything else.
    """
    uses = lifetimes(graph)
    home: dict[int, Block] = {index: Block([uses[index]], [index], alive=[index]) for index in graph.inputs}
    blocks = list(home.values())
    for layer in graph.layers:
        inputs = in_place.get(layer.index, OPERATORS[layer.operator].in_place)
        host = _host(graph, layer, inputs, uses, home, 1 if layer.index in declined else 0)
        for index in layer.outputs:
            if index not in uses:
                continue
            if host is None:
                home[index] = Block()
                blocks.append(home[index])
            else:
                home[index], host = host, None
            home[index].uses.append(uses[index])
            home[index].tensors.append(index)
            home[index].alive.append(index)
    return blocks + _scratch_blocks(scratch)


def _scratch_blocks(scratch: Mapping[int, int]) -> list[Block]:
    return [Block([Use(layer, layer, size)], scratch_of=layer) for layer, size in sorted(scratch.items())]


def overlaps(blocks: Sequence[Block], graph: Graph, distances: Mapping[int, int]) -> dict[int, tuple[int, int, int]]:
    """Layers whose output may lie in their input's bytes: layer -> (output's block, input's block, distance).

    `distances` is how many bytes below the input the output must start, by layer. Only an input that ends with the layer
    can be given up, and only when it is all that the two blocks ever hold at the same time.
    """
    home = {index: number for number, block in enumerate(blocks) for index in block.tensors}
    result = {}
    for index, distance in distances.items():
        layer = graph.layers[index]
        output, source = home[layer.outputs[0]], home.get(layer.inputs[0])
        if source is None or source == output:
            continue
        met = [(a, b) for a in blocks[output].uses for b in blocks[source].uses if a.meets(b)]
        if len(met) == 1 and met[0][0].first == met[0][1].last == index:
            result[index] = (output, source, distance)
    return result


def choices(graph: Graph, in_place: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
    """Layers for which `declined` makes a difference."""
    return tuple(
        layer.index
        for layer in graph.layers
        if OPERATORS[layer.operator].reshapes or OPERATORS[layer.operator].in_place or layer.index in in_place
    )


def _host(
    graph: Graph,
    layer: Layer,
    inputs: tuple[int, ...],
    uses: Mapping[int, Use],
    home: Mapping[int, Block],
    skip: int,
) -> Block | None:
    """The block that the layer's output joins, None for a block of its own."""
    if OPERATORS[layer.operator].reshapes:
        found = [home[layer.inputs[0]]] if layer.inputs[0] in home else []
    else:
        found = [
            home[layer.inputs[position]] for position in inputs if _can_take_over(graph, layer, position, uses, home)
        ]
    return found[skip] if skip < len(found) else None


def _can_take_over(
    graph: Graph, layer: Layer, position: int, uses: Mapping[int, Use], home: Mapping[int, Block]
) -> bool:
    """Whether nothing else in the input's block is read by this layer or needed after it; false where it has no such input."""
    if position >= len(layer.inputs):
        return False  # a constant that became part of a table
    index = layer.inputs[position]
    source, result = graph.tensors[index], graph.tensors[layer.outputs[0]]
    if index not in home or source.shape != result.shape:
        return False
    if result.nbytes > source.nbytes and not OPERATORS[layer.operator].widens:
        return False
    block = home[index]
    block.alive = [other for other in block.alive if uses[other].last >= layer.index]
    return uses[index].last == layer.index and block.alive == [index]
