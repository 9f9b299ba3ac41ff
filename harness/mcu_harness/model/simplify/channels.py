"""Takes out channels that never change, and those that only they, or nothing at all, depend on.

A channel is left out where each reader can do without it. A layer of products needs no input channel that it has no weight for;
one whose value is the input's zero point adds nothing; any other constant adds the same to every sum, which moves into
the bias, unless a window reaches into the padding, where it is missing. Other layers pass channels on: they have as many as what they read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.layer import Context, NoPlan
from mcu_harness.model.graph import Channels, Graph, Layer, Tensor
from mcu_harness.model.operators.catalogue import macs
from mcu_harness.model.simplify.links import Link, links_of
from mcu_harness.model.simplify.products import OPERATORS, Products, products_of
from mcu_harness.model.simplify.spans import Span, Spans, channels_of, spans_of

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_SUM_LIMIT = 1 << 31


@dataclass(frozen=True, slots=True)
class _Sums:
    """A layer of products: `live` [outputs] change with its inputs; `reads` [outputs, channels of the input] are those that an output
    cannot do without, of a depthwise layer [outputs, 1].
    """

    layer: Layer
    products: Products
    span: Span
    live: Flags
    reads: Flags

    def needed(self, kept: Flags) -> Flags:
        """[channels of the input]: what it must read for the outputs `kept`."""
        wanted = self.live & kept
        if self.products.multiplier:
            needed = np.zeros(self.products.channels, bool)
            needed[np.flatnonzero(wanted & self.reads[:, 0]) // self.products.multiplier] = True
            return needed
        return np.asarray(self.reads[wanted].any(axis=0))


def without_constant_channels(graph: Graph) -> Graph:
    """`graph`, a validated one, with fewer channels and the same outputs.

    Each tensor keeps at least one channel; model inputs and outputs, and states, keep all.
    """
    spans = spans_of(graph)
    sums = {layer.index: found for layer in graph.layers if (found := _sums_of(graph, layer, spans)) is not None}
    kept = _kept(graph, sums)
    smaller = _Smaller(graph, kept)
    layers = [smaller.layer(layer, sums.get(layer.index)) for layer in graph.layers]
    result = replace(graph, tensors=tuple(smaller.tensors))
    return replace(
        result, layers=tuple(_counted(result, layer, each) for layer, each in zip(graph.layers, layers, strict=True))
    )


def _counted(graph: Graph, before: Layer, layer: Layer) -> Layer:
    done = macs(graph, layer)
    return replace(layer, macs=done, spared_macs=before.spared_macs + before.macs - done)


def _sums_of(graph: Graph, layer: Layer, spans: Spans) -> _Sums | None:
    """None for another operator, where channels of the input are not told apart, and where it cannot be turned into C."""
    if layer.operator not in OPERATORS:
        return None
    try:
        products = products_of(layer, Context(graph, layer, NoPlan()))
    except ModelError:
        return None  # whoever makes C of it says why that cannot be done
    span, result = spans[layer.inputs[0]], spans[layer.outputs[0]]
    if products.channels != len(span.least):
        return None
    most = np.abs(products.bias) + np.abs(products.weights.astype(np.int16)).sum(axis=1, dtype=np.int64) * 255
    foldable = span.constant & bool((most < _SUM_LIMIT).all())
    silent = span.constant & (span.least == products.zero_point)
    if products.multiplier:  # as the channel that each output reads
        channel = np.arange(len(products.weights)) // products.multiplier
        foldable, silent = foldable[channel][:, None], silent[channel][:, None]
    needed = products.reads() & ~silent & (products.reads(outside=True) | ~foldable)
    return _Sums(layer, products, span, ~result.constant, needed)


def _kept(graph: Graph, sums: dict[int, _Sums]) -> dict[int, Flags]:
    """By tensor index, which channels stay: the smallest sets that all layers can work with."""
    used = {index for layer in graph.layers for index in (*layer.inputs, *layer.outputs) if index >= 0}
    kept = {index: np.zeros(channels_of(graph.tensors[index]), bool) for index in (*used, *graph.inputs)}
    for index in kept:
        if index in (*graph.inputs, *graph.outputs) or graph.tensors[index].is_state:
            kept[index][:] = True
    links: list[Link] = []
    for layer in graph.layers:
        found = links_of(graph, layer)
        if found is None or (layer.operator in OPERATORS and layer.index not in sums):
            found, apart = [], set[int]()
        else:
            apart = {index for link in found for index in (link.first, link.second)}
            apart |= {layer.inputs[0], layer.outputs[0]} if layer.operator in OPERATORS else set()
        for index in {*layer.inputs, *layer.outputs} - apart - {-1}:
            kept[index][:] = True
        links += found
    while True:
        while _spread(kept, links, sums):
            pass
        empty = [flags for flags in kept.values() if not flags.any() and len(flags)]
        if not empty:
            return kept
        for flags in empty:
            flags[0] = True


def _spread(kept: dict[int, Flags], links: list[Link], sums: dict[int, _Sums]) -> bool:
    """One round of what is kept because something else is; whether anything was added."""
    before = sum(int(flags.sum()) for flags in kept.values())
    for found in reversed(sums.values()):
        kept[found.layer.inputs[0]] |= found.needed(kept[found.layer.outputs[0]])
    for link in reversed(links):
        there = kept[link.first][link.first_channels] | kept[link.second][link.second_channels]
        kept[link.first][link.first_channels[there]] = True
        kept[link.second][link.second_channels[there]] = True
    return sum(int(flags.sum()) for flags in kept.values()) > before


class _Smaller:
    """The tensors of a graph with only the channels that are `kept`; filters and biases are made anew, for each layer its own."""

    def __init__(self, graph: Graph, kept: dict[int, Flags]) -> None:
        self.kept = kept
        self.tensors: list[Tensor] = list(graph.tensors)
        for index, flags in kept.items():
            if not flags.all():
                self.tensors[index] = _shrunk(graph.tensors[index], flags)

    def layer(self, layer: Layer, sums: _Sums | None) -> Layer:
        if sums is None:
            return layer
        source, outputs = self.kept[layer.inputs[0]], self.kept[layer.outputs[0]]
        idle = outputs & ~sums.live
        if source.all() and outputs.all() and not sums.products.weights[idle].any():
            return layer
        weights, bias = _moved(sums, source, idle)
        filters = self._filter(layer, weights, source, outputs)
        return replace(layer, inputs=(layer.inputs[0], filters, self._bias(layer, bias[outputs])))

    def _filter(self, layer: Layer, weights: npt.NDArray[np.int8], source: Flags, outputs: Flags) -> int:
        stored = self.tensors[layer.inputs[1]]
        if layer.operator == "DEPTHWISE_CONV_2D":
            data = np.ascontiguousarray(weights[outputs].T).reshape(*stored.shape[:3], -1)
        else:
            rows = weights[outputs].reshape(int(outputs.sum()), -1, len(source))[:, :, source]
            data = np.ascontiguousarray(rows).reshape(len(rows), *stored.shape[1:-1], -1)
        quantization = stored.quantization
        if quantization is not None and quantization.per_channel:
            picked = np.flatnonzero(outputs).tolist()
            scales = tuple(quantization.scales[channel] for channel in picked)
            quantization = replace(quantization, scales=scales, zero_points=(0,) * len(scales))
        return self._added(replace(stored, shape=data.shape, data=data, quantization=quantization))

    def _bias(self, layer: Layer, bias: Int64s) -> int:
        data = bias.astype(np.int32)
        if len(layer.inputs) > 2 and layer.inputs[2] >= 0:
            stored = self.tensors[layer.inputs[2]]
            return self._added(replace(stored, shape=data.shape, data=data, quantization=None))
        return self._added(Tensor(0, "", data.shape, "int32", data=data))

    def _added(self, tensor: Tensor) -> int:
        self.tensors.append(replace(tensor, index=len(self.tensors)))
        return len(self.tensors) - 1


def _moved(sums: _Sums, source: Flags, idle: Flags) -> tuple[npt.NDArray[np.int8], Int64s]:
    """All weights and biases, where constants that are not read any more are in the bias, and the filters of `idle` outputs are zero."""
    products = sums.products
    gone = ~source & sums.span.constant
    bias = products.bias + products.added(np.where(gone, sums.span.least, products.zero_point))
    least, most = products.ends(sums.span.least, sums.span.most)
    weights = np.where(idle[:, None], np.int8(0), products.weights)
    return weights, np.where(idle, np.clip(0, least, most), bias)  # any sum between the ends gives the constant


def _shrunk(tensor: Tensor, flags: Flags) -> Tensor:
    data = None if tensor.data is None else np.ascontiguousarray(tensor.data[..., flags])
    shape = (*tensor.shape[:-1], int(flags.sum()))
    channels = Channels(tuple(np.flatnonzero(flags).tolist()), len(flags))
    return replace(tensor, shape=shape, data=data, channels=channels)
