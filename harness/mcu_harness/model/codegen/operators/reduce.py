"""REDUCE_MAX, REDUCE_MIN, REDUCE_ANY and REDUCE_ALL over any axes."""

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


def emit_truths(layer: Layer, context: Context) -> LayerCode:
    """REDUCE_ANY and REDUCE_ALL: of 0 and 1 the largest and the smallest."""
    source = context.tensor(layer.inputs[0])
    fields = loop_fields(layer, source.shape, reduced_axes(Operation.of(context.graph, layer)))
    kernel = _KERNELS["REDUCE_MAX" if layer.operator == "REDUCE_ANY" else "REDUCE_MIN", "int8"]
    result, given = f"(int8_t *){context.write(layer.outputs[0])}", f"(const int8_t *){context.read(source.index)}"
    call = f"{kernel.function}({result}, {given}, &{context.name('parameters')});"
    return LayerCode((call,), (kernel,), structs=(Struct("struct mcu_reduce", "parameters", fields),))


EMITTERS = {
    "REDUCE_ANY": emit_truths,
    "REDUCE_ALL": emit_truths,
    "REDUCE_MAX": emit,
    "REDUCE_MIN": emit,
}
