"""Functions of one byte as one table: operators that are one by nature, those that one of two operands is always the same for, and rows of them.

Networks that spell out a hard swish (add three, limit, divide by six) become a table and a product.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.layer import Context, NoPlan
from mcu_harness.model.codegen.operators.lookup import TABLE, table_of
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import BYTE_RANGES, Graph, Layer
from mcu_harness.model.simplify.spans import LOOKUPS, RULES, Span

_BINARY = ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM")


def with_tables(graph: Graph) -> Graph:
    """`graph` with a table for each such layer or row of layers; a value that something else reads too is kept."""
    layers, readers = [_as_table(graph, layer) for layer in graph.layers], graph.readers
    makers = {layer.outputs[0]: layer.index for layer in layers}
    gone: set[int] = set()
    for layer in layers.copy():
        source = layer.inputs[0] if _is_table(layer) else -1
        if source not in makers or source in graph.outputs or len(readers[source]) > 1:
            continue
        first = layers[makers[source]]
        tables = _table(graph, first), _table(graph, layer)
        if tables[0] is None or tables[1] is None:
            continue
        layers[layer.index] = replace(
            layer,
            inputs=first.inputs,
            attributes={**layer.attributes, TABLE: _stored(tables[1][tables[0]])},
            merged=(*first.merged, first.place, *layer.merged),
        )
        gone.add(first.index)
    kept = (layer for layer in layers if layer.index not in gone)
    return replace(graph, layers=tuple(replace(layer, index=index) for index, layer in enumerate(kept)))


def _is_table(layer: Layer) -> bool:
    return layer.operator in LOOKUPS or TABLE in layer.attributes


def _stored(table: npt.NDArray[np.uint8]) -> tuple[int, ...]:
    return tuple(int(value) for value in table)


def _table(graph: Graph, layer: Layer) -> npt.NDArray[np.uint8] | None:
    """uint8 [256] as `lookup.table_of`; None for a layer that is no table."""
    if not _is_table(layer):
        return None
    source, result = graph.tensors[layer.inputs[0]], graph.tensors[layer.outputs[0]]
    if source.dtype not in BYTE_RANGES or result.dtype not in BYTE_RANGES or source.is_constant:
        return None
    try:
        kinds = ((affine(layer, source), source.dtype), (affine(layer, result), result.dtype))
        return table_of(layer.operator, *kinds, tuple(sorted(layer.attributes.items())))
    except (ModelError, ValueError):
        return None  # whoever makes C of it says why that cannot be done


def _as_table(graph: Graph, layer: Layer) -> Layer:
    """`layer` with its table, if it is an operator of two operands of which one is the same value everywhere."""
    if layer.operator not in _BINARY:
        return layer
    operands, result = [graph.tensors[index] for index in layer.inputs], graph.tensors[layer.outputs[0]]
    varying = [tensor for tensor in operands if tensor.data is None]
    fixed = [tensor.data for tensor in operands if tensor.data is not None]
    if len(varying) != 1 or varying[0].elements != result.elements or (fixed[0] != fixed[0].reshape(-1)[0]).any():
        return layer
    if any(tensor.dtype != "int8" for tensor in (*operands, result)):
        return layer
    every, value = np.arange(-128, 128), fixed[0].reshape(-1)[:1].astype(np.int64)
    small = tuple(
        replace(tensor, index=index, shape=(1,) if tensor.is_constant else (256,))
        for index, tensor in enumerate((*operands, result))
    )
    alone = replace(layer, inputs=(0, 1), outputs=(2,))
    spans = {x.index: Span(value, value) if x.is_constant else Span(every, every) for x in small[:2]}
    try:
        found = RULES[layer.operator](alone, Context(replace(graph, tensors=small), alone, NoPlan()), spans)
    except (ModelError, ValueError):
        return layer
    table = np.zeros(256, np.uint8)
    table[every & 255] = found.clipped(-128, 127).least & 255
    return replace(layer, inputs=(varying[0].index,), attributes={**layer.attributes, TABLE: _stored(table)})
