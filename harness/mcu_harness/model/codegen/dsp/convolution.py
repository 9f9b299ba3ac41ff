"""CONV_2D and DEPTHWISE_CONV_2D with dual multiplications: firmware/kernels/dsp."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.dsp import depthwise
from mcu_harness.model.codegen.dsp.steps import FACTOR, bias_constant, call, twice_rounded, words_of_halves
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.filters import filters_of
from mcu_harness.model.codegen.quantization import affine, dot_products
from mcu_harness.model.codegen.sliding_windows import Window, window_of
from mcu_harness.model.graph import Layer

_POSITIONS = 4  # MCU_CONV_2D_DSP_POSITIONS
_WORD = 4


def emit(layer: Layer, context: Context) -> LayerCode:
    filters = filters_of(layer, context)
    window = window_of(layer, context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0]), filters.size)
    if filters.multiplier:
        return depthwise.emit(layer, context, filters, window)
    return _convolution(layer, context, filters.values, window)


def pack(filters: npt.NDArray[np.int8]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """[n, taps] as [n, words] of mcu_conv_2d_dsp.h, and by how much that makes the 256-fold sums too large."""
    count, taps = filters.shape
    padded = np.zeros((count, -(-taps // 4) * 4), np.int64)
    padded[:, :taps] = filters
    even, odd = padded[:, 0::2], padded[:, 1::2]
    halves = odd + FACTOR * even
    words = words_of_halves(halves[:, 0::2], halves[:, 1::2])
    return words, 127 * odd.sum(axis=1)


def _convolution(layer: Layer, context: Context, values: npt.NDArray[np.int8], window: Window) -> LayerCode:
    steps = twice_rounded(layer, context, dot_products(layer, context, values))
    words, excess = pack(steps.filters)
    count = len(words)
    paired = np.zeros((count + count % 2, words.shape[1]), np.int32)
    paired[:count] = words
    bias = np.zeros(len(paired), np.int64)
    bias[:count] = FACTOR * steps.bias - excess
    members = (
        ("window", window.c_initializer()),
        ("filter", context.name("filter")),
        ("bias", context.name("bias")),
        ("steps", context.name("steps")),
        ("out_channels", str(count)),
        ("words", str(words.shape[1])),
        ("in_zero_point", str(affine(layer, context.tensor(layer.inputs[0])).zero_point)),
        *steps.members,
    )
    direct = window.channels % 4 == 0 and (window.width.dilation == 1 or window.width.kernel == 1)
    scratch = words.shape[1] * _WORD * (2 * _POSITIONS + (0 if direct else 1))
    return LayerCode(
        body=(call(context, layer, f"mcu_conv_2d_dsp{steps.variant}_s8"),),
        kernels=("dsp/conv_2d_s8.c",),
        constants=(
            Constant("filter", paired.reshape(-1, 2, words.shape[1]).transpose(0, 2, 1).reshape(-1)),
            bias_constant(bias),
        ),
        structs=(steps.table, Struct("struct mcu_conv_2d_dsp", "parameters", members)),
        scratch_bytes=scratch,
        raster_positions=_POSITIONS,
    )
