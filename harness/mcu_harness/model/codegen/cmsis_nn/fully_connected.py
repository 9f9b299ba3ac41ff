"""FULLY_CONNECTED: arm_fully_connected_s8, and arm_fully_connected_per_channel_s8 (since 7.0) where every unit has a scale of its own.

LiteRT rounds these sums once. The files in which the library does are compiled with its own switch CMSIS_NN_USE_SINGLE_ROUNDING
(`mcu_harness.image.toolchain`), which rounds as `OnceMultiplier` does, so that one that is searched gives the same outputs.
"""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.cmsis_nn.calls import (
    Call,
    activation,
    bias_of,
    dims,
    filter_arguments,
    input_offset,
    output_offset,
    per_channel,
)
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, Unsuited
from mcu_harness.model.codegen.operators.fully_connected import filters_of
from mcu_harness.model.codegen.quantization import activation_range, affine, dot_products
from mcu_harness.model.codegen.single_rounding import once_multiplier
from mcu_harness.model.graph import Layer


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    filters = filters_of(layer, context)
    units, depth = filters.shape
    sums = dot_products(layer, context, filters)
    low, high = activation_range(layer, result)
    zero_point = affine(layer, result).zero_point
    reaches = sums.reach.tolist() if len(sums.scales) > 1 else [int(sums.reach.max(initial=0))]
    rounding = [
        once_multiplier(scale, reach, low - zero_point, high - zero_point)
        for scale, reach in zip(sums.scales, reaches, strict=True)
    ]
    multiplier = np.array([one.multiplier for one in rounding], np.int32)
    shift = np.array([one.left - 1 - one.right for one in rounding], np.int32)
    if (abs(shift) > 30).any():
        raise Unsuited("scales so far from 1 that its rounding does not reach them")
    bias, constants = bias_of(layer, context)
    constants = (Constant("filter", filters), *constants)
    if len(rounding) > 1:
        function = "arm_fully_connected_per_channel_s8"
        quantization, scales = per_channel(context, multiplier, shift, units)
        constants = (*constants, *scales)
    else:
        function = "arm_fully_connected_s8"
        numbers = (("multiplier", str(multiplier[0])), ("shift", str(shift[0])))
        quantization = Struct("cmsis_nn_per_tensor_quant_params", "quantization", numbers)
    rows = source.elements // depth
    members = (
        ("input_offset", input_offset(layer, context)),
        ("filter_offset", "0"),
        ("output_offset", output_offset(layer, context)),
        ("activation", activation(layer, context)),
    )
    structs = (
        Struct("cmsis_nn_fc_params", "parameters", members),
        quantization,
        dims("input_dims", rows, c=depth),
        dims("filter_dims", depth, c=units),
        dims("bias_dims", c=units),
        dims("output_dims", rows, c=units),
    )
    return Call(function, filter_arguments(layer, context, bias), structs, constants).code(context)
