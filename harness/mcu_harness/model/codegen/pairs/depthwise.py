"""DEPTHWISE_CONV_2D with two products a multiplication: firmware/kernels/pairs/depthwise_conv_2d_s8.c."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.image_lines import c_axis, turn_lines, turn_of
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, Unsuited
from mcu_harness.model.codegen.operators.filters import Filters
from mcu_harness.model.codegen.quantization import affine, dot_products
from mcu_harness.model.codegen.sliding_windows import Axis, Window
from mcu_harness.model.codegen.steps import bias_constant, call, twice_rounded
from mcu_harness.model.graph import Layer

_WORD = 4
_KERNEL = Kernel("mcu_depthwise_conv_2d_pairs_s8", "pairs/depthwise_conv_2d_s8.c", "mcu_depthwise_conv_2d_pairs.h")


def emit(layer: Layer, context: Context, filters: Filters, window: Window) -> LayerCode:
    height, width = window.height, window.width
    if height.dilation > 1 or width.dilation > 1:
        raise Unsuited("dilated")
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    in_place = source.shape == result.shape
    by_rows = not in_place or _pairs(width) * height.out <= _pairs(height) * width.out
    lines, along = (height, width) if by_rows else (width, height)
    steps = twice_rounded(layer, context, dot_products(layer, context, filters.values))
    pitch = max((2 * _pairs(along) - 1) * along.stride + along.kernel, along.padding + 1)
    turn = turn_of(lines, pitch * _WORD, result.nbytes)
    taps = steps.filters.reshape(-1, height.kernel, width.kernel)
    if not by_rows:
        taps = np.ascontiguousarray(taps.transpose(0, 2, 1))
    members = (
        ("lines", c_axis(lines, window, filters, by_rows)),
        ("along", c_axis(along, window, filters, not by_rows)),
        ("filter", context.name("filter")),
        ("bias", context.name("bias")),
        ("steps", context.name("steps")),
        ("batches", str(window.batches)),
        ("in_channels", str(window.channels)),
        ("multiplier", str(filters.multiplier)),
        ("turn", str(turn)),
        ("turn_lines", str(turn_lines(lines, turn))),
        ("pitch", str(pitch)),
        ("by_lines", str(int(not in_place))),
        ("in_zero_point", str(affine(layer, source).zero_point)),
        *steps.members,
    )
    return LayerCode(
        body=(call(context, layer, f"mcu_depthwise_conv_2d_pairs{steps.variant}_s8"),),
        kernels=(_KERNEL,),
        constants=(Constant("filter", taps, 1), bias_constant(steps.bias)),
        structs=(steps.table, Struct("struct mcu_depthwise_conv_2d_pairs", "parameters", members)),
        scratch_bytes=(taps[0].size + turn_lines(lines, turn) * pitch) * _WORD,
        raster_positions=0 if in_place else turn * width.out,
        in_place=(0,) if in_place else (),
    )


def _pairs(along: Axis) -> int:
    """Pairs of outputs of one line."""
    return -(-along.out // 2)
