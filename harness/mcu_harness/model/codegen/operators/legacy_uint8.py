"""Layers of models that were uint8: filters with a zero point, products of scales in float32, means rounded up at halves."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import CHANNELS, Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, number, unsupported
from mcu_harness.model.codegen.operators import fully_connected
from mcu_harness.model.codegen.operators.filters import Filters, filters_of
from mcu_harness.model.codegen.quantization import activation_range, affine, product_scales
from mcu_harness.model.codegen.sliding_windows import Window, window_of
from mcu_harness.model.graph import Layer
from mcu_harness.model.legacy_uint8 import FILTER_ZERO_POINT

_KERNEL = Kernel("mcu_conv_2d_offset_s8", "portable/conv_2d_offset_s8.c", "mcu_conv_2d_offset.h", helpers=CHANNELS[:1])
_POOL = Kernel("mcu_average_pool_2d_halves_up_s8", "portable/average_pool_2d_halves_up_s8.c", "mcu_pool_2d.h")
_LARGEST_SUM = 2**30


def emit_convolution(layer: Layer, context: Context) -> LayerCode:
    """CONV_2D and DEPTHWISE_CONV_2D."""
    filters = filters_of(layer, context)
    window = window_of(layer, context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0]), filters.size)
    return _products(layer, context, filters, window)


def _products(layer: Layer, context: Context, filters: Filters, window: Window) -> LayerCode:
    source, result = affine(layer, context.tensor(layer.inputs[0])), context.tensor(layer.outputs[0])
    channels, point = len(filters.values), int(number(layer, FILTER_ZERO_POINT, 0))
    bias = np.zeros(channels, np.int64)
    if len(layer.inputs) > 2 and layer.inputs[2] >= 0:
        data = context.tensor(layer.inputs[2]).data
        if data is None or data.size != channels:
            raise unsupported(layer, "its bias must be constant, one value an output")
        bias = data.reshape(-1).astype(np.int64)
    farthest = max(127 - source.zero_point, 128 + source.zero_point)
    reach = int((np.abs(filters.values.astype(np.int64) - point).sum(axis=1) * farthest + np.abs(bias)).max(initial=0))
    pairs = [quantize_multiplier(scale) for scale in product_scales(layer, context, channels)]
    if reach >= _LARGEST_SUM:
        raise unsupported(layer, f"its sums can reach {reach}")
    low, high = activation_range(layer, result)
    constants = (
        Constant("filter", filters.values),
        Constant("bias", bias.astype(np.int32)),
        Constant("multiplier", np.array([multiplier for multiplier, _ in pairs], np.int32)),
        Constant("right", np.array([-shift for _, shift in pairs], np.int8), 1),
    )
    outgoing = {
        **{constant.suffix: context.name(constant.suffix) for constant in constants[1:]},
        "channels": channels,
        "channel_step": int(len(pairs) > 1),
        "zero_point": affine(layer, result).zero_point,
        "minimum": low,
        "maximum": high,
    }
    members = (
        ("window", window.c_initializer()),
        ("out", "{" + ", ".join(f".{name} = {value}" for name, value in outgoing.items()) + "}"),
        ("filter", context.name("filter")),
        ("in_zero_point", str(source.zero_point)),
        ("filter_zero_point", str(point)),
        ("depth", str(1 if filters.multiplier else window.channels)),
        ("multiplier", str(filters.multiplier)),
    )
    arguments = f"{context.write(result.index)}, {context.read(layer.inputs[0])}, &{context.name('parameters')}"
    structs = (Struct("struct mcu_conv_2d_offset", "parameters", members),)
    return LayerCode((f"{_KERNEL.function}({arguments});",), (_KERNEL,), constants, structs)


def emit_pool(layer: Layer, context: Context) -> LayerCode:
    """AVERAGE_POOL_2D."""
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    size = (int(number(layer, "filter_height")), int(number(layer, "filter_width")))
    low, high = activation_range(layer, result)
    members = (
        ("window", window_of(layer, source, result, size).c_initializer()),
        ("minimum", str(low)),
        ("maximum", str(high)),
    )
    arguments = f"{context.write(result.index)}, {context.read(source.index)}, &{context.name('parameters')}"
    structs = (Struct("struct mcu_pool_2d", "parameters", members),)
    return LayerCode((f"{_POOL.function}({arguments});",), (_POOL,), structs=structs)


LEGACY_EMITTERS = {
    "CONV_2D": emit_convolution,
    "DEPTHWISE_CONV_2D": emit_convolution,
    "FULLY_CONNECTED": fully_connected.emit_offset,
    "AVERAGE_POOL_2D": emit_pool,
}
