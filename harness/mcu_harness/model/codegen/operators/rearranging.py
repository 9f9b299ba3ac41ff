"""Operators that only put elements elsewhere, each as one or more strided copies between views of input and output."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from mcu_harness.model.codegen.layer import Context, LayerCode
from mcu_harness.model.codegen.operators.movement import copy_tensor, element_bytes, joined
from mcu_harness.model.codegen.operators.pad import fill_code
from mcu_harness.model.codegen.strided_copy import Loop, StridedCopy, strided_copy
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation, View
from mcu_harness.model.operators.catalogue import OPERATORS
from mcu_harness.model.rearranging import blocked, without_data

Pair = tuple[View, View]


def emit_view(layer: Layer, context: Context) -> LayerCode:
    """SLICE, TILE, BROADCAST_TO, REVERSE_V2, DEPTH_TO_SPACE, SPACE_TO_DEPTH: the input's elements in another order."""
    result, source = _views(layer, context)
    view_of = OPERATORS[layer.operator].view
    assert view_of is not None  # or it had another emitter
    view = view_of(Operation.of(context.graph, layer), source)
    copy = _copy(result, source, result.reshape(view.shape), view)
    return copy_tensor(context, copy, layer.outputs[0], layer.inputs[0])


def emit_fill(layer: Layer, context: Context) -> LayerCode:
    """One value, computed before, for the whole output."""
    result, source = (
        without_data(context.tensor(i).shape, element_bytes(context, i)) for i in (layer.outputs[0], layer.inputs[1])
    )
    copy = _copy(result, source, result, np.broadcast_to(source.reshape(()), result.shape))
    return copy_tensor(context, copy, layer.outputs[0], layer.inputs[1])


def emit_batch_to_space(layer: Layer, context: Context) -> LayerCode:
    result, source = _views(layer, context)
    return _copies(layer, context, result, source, blocked(Operation.of(context.graph, layer), result, source))


def emit_space_to_batch(layer: Layer, context: Context) -> LayerCode:
    """Borders have the output's zero point, as in PAD."""
    result, source = _views(layer, context)
    pairs = [(batch, image) for image, batch in blocked(Operation.of(context.graph, layer), source, result)]
    code = _copies(layer, context, result, source, pairs)
    return code if result.size == source.size else joined([fill_code(layer, context), code])


def emit_mirror_pad(layer: Layer, context: Context) -> LayerCode:
    """Along every dimension the part before, the inside, and the part behind; one copy for each choice of parts."""
    result, source = _views(layer, context)
    operation = Operation.of(context.graph, layer)
    borders, skip = operation.indices(1), int(operation.attributes["mode"] == "REFLECT")
    parts: list[list[tuple[slice, slice]]] = []
    for axis, size in enumerate(source.shape):
        before, after = borders[2 * axis : 2 * axis + 2]
        inside = (slice(before, before + size), slice(None))
        mirrored = [
            (slice(0, before), _descending(before - 1 + skip, before)),
            (slice(before + size, None), _descending(size - 1 - skip, after)),
        ]
        parts.append([inside, *(part for part, count in zip(mirrored, (before, after), strict=True) if count)])
    pairs = [
        (result[tuple(to for to, _ in chosen)], source[tuple(start for _, start in chosen)])
        for chosen in itertools.product(*parts)
    ]
    return _copies(layer, context, result, source, pairs)


def _descending(start: int, count: int) -> slice:
    """`count` elements from `start` downwards."""
    stop = start - count
    return slice(start, stop if stop >= 0 else None, -1)


def emit_parts(layer: Layer, context: Context) -> LayerCode:
    """SPLIT_V and UNPACK: one output after the other along an axis."""
    operation = Operation.of(context.graph, layer)
    source_index = layer.inputs[0]
    source = without_data(context.tensor(source_index).shape, element_bytes(context, source_index))
    axis = operation.indices(2)[0] if layer.operator == "SPLIT_V" else operation.number("axis")
    axis %= source.ndim
    codes, first = [], 0
    for number, index in enumerate(layer.outputs):
        length = context.tensor(index).shape[axis] if layer.operator == "SPLIT_V" else 1
        part = np.moveaxis(source, axis, 0)[first : first + length]
        result = without_data(context.tensor(index).shape, source.itemsize).reshape(np.moveaxis(part, 0, axis).shape)
        copy = _copy(result, source, result, np.moveaxis(part, 0, axis))
        codes.append(copy_tensor(context, copy, index, source_index, f"_{number}"))
        first += length
    return joined(codes)


def emit_pack(layer: Layer, context: Context) -> LayerCode:
    """PACK: the inputs side by side along a new axis."""
    result = context.tensor(layer.outputs[0])
    whole = without_data(result.shape, element_bytes(context, result.index))
    axis = Operation.of(context.graph, layer).number("axis") % whole.ndim
    codes = []
    for number, index in enumerate(layer.inputs):
        source = without_data(context.tensor(index).shape, whole.itemsize)
        copy = _copy(whole, source, np.moveaxis(whole, axis, 0)[number], source)
        codes.append(copy_tensor(context, copy, result.index, index, f"_{number}"))
    return joined(codes)


def _views(layer: Layer, context: Context) -> Pair:
    result, source = (context.tensor(index) for index in (layer.outputs[0], layer.inputs[0]))
    size = element_bytes(context, source.index)
    return without_data(result.shape, size), without_data(source.shape, size)


def _copies(layer: Layer, context: Context, result: View, source: View, pairs: Sequence[Pair]) -> LayerCode:
    return joined(
        copy_tensor(context, _copy(result, source, to, start), layer.outputs[0], layer.inputs[0], f"_{number}")
        for number, (to, start) in enumerate(pairs)
    )


def _copy(result: View, source: View, to: View, start: View) -> StridedCopy:
    """From view `start` of `source` to view `to` of `result`, which have one shape."""
    loops = map(Loop, to.shape, to.strides, start.strides)
    return strided_copy(
        loops,
        result.itemsize,
        destination_offset=_address(to) - _address(result),
        source_offset=_address(start) - _address(source),
    )


def _address(view: View) -> int:
    return int(view.__array_interface__["data"][0])


EMITTERS = {
    **{name: emit_view for name, operator in OPERATORS.items() if operator.view},
    "FILL": emit_fill,
    "SPLIT_V": emit_parts,
    "UNPACK": emit_parts,
    "PACK": emit_pack,
    "SPACE_TO_BATCH_ND": emit_space_to_batch,
    "BATCH_TO_SPACE_ND": emit_batch_to_space,
    "MIRROR_PAD": emit_mirror_pad,
}
