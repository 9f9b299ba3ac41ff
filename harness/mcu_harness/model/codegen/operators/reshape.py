"""RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes under another shape; nothing to do when planned in place."""

from __future__ import annotations

from mcu_harness.model.codegen.layer import Context, LayerCode
from mcu_harness.model.codegen.operators.movement import COPY
from mcu_harness.model.graph import Layer


def emit(layer: Layer, context: Context) -> LayerCode:
    """The second input (the shape, or the axis) is not read: the output tensor has the shape."""
    source, result = layer.inputs[0], layer.outputs[0]
    if not context.tensor(source).is_constant and context.same_place(source, result):
        return LayerCode(body=())
    return emit_copy(layer, context)


def emit_copy(layer: Layer, context: Context) -> LayerCode:
    """READ_VARIABLE and ASSIGN_VARIABLE too: from or to a state."""
    source, result = layer.inputs[0], layer.outputs[0]
    pointer, constants = context.operand(source, "input")
    nbytes = context.tensor(result).nbytes
    return LayerCode(
        body=(f"{COPY.function}({context.write(result)}, {pointer}, {nbytes}u);",),
        kernels=(COPY,),
        constants=constants,
    )


EMITTERS = {
    "RESHAPE": emit,
    "SQUEEZE": emit,
    "EXPAND_DIMS": emit,
    "READ_VARIABLE": emit_copy,
    "ASSIGN_VARIABLE": emit_copy,
}
