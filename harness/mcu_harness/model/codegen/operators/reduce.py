"""REDUCE_MAX and REDUCE_MIN over any axes."""

from __future__ import annotations

from mcu_harness.model.codegen.layer import Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.mean import loop_fields
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.shapes import reduced_axes


def emit(layer: Layer, context: Context) -> LayerCode:
    axes = reduced_axes(Operation.of(context.graph, layer))
    fields = loop_fields(layer, context.tensor(layer.inputs[0]).shape, axes)
    kernel, parameters = context.kernel(layer.operator.lower()), Struct("struct mcu_reduce", "parameters", fields)
    arguments = f"{context.write(layer.outputs[0])}, {context.read(layer.inputs[0])}, &{context.name('parameters')}"
    return LayerCode((f"{kernel.function}({arguments});",), kernel.files, structs=(parameters,))
