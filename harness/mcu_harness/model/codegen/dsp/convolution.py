"""CONV_2D and DEPTHWISE_CONV_2D with dual multiplications: firmware/kernels/dsp."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.dsp import depthwise
from mcu_harness.model.codegen.dsp.packing import grouped_bias, pack
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.filters import filters_of
from mcu_harness.model.codegen.quantization import affine, dot_products
from mcu_harness.model.codegen.sliding_windows import Window, window_of
from mcu_harness.model.codegen.steps import bias_constant, call, twice_rounded
from mcu_harness.model.graph import Layer

_POSITIONS = 4  # MCU_CONV_2D_DSP_POSITIONS
_CHANNELS = 2  # that are computed at a time
_WORD = 4
_KERNEL = Kernel("mcu_conv_2d_dsp_s8", "dsp/conv_2d_s8.c", "mcu_conv_2d_dsp.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    filters = filters_of(layer, context)
    window = window_of(layer, context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0]), filters.size)
    if filters.multiplier:
        return depthwise.emit(layer, context, filters, window)
    return _convolution(layer, context, filters.values, window)


def _convolution(layer: Layer, context: Context, values: npt.NDArray[np.int8], window: Window) -> LayerCode:
    steps = twice_rounded(layer, context, dot_products(layer, context, values))
    filters, excess = pack(steps.filters, _CHANNELS)
    words = filters.shape[1]
    members = (
        ("window", window.c_initializer()),
        ("filter", context.name("filter")),
        ("bias", context.name("bias")),
        ("steps", context.name("steps")),
        ("out_channels", str(len(values))),
        ("words", str(words)),
        ("in_zero_point", str(affine(layer, context.tensor(layer.inputs[0])).zero_point)),
        *steps.members,
    )
    direct = window.channels % 4 == 0 and (window.width.dilation == 1 or window.width.kernel == 1)
    scratch = words * _WORD * (2 * _POSITIONS + (0 if direct else 1))
    return LayerCode(
        body=(call(context, layer, f"mcu_conv_2d_dsp{steps.variant}_s8"),),
        kernels=(_KERNEL,),
        constants=(Constant("filter", filters), bias_constant(grouped_bias(steps.bias, excess))),
        structs=(steps.table, Struct("struct mcu_conv_2d_dsp", "parameters", members)),
        scratch_bytes=scratch,
        raster_positions=_POSITIONS,
    )
