"""Which channels of a layer's tensors go together: what is taken out of one must be taken out of the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.model.graph import Graph, Layer, Tensor
from mcu_harness.model.operation import Operation, axis_of
from mcu_harness.model.operators.shapes import reduced_axes
from mcu_harness.model.simplify.spans import channels_of

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Link:
    """Channel `first_channels[i]` of tensor `first` is there if and only if `second_channels[i]` of `second` is."""

    first: int
    first_channels: Int64s
    second: int
    second_channels: Int64s


def links_of(graph: Graph, layer: Layer) -> list[Link] | None:
    """None where the layer needs all channels of all of its tensors."""
    rule = _RULES.get(layer.operator)
    if rule is None or any(graph.tensors[index].is_state for index in (*layer.inputs, *layer.outputs) if index >= 0):
        return None
    return rule(graph, layer)


def _tiled(first: Tensor, second: Tensor) -> list[Link] | None:
    """Channel c of `first` is each channel of `second` whose number is c modulo the number of channels of `first`."""
    few, many = channels_of(first), channels_of(second)
    if many % few:
        return None
    numbers = np.arange(many, dtype=np.int64)
    return [Link(first.index, numbers % few, second.index, numbers)]


def _unary(graph: Graph, layer: Layer) -> list[Link] | None:
    return _tiled(graph.tensors[layer.inputs[0]], graph.tensors[layer.outputs[0]])


def _binary(graph: Graph, layer: Layer) -> list[Link] | None:
    result = graph.tensors[layer.outputs[0]]
    links = []
    for index in layer.inputs:
        operand = graph.tensors[index]
        if channels_of(operand) == channels_of(result):
            numbers = np.arange(channels_of(result), dtype=np.int64)
            links.append(Link(index, numbers, result.index, numbers))
        elif not operand.is_constant:
            return None  # one channel for all
    return links


def _pad(graph: Graph, layer: Layer) -> list[Link] | None:
    return None if any(Operation.of(graph, layer).indices(1)[-2:]) else _unary(graph, layer)


def _mean(graph: Graph, layer: Layer) -> list[Link] | None:
    rank = len(graph.tensors[layer.inputs[0]].shape)
    return None if rank - 1 in reduced_axes(Operation.of(graph, layer)) else _unary(graph, layer)


def _concatenation(graph: Graph, layer: Layer) -> list[Link] | None:
    result = graph.tensors[layer.outputs[0]]
    rank, start, links = len(result.shape), 0, []
    last = axis_of(int(layer.attributes["axis"]), rank) == rank - 1  # type: ignore[arg-type]
    for index in layer.inputs:
        numbers = np.arange(channels_of(graph.tensors[index]), dtype=np.int64)
        links.append(Link(index, numbers, result.index, numbers + start))
        start += len(numbers) * last
    return links


def _depthwise(graph: Graph, layer: Layer) -> list[Link] | None:
    source, result = graph.tensors[layer.inputs[0]], graph.tensors[layer.outputs[0]]
    if channels_of(source) == 1:
        return []  # an ordinary convolution
    outputs = np.arange(channels_of(result), dtype=np.int64)
    return [Link(source.index, outputs // (len(outputs) // channels_of(source)), result.index, outputs)]


_RULES: dict[str, Callable[[Graph, Layer], list[Link] | None]] = {
    **dict.fromkeys(
        (
            *("RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "RELU_N1_TO_1", "RELU_0_TO_1"),
            *("ABS", "NEG", "RSQRT", "EXP", "LOG", "GELU", "AVERAGE_POOL_2D", "MAX_POOL_2D"),
            *("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"),
            *("QUANTIZE", "DEQUANTIZE"),
        ),
        _unary,
    ),
    **dict.fromkeys(("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU"), _binary),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    "MEAN": _mean,
    "CONCATENATION": _concatenation,
    "DEPTHWISE_CONV_2D": _depthwise,
    "CONV_2D": lambda graph, layer: [],
    "FULLY_CONNECTED": lambda graph, layer: [],
}
