"""CONCATENATION along any axis; inputs may be constants. All inputs have the output's quantisation: LiteRT demands it."""

from __future__ import annotations

import math

from mcu_harness.model.codegen.layer import Context, LayerCode, unsupported
from mcu_harness.model.codegen.operators.movement import copy_tensor, element_bytes, joined
from mcu_harness.model.codegen.strided_copy import Loop, strided_copy
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation


def emit(layer: Layer, context: Context) -> LayerCode:
    result = context.tensor(layer.outputs[0])
    attributes = Operation.of(context.graph, layer)
    if layer.attributes.get("fused_activation", "NONE") != "NONE":
        raise unsupported(
            layer, f"fused activation {layer.attributes['fused_activation']}, which LiteRT has not either"
        )
    axis, size = attributes.number("axis") % len(result.shape), element_bytes(context, result.index)
    result_row = math.prod(result.shape[axis:]) * size
    pieces, offset = [], 0
    for position, source in enumerate(layer.inputs):
        row = math.prod(context.tensor(source).shape[axis:]) * size
        loops = [Loop(math.prod(result.shape[:axis]), result_row, row), Loop(row, 1, 1)]
        copy = strided_copy(loops, 1, destination_offset=offset)
        pieces.append(copy_tensor(context, copy, result.index, source, f"_{position}"))
        offset += row
    return joined(pieces)


EMITTERS = {
    "CONCATENATION": emit,
}
