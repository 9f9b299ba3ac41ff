"""REDUCE_MAX and REDUCE_MIN over any axes."""

from __future__ import annotations

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.mean import loop_fields
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.shapes import reduced_axes

_KERNELS = {  # by what is reduced to, and the type
    (name, dtype): Kernel(f"mcu_{name.lower()}_s{bits}", f"portable/reduce_s{bits}.c", "mcu_reduce.h")
    for name in ("REDUCE_MAX", "REDUCE_MIN")
    for dtype, bits in (("int8", 8), ("int16", 16))
}


def emit(layer: Layer, context: Context) -> LayerCode:
    axes = reduced_axes(Operation.of(context.graph, layer))
    source = context.tensor(layer.inputs[0])
    fields = loop_fields(layer, source.shape, axes)
    kernel, parameters = _KERNELS[layer.operator, source.dtype], Struct("struct mcu_reduce", "parameters", fields)
    arguments = f"{context.write(layer.outputs[0])}, {context.read(source.index)}, &{context.name('parameters')}"
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), structs=(parameters,))


EMITTERS = {
    "REDUCE_MAX": emit,
    "REDUCE_MIN": emit,
}
