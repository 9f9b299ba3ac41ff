"""ARG_MAX and ARG_MIN along one axis."""

from __future__ import annotations

import math

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation

_KERNELS = {  # by the type of places
    "int32": Kernel("mcu_arg_extremum_s8", "portable/arg_extremum_s8.c", "mcu_arg_extremum.h"),
    "int64": Kernel("mcu_arg_extremum_s8_s64", "portable/arg_extremum_s8_s64.c", "mcu_arg_extremum.h"),
}


def emit(layer: Layer, context: Context) -> LayerCode:
    source = context.tensor(layer.inputs[0])
    axis = Operation.of(context.graph, layer).indices(1)[0] % len(source.shape)
    fields = (
        ("outer", f"{math.prod(source.shape[:axis])}u"),
        ("size", f"{source.shape[axis]}u"),
        ("inner", f"{math.prod(source.shape[axis + 1 :])}u"),
        ("flip", "1" if layer.operator == "ARG_MAX" else "-1"),
    )
    kernel = _KERNELS[context.tensor(layer.outputs[0]).dtype]
    parameters = Struct("struct mcu_arg_extremum", "parameters", fields)
    arguments = f"{context.write(layer.outputs[0])}, {context.read(source.index)}, &{context.name('parameters')}"
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), structs=(parameters,))


EMITTERS = {
    "ARG_MAX": emit,
    "ARG_MIN": emit,
}
