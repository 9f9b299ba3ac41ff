"""Operators that put elements elsewhere, but leave every one where it is: they become RESHAPE, which costs nothing where memory is planned.

Converters leave many of them behind, as TRANSPOSE of an image with one channel.
"""

from __future__ import annotations

import math
from dataclasses import replace

from mcu_harness.model.graph import Attribute, Graph, Layer
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.rearranging import without_data
from mcu_harness.model.slices import picked


def without_idle_moves(graph: Graph) -> Graph:
    """`graph` with RESHAPE instead; the output's shape says what its shape is."""
    return replace(graph, layers=tuple(_as_reshape(graph, layer) for layer in graph.layers))


def _as_reshape(graph: Graph, layer: Layer) -> Layer:
    if not _is_idle(graph, layer):
        return layer
    shape = graph.tensors[layer.outputs[0]].shape
    attributes: dict[str, Attribute] = {"new_shape": shape}
    merged = (*layer.merged, layer.place)
    return replace(layer, operator="RESHAPE", inputs=layer.inputs[:1], attributes=attributes, merged=merged)


def _is_idle(graph: Graph, layer: Layer) -> bool:
    source, result = (graph.tensors[index] for index in (layer.inputs[0], layer.outputs[0]))
    operation, view = Operation.of(graph, layer), OPERATORS[layer.operator].view
    if source.elements != result.elements or source.is_constant or source.is_state or result.is_state:
        return False
    if layer.operator in ("PAD", "PADV2"):
        return True
    if layer.operator == "CONCATENATION":
        return len(layer.inputs) == 1
    if layer.operator == "TRANSPOSE":
        moved = [axis % len(source.shape) for axis in operation.indices(1)]
        return sorted(order := [axis for axis in moved if source.shape[axis] > 1]) == order
    if layer.operator == "STRIDED_SLICE":
        return all(pick.step > 0 for pick in picked(operation).slices)
    if view is None:
        return False
    seen = view(operation, without_data(source.shape, 1))
    dense = [math.prod(seen.shape[axis + 1 :]) for axis in range(seen.ndim)]
    return all(size == 1 or step == one for size, step, one in zip(seen.shape, seen.strides, dense, strict=True))
