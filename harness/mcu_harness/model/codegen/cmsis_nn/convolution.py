"""CONV_2D and DEPTHWISE_CONV_2D: arm_convolve_wrapper_s8 and arm_depthwise_conv_wrapper_s8.

Scratch is what the library's arm_*_get_buffer_size say, in the versions from 4.1 to 7.0 (ConvolutionFunctions/*get_buffer_sizes_s8.c, for
cores without Helium).
"""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.cmsis_nn.calls import (
    Call,
    activation,
    bias_of,
    dims,
    dims_of,
    filter_arguments,
    input_offset,
    output_offset,
    per_channel,
    window_members,
)
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.filters import filters_of
from mcu_harness.model.codegen.quantization import dot_products
from mcu_harness.model.codegen.sliding_windows import Window, window_of
from mcu_harness.model.graph import Layer

_HALF = 2  # bytes of an int16_t
_COLUMNS = 2  # that arm_convolve_s8 lays out at a time


def emit_with(layer: Layer, context: Context, *, has_dsp: bool) -> LayerCode:
    depthwise = layer.operator == "DEPTHWISE_CONV_2D"
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    filters = filters_of(layer, context)
    window = window_of(layer, source, result, filters.size)
    sums = dot_products(layer, context, filters.values)
    multiplier, shift = sums.multipliers(layer)
    quantization, scales = per_channel(context, multiplier, shift.astype(np.int32), len(filters.values))
    bias, biases = bias_of(layer, context)
    weights = context.tensor(layer.inputs[1])
    stored = weights.data.astype(np.int8) if weights.data is not None else filters.values
    outputs = len(filters.values)
    members = (
        ("input_offset", input_offset(layer, context)),
        ("output_offset", output_offset(layer, context)),
        *((("ch_mult", str(outputs // window.channels)),) if depthwise else ()),
        *window_members(window, dilated=True),
        ("activation", activation(layer, context)),
    )
    shape = {"h": window.height.kernel, "w": window.width.kernel}
    filter_dims = (
        dims("filter_dims", c=outputs, **shape)
        if depthwise
        else dims("filter_dims", outputs, c=window.channels, **shape)
    )
    structs = (
        Struct(f"cmsis_nn_{'dw_' if depthwise else ''}conv_params", "parameters", members),
        quantization,
        dims_of("input_dims", source),
        filter_dims,
        dims("bias_dims", c=outputs),
        dims_of("output_dims", result),
    )
    needed = _depthwise_scratch(window, outputs, has_dsp=has_dsp) if depthwise else _scratch(window)
    return Call(
        "arm_depthwise_conv_wrapper_s8" if depthwise else "arm_convolve_wrapper_s8",
        filter_arguments(layer, context, bias),
        structs,
        (Constant("filter", stored), *biases, *scales),
        (needed, ("&parameters", "&input_dims", "&filter_dims", "&output_dims")),
    ).code(context)


def _scratch(window: Window) -> int:
    """arm_convolve_wrapper_s8_get_buffer_size: columns of int16, none for windows of one position."""
    h, w = window.height, window.width
    one = window.taps == 1 and h.padding == w.padding == 0 and h.dilation == w.dilation == 1
    return 0 if one else _COLUMNS * _HALF * (-(-window.taps * window.channels // 4) * 4)


def _depthwise_scratch(window: Window, outputs: int, *, has_dsp: bool) -> int:
    """arm_depthwise_conv_wrapper_s8_get_buffer_size: for cores with the DSP extension, the window as int16."""
    h, w = window.height, window.width
    plain = outputs == window.channels and window.batches == 1 and h.dilation == w.dilation == 1
    three = h.kernel == w.kernel == 3 and h.padding <= 1 and w.padding <= 1
    return window.taps * window.channels * _HALF if plain and has_dsp and not three else 0
