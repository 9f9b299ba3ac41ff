"""Multiply-accumulates of a layer: what TensorFlow's profiler counts too, the padded border included."""

from __future__ import annotations

import math
from collections.abc import Callable

from mcu_harness.model.graph import Graph, Layer
from mcu_harness.model.operation import Shape

# From the shapes of filter and output. Other operators multiply little and count as none.
_PER_OPERATOR: dict[str, Callable[[Shape, Shape], int]] = {
    "CONV_2D": lambda filter_, output: math.prod(output) * math.prod(filter_[1:]),
    "DEPTHWISE_CONV_2D": lambda filter_, output: math.prod(output) * filter_[1] * filter_[2],
    "FULLY_CONNECTED": lambda filter_, output: math.prod(output) * filter_[1],
}


def macs(graph: Graph, layer: Layer) -> int:
    """Multiply-accumulates for one inference of a validated layer."""
    if layer.operator == "TRANSPOSE_CONV":  # the convolution from its output to its input
        return math.prod(graph.tensors[layer.inputs[2]].shape) * math.prod(graph.tensors[layer.inputs[1]].shape[:3])
    count = _PER_OPERATOR.get(layer.operator)
    if count is None:
        return 0
    return count(graph.tensors[layer.inputs[1]].shape, graph.tensors[layer.outputs[0]].shape)
