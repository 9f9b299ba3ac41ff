"""ARG_MAX and ARG_MIN along one axis."""

from __future__ import annotations

import math

from mcu_harness.model.codegen.layer import Context, LayerCode, Struct
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation


def emit(layer: Layer, context: Context) -> LayerCode:
    source = context.tensor(layer.inputs[0])
    axis = Operation.of(context.graph, layer).indices(1)[0] % len(source.shape)
    fields = (
        ("outer", f"{math.prod(source.shape[:axis])}u"),
        ("size", f"{source.shape[axis]}u"),
        ("inner", f"{math.prod(source.shape[axis + 1 :])}u"),
        ("flip", "1" if layer.operator == "ARG_MAX" else "-1"),
    )
    kernel, parameters = context.kernel("arg_extremum"), Struct("struct mcu_arg_extremum", "parameters", fields)
    arguments = f"{context.write(layer.outputs[0])}, {context.read(source.index)}, &{context.name('parameters')}"
    return LayerCode((f"{kernel.function}({arguments});",), kernel.files, structs=(parameters,))
