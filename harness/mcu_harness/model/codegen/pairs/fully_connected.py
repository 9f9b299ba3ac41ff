"""FULLY_CONNECTED for cores without the DSP extension, weights in words of four units: firmware/kernels/pairs/fully_connected_s8.c."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.fully_connected import filters_of
from mcu_harness.model.codegen.quantization import dot_products
from mcu_harness.model.codegen.steps import bias_constant, once_rounded
from mcu_harness.model.graph import Layer

_UNITS = 4  # that are computed at a time
_KERNEL = Kernel("mcu_fully_connected_pairs_s8", "pairs/fully_connected_s8.c", "mcu_fully_connected_pairs.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    filters = filters_of(layer, context)
    units, depth = filters.shape
    steps = once_rounded(layer, context, dot_products(layer, context, filters))
    padded = -(-units // _UNITS) * _UNITS
    stored = np.zeros((padded, depth), np.int8)
    stored[:units] = steps.filters
    bias = np.zeros(padded, np.int64)
    bias[:units] = steps.bias
    interleaved = stored.reshape(-1, _UNITS, depth).transpose(0, 2, 1)
    members = (
        ("filter", context.name("filter")),
        ("bias", context.name("bias")),
        ("steps", context.name("steps")),
        ("rows", str(context.tensor(layer.inputs[0]).elements // depth)),
        ("depth", str(depth)),
        ("units", str(units)),
        *steps.members,
    )
    pointers = f"{context.write(layer.outputs[0])}, {context.read(layer.inputs[0])}, &{context.name('parameters')}"
    return LayerCode(
        body=(f"mcu_fully_connected_pairs{steps.variant}_s8({pointers});",),
        kernels=(_KERNEL,),
        constants=(Constant("filter", np.ascontiguousarray(interleaved)), bias_constant(bias)),
        structs=(steps.table, Struct("struct mcu_fully_connected_pairs", "parameters", members)),
    )
