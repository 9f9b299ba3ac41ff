"""TRANSPOSE: dimensions in another order, any rank that still has at most eight after merging, any element type."""

from __future__ import annotations

from mcu_harness.model.codegen.layer import Context, LayerCode
from mcu_harness.model.codegen.operators.movement import copy_tensor, element_bytes
from mcu_harness.model.codegen.strided_copy import Loop, row_major_steps, strided_copy
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = layer.inputs[0], layer.outputs[0]
    shape, size = context.tensor(source).shape, element_bytes(context, source)
    order = [axis % len(shape) for axis in Operation.of(context.graph, layer).indices(1)]
    source_steps = row_major_steps(shape, size)
    result_steps = row_major_steps(context.tensor(result).shape, size)
    loops = [Loop(shape[axis], step, source_steps[axis]) for axis, step in zip(order, result_steps, strict=True)]
    return copy_tensor(context, strided_copy(loops, size), result, source)


EMITTERS = {
    "TRANSPOSE": emit,
}
