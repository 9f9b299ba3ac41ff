"""CONV_2D and DEPTHWISE_CONV_2D with two products a multiplication: firmware/kernels/pairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, Unsuited
from mcu_harness.model.codegen.operators.filters import filters_of
from mcu_harness.model.codegen.pairs import depthwise
from mcu_harness.model.codegen.quantization import affine, dot_products
from mcu_harness.model.codegen.sliding_windows import Window, window_of
from mcu_harness.model.codegen.steps import bias_constant, call, twice_rounded
from mcu_harness.model.graph import Layer

_POSITIONS = 4  # MCU_CONV_2D_PAIRS_POSITIONS
_TAPS = 4  # that are computed at a time
_WORD = 4
_KERNEL = Kernel("mcu_conv_2d_pairs_s8", "pairs/conv_2d_s8.c", "mcu_conv_2d_pairs.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    filters = filters_of(layer, context)
    if (filters.values == -128).any():
        raise Unsuited("a weight of -128: the sum of two products could leave 16 bits")
    window = window_of(layer, context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0]), filters.size)
    if filters.multiplier:
        return depthwise.emit(layer, context, filters, window)
    return _convolution(layer, context, filters.values, window)


def _convolution(layer: Layer, context: Context, values: npt.NDArray[np.int8], window: Window) -> LayerCode:
    steps = twice_rounded(layer, context, dot_products(layer, context, values))
    channels, length = steps.filters.shape
    taps = -(-length // _TAPS) * _TAPS
    filters = np.zeros((channels, taps), np.int8)
    filters[:, :length] = steps.filters
    members = (
        ("window", window.c_initializer()),
        ("filter", context.name("filter")),
        ("bias", context.name("bias")),
        ("steps", context.name("steps")),
        ("out_channels", str(channels)),
        ("taps", str(taps)),
        ("in_zero_point", str(affine(layer, context.tensor(layer.inputs[0])).zero_point)),
        *steps.members,
    )
    return LayerCode(
        body=(call(context, layer, f"mcu_conv_2d_pairs{steps.variant}_s8"),),
        kernels=(_KERNEL,),
        constants=(Constant("filter", filters), bias_constant(steps.bias)),
        structs=(steps.table, Struct("struct mcu_conv_2d_pairs", "parameters", members)),
        scratch_bytes=taps * _POSITIONS // 2 * _WORD,
        raster_positions=_POSITIONS,
    )
