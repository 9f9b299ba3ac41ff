"""CONV_2D and DEPTHWISE_CONV_2D."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.model.codegen.kernel import CHANNELS, Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct
from mcu_harness.model.codegen.layouts import as_stored, groups_of_four
from mcu_harness.model.codegen.operators.filters import Filters, filters_of
from mcu_harness.model.codegen.quantization import Sums, activation_range, affine, dot_products
from mcu_harness.model.codegen.sliding_windows import Window, window_of
from mcu_harness.model.graph import Layer

_TAP_BYTES = 4  # an int32_t offset

_CONV_2D = Kernel("mcu_conv_2d_s8", "portable/conv_2d_s8.c", "mcu_conv_2d.h", groups_of_four, CHANNELS, 1)
_DEPTHWISE = Kernel(
    "mcu_depthwise_conv_2d_s8", "portable/depthwise_conv_2d_s8.c", "mcu_conv_2d.h", groups_of_four, CHANNELS, 1
)
_DEPTHWISE_MULTIPLIER = replace(_DEPTHWISE, layout=as_stored)


def emit(layer: Layer, context: Context) -> LayerCode:
    filters = filters_of(layer, context)
    return _depthwise(layer, context, filters) if filters.multiplier else _convolution(layer, context, filters)


def _depthwise(layer: Layer, context: Context, filters: Filters) -> LayerCode:
    channels = context.tensor(layer.inputs[0]).shape[3]
    window = window_of(layer, context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0]), filters.size)
    kernel = _DEPTHWISE if filters.multiplier == 1 else _DEPTHWISE_MULTIPLIER
    sums = dot_products(layer, context, filters.values)
    members, constants = _members(layer, context, window, sums)
    parameters = Struct(
        "struct mcu_depthwise_conv_2d", "parameters", (*members, ("multiplier", str(filters.multiplier)))
    )
    arguments = (
        context.write(layer.outputs[0]),
        context.read(layer.inputs[0]),
        f"&{context.name('parameters')}",
        context.scratch,
    )
    return LayerCode(
        body=(f"{kernel.function}({', '.join(arguments)});",),
        kernels=(kernel,),
        constants=(Constant("filter", kernel.layout(filters.values)), *constants),
        structs=(parameters,),
        scratch_bytes=_TAP_BYTES * window.taps + channels,
        raster_positions=kernel.raster_positions,
    )


def _convolution(layer: Layer, context: Context, filters: Filters) -> LayerCode:
    window = window_of(layer, context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0]), filters.size)
    kernel = _CONV_2D
    sums = dot_products(layer, context, filters.values)
    members, constants = _members(layer, context, window, sums)
    patch = f"(int8_t *){context.scratch}"
    arguments = (
        context.write(layer.outputs[0]),
        context.read(layer.inputs[0]),
        f"&{context.name('parameters')}",
        "0" if window.unbroken else patch,
    )
    return LayerCode(
        body=(f"{kernel.function}({', '.join(arguments)});",),
        kernels=(kernel,),
        constants=(Constant("filter", kernel.layout(filters.values)), *constants),
        structs=(Struct("struct mcu_conv_2d", "parameters", members),),
        scratch_bytes=0 if window.unbroken else filters.values.shape[1],
        raster_positions=kernel.raster_positions,
    )


def _members(
    layer: Layer, context: Context, window: Window, sums: Sums
) -> tuple[tuple[tuple[str, str], ...], tuple[Constant, ...]]:
    """What conv_2d and depthwise_conv_2d parameters share, and the constants they refer to."""
    low, high = activation_range(layer, context.tensor(layer.outputs[0]))
    multiplier, shift = sums.multipliers(layer)
    outgoing = {
        "bias": context.name("bias"),
        "multiplier": context.name("multiplier"),
        "right": context.name("right"),
        "channels": len(sums.filters),
        "channel_step": int(len(multiplier) > 1),
        "zero_point": affine(layer, context.tensor(layer.outputs[0])).zero_point,
        "minimum": low,
        "maximum": high,
    }
    members = (
        ("window", window.c_initializer()),
        ("out", "{" + ", ".join(f".{name} = {value}" for name, value in outgoing.items()) + "}"),
        ("filter", context.name("filter")),
        ("in_zero_point", str(affine(layer, context.tensor(layer.inputs[0])).zero_point)),
    )
    constants = (Constant("bias", sums.bias), Constant("multiplier", multiplier), Constant("right", -shift, 1))
    return members, constants


EMITTERS = {
    "CONV_2D": emit,
    "DEPTHWISE_CONV_2D": emit,
}
