"""GATHER along one axis and EMBEDDING_LOOKUP; indices may be constant or computed."""

from __future__ import annotations

import math

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.movement import element_bytes
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation

_KERNEL = Kernel("mcu_gather", "portable/gather.c", "mcu_gather.h", helpers=("portable/copy.c",))


def emit(layer: Layer, context: Context) -> LayerCode:
    table, indices = (1, 0) if layer.operator == "EMBEDDING_LOOKUP" else (0, 1)
    source, chosen = (context.tensor(layer.inputs[position]) for position in (table, indices))
    axis = 0
    if layer.operator == "GATHER":
        axis = Operation.of(context.graph, layer).number("axis") % len(source.shape)
    numbers = {
        "blocks": math.prod(source.shape[:axis]),
        "count": chosen.elements,
        "size": source.shape[axis],
        "slice_bytes": math.prod(source.shape[axis + 1 :]) * element_bytes(context, source.index),
    }
    parameters = Struct(
        "struct mcu_gather", "parameters", tuple((name, f"{value}u") for name, value in numbers.items())
    )
    data, data_constants = context.operand(source.index, "input")
    places, place_constants = context.operand(chosen.index, "indices")
    call = f"{_KERNEL.function}({context.write(layer.outputs[0])}, {data}, {places}, &{context.name('parameters')});"
    return LayerCode((call,), (_KERNEL,), (*data_constants, *place_constants), (parameters,))


EMITTERS = {
    "GATHER": emit,
    "EMBEDDING_LOOKUP": emit,
}
