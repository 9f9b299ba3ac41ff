"""STRIDED_SLICE: start, step and number of elements of every dimension are settled here, masks included."""

from __future__ import annotations

from mcu_harness.model.codegen.layer import Context, LayerCode
from mcu_harness.model.codegen.operators.movement import copy_tensor, element_bytes
from mcu_harness.model.codegen.strided_copy import Loop, row_major_steps, strided_copy
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation
from mcu_harness.model.slices import picked


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = layer.inputs[0], layer.outputs[0]
    shape, size = context.tensor(source).shape, element_bytes(context, source)
    picks = picked(Operation.of(context.graph, layer)).slices
    counts = [len(range(pick.start, pick.stop, pick.step)) for pick in picks]
    source_steps = row_major_steps(shape, size)
    # Dimensions of one element that the output lacks, or has in addition, do not change its steps.
    result_steps = row_major_steps(counts, size)
    loops = [
        Loop(count, result_step, pick.step * step)
        for count, result_step, pick, step in zip(counts, result_steps, picks, source_steps, strict=True)
    ]
    first = sum(pick.start * step for pick, step in zip(picks, source_steps, strict=True))
    return copy_tensor(context, strided_copy(loops, size, source_offset=first), result, source)


EMITTERS = {
    "STRIDED_SLICE": emit,
}
