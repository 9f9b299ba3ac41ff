"""GATHER along one axis, GATHER_ND and EMBEDDING_LOOKUP; indices may be constant or computed."""

from __future__ import annotations

import math

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.movement import element_bytes
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation

_KERNEL = Kernel("mcu_gather", "portable/gather.c", "mcu_gather.h", helpers=("portable/copy.c",))

_KERNEL_ND = Kernel("mcu_gather_nd", "portable/gather_nd.c", "mcu_gather_nd.h", helpers=("portable/copy.c",))


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


def emit_nd(layer: Layer, context: Context) -> LayerCode:
    source, chosen = (context.tensor(index) for index in layer.inputs)
    axes = chosen.shape[-1]
    members = (
        ("count", f"{chosen.elements // axes}u"),
        ("axes", f"{axes}u"),
        ("sizes", "{" + ", ".join(f"{size}u" for size in source.shape[:axes]) + "}"),
        ("slice_bytes", f"{math.prod(source.shape[axes:]) * element_bytes(context, source.index)}u"),
    )
    data, data_constants = context.operand(source.index, "input")
    places, place_constants = context.operand(chosen.index, "indices")
    call = f"{_KERNEL_ND.function}({context.write(layer.outputs[0])}, {data}, {places}, &{context.name('parameters')});"
    structs = (Struct("struct mcu_gather_nd", "parameters", members),)
    return LayerCode((call,), (_KERNEL_ND,), (*data_constants, *place_constants), structs)


EMITTERS = {
    "GATHER_ND": emit_nd,
    "GATHER": emit,
    "EMBEDDING_LOOKUP": emit,
}
