"""Takes an activation that only limits values into the layer that makes them, where both have the same scale and zero point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mcu_harness.model.codegen.operators.lookup import table_of
from mcu_harness.model.codegen.quantization import CLAMP, affine
from mcu_harness.model.graph import Graph, Layer

_ACTIVATIONS = ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1")
_MAKERS = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D"}
)


def without_activation_layers(graph: Graph) -> Graph:
    """`graph` with makers that limit their own outputs; a value that something else reads too stays as it is."""
    layers, readers = list(graph.layers), graph.readers
    makers = {layer.outputs[0]: layer.index for layer in layers if layer.operator in _MAKERS}
    gone: set[int] = set()
    for layer in graph.layers:
        source = layer.inputs[0] if layer.operator in _ACTIVATIONS else -1
        if source not in makers or source in graph.outputs or len(readers[source]) > 1:
            continue
        limits = _limits(graph, layer)
        if limits is None:
            continue
        maker = layers[makers[source]]
        before = maker.attributes.get(CLAMP, (-128, 127))
        assert isinstance(before, tuple)
        low, high = (min(max(end, limits[0]), limits[1]) for end in before)
        layers[maker.index] = replace(
            maker,
            outputs=layer.outputs,
            attributes={**maker.attributes, CLAMP: (low, high)},
            merged=(*maker.merged, layer.place, *layer.merged),
        )
        makers[layer.outputs[0]] = maker.index
        gone.add(layer.index)
    kept = (layer for layer in layers if layer.index not in gone)
    return replace(graph, layers=tuple(replace(layer, index=index) for index, layer in enumerate(kept)))


def _limits(graph: Graph, layer: Layer) -> tuple[int, int] | None:
    """What values are limited to; None for an activation that does something else, as to scale them."""
    source, result = graph.tensors[layer.inputs[0]], graph.tensors[layer.outputs[0]]
    if source.dtype != "int8" or result.dtype != "int8" or source.quantization != result.quantization:
        return None
    kind = (affine(layer, source), "int8")
    stored = table_of(layer.operator, kind, kind, tuple(sorted(layer.attributes.items())))
    values = np.arange(-128, 128)
    outputs = stored[values & 255].view(np.int8).astype(np.int64)
    low, high = int(outputs.min()), int(outputs.max())
    return (low, high) if np.array_equal(outputs, np.clip(values, low, high)) else None
