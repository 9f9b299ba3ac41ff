"""Takes a dead branch out of a sum: an operand whose channels are all constant becomes a constant with one value a channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcu_harness.model.graph import Graph, Layer, Tensor
from mcu_harness.model.simplify.spans import Spans, spans_of

_BINARY = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")


def with_constant_operands(graph: Graph) -> Graph:
    """`graph` whose binary layers read such constants instead; the layers that made them may then be unread."""
    spans, tensors = spans_of(graph), list(graph.tensors)
    layers = tuple(_with_constant(graph, layer, spans, tensors) for layer in graph.layers)
    return replace(graph, layers=layers, tensors=tuple(tensors))


def _with_constant(graph: Graph, layer: Layer, spans: Spans, tensors: list[Tensor]) -> Layer:
    """`layer` with a constant, which is added to `tensors`, for one of its operands."""
    if layer.operator not in _BINARY or len(layer.inputs) != 2:
        return layer
    result = graph.tensors[layer.outputs[0]]
    for position, index in enumerate(layer.inputs):
        tensor, other = graph.tensors[index], graph.tensors[layer.inputs[1 - position]]
        if tensor.dtype != "int8" or tensor.is_constant or not tensor.shape or not spans[index].constant.all():
            continue
        if other.is_constant or other.shape != result.shape or index == other.index:
            continue  # a layer needs an operand that is computed, and of its output's shape
        values = spans[index].least.astype(np.int8).reshape((1,) * (len(tensor.shape) - 1) + (-1,))
        tensors.append(replace(tensor, index=len(tensors), shape=values.shape, data=values))
        inputs = list(layer.inputs)
        inputs[position] = tensors[-1].index
        return replace(layer, inputs=tuple(inputs))
    return layer
