"""REDUCE_MAX and REDUCE_MIN over any axes."""

from __future__ import annotations

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.mean import loop_fields
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.shapes import reduced_axes

_KERNELS = {
    "REDUCE_MAX": Kernel("mcu_reduce_max_s8", "portable/reduce_s8.c", "mcu_reduce.h"),
    "REDUCE_MIN": Kernel("mcu_reduce_min_s8", "portable/reduce_s8.c", "mcu_reduce.h"),
}


def emit(layer: Layer, context: Context) -> LayerCode:
    axes = reduced_axes(Operation.of(context.graph, layer))
    fields = loop_fields(layer, context.tensor(layer.inputs[0]).shape, axes)
    kernel, parameters = _KERNELS[layer.operator], Struct("struct mcu_reduce", "parameters", fields)
    arguments = f"{context.write(layer.outputs[0])}, {context.read(layer.inputs[0])}, &{context.name('parameters')}"
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), structs=(parameters,))


EMITTERS = {
    "REDUCE_MAX": emit,
    "REDUCE_MIN": emit,
}
