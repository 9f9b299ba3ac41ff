"""SPLIT: equal parts along one axis, each an output of its own."""

from __future__ import annotations

import math

from mcu_harness.model.codegen.layer import Context, LayerCode
from mcu_harness.model.codegen.operators.movement import copy_tensor, element_bytes, joined
from mcu_harness.model.codegen.strided_copy import Loop, strided_copy
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation


def emit(layer: Layer, context: Context) -> LayerCode:
    source = layer.inputs[1]
    shape, size = context.tensor(source).shape, element_bytes(context, source)
    axis = Operation.of(context.graph, layer).indices(0)[0] % len(shape)
    row_bytes = math.prod(shape[axis:]) * size
    part_bytes = row_bytes // len(layer.outputs)
    rows = [Loop(math.prod(shape[:axis]), part_bytes, row_bytes), Loop(part_bytes, 1, 1)]
    return joined(
        copy_tensor(context, strided_copy(rows, 1, source_offset=part * part_bytes), result, source, f"_{part}")
        for part, result in enumerate(layer.outputs)
    )


EMITTERS = {
    "SPLIT": emit,
}
