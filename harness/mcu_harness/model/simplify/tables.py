"""Functions of one byte, one after the other, are one function: both tables become one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.operators.lookup import TABLE, table_of
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import BYTE_RANGES, Graph, Layer
from mcu_harness.model.simplify.spans import LOOKUPS


def with_joined_tables(graph: Graph) -> Graph:
    """`graph` with the last layer of each such row computing all of it; a value that something else reads too is kept."""
    layers, readers = list(graph.layers), graph.readers
    makers = {layer.outputs[0]: layer.index for layer in layers}
    gone: set[int] = set()
    for layer in graph.layers:
        source = layer.inputs[0] if layer.operator in LOOKUPS else -1
        if source not in makers or source in graph.outputs or len(readers[source]) > 1:
            continue
        first = layers[makers[source]]
        tables = _table(graph, first), _table(graph, layer)
        if first.index in gone or tables[0] is None or tables[1] is None:
            continue
        joined = tuple(int(value) for value in tables[1][tables[0]])
        layers[layer.index] = replace(
            layer,
            inputs=first.inputs,
            attributes={**layer.attributes, TABLE: joined},
            merged=(*first.merged, first.place, *layer.merged),
        )
        gone.add(first.index)
    kept = (layer for layer in layers if layer.index not in gone)
    return replace(graph, layers=tuple(replace(layer, index=index) for index, layer in enumerate(kept)))


def _table(graph: Graph, layer: Layer) -> npt.NDArray[np.uint8] | None:
    """None for a layer that is no table."""
    if layer.operator not in LOOKUPS:
        return None
    source, result = graph.tensors[layer.inputs[0]], graph.tensors[layer.outputs[0]]
    if source.dtype not in BYTE_RANGES or result.dtype not in BYTE_RANGES or source.is_constant:
        return None
    try:
        kinds = ((affine(layer, source), source.dtype), (affine(layer, result), result.dtype))
        return table_of(layer.operator, *kinds, tuple(sorted(layer.attributes.items())))
    except (ModelError, ValueError):
        return None  # whoever makes C of it says why that cannot be done
