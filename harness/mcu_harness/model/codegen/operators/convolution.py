"""CONV_2D and DEPTHWISE_CONV_2D."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.quantization import Sums, activation_range, affine, dot_products
from mcu_harness.model.codegen.sliding_windows import Window, window_of
from mcu_harness.model.graph import Layer

_TAP_BYTES = 4  # an int32_t offset


def emit_conv_2d(layer: Layer, context: Context) -> LayerCode:
    filters = _filter(layer, context)
    outputs, height, width, channels = filters.shape
    if channels != context.tensor(layer.inputs[0]).shape[3]:
        raise unsupported(layer, f"its filter has {channels} input channels, its input more: groups are not supported")
    return _convolution(layer, context, filters.reshape(outputs, -1), (height, width))


def emit_depthwise_conv_2d(layer: Layer, context: Context) -> LayerCode:
    """Where the input has one channel only this is an ordinary convolution, and becomes one."""
    stored = _filter(layer, context)
    _, height, width, outputs = stored.shape
    channels = context.tensor(layer.inputs[0]).shape[3]
    filters = np.ascontiguousarray(stored.reshape(-1, outputs).T)
    if channels == 1:
        return _convolution(layer, context, filters, (height, width))
    if outputs % channels:
        raise unsupported(layer, f"{outputs} output channels are no multiple of {channels} input channels")
    window = window_of(layer, context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0]), (height, width))
    multiplier = outputs // channels
    kernel = context.kernel("depthwise_conv_2d" if multiplier == 1 else "depthwise_conv_2d_multiplier")
    sums = dot_products(layer, context, filters)
    members, constants = _members(layer, context, window, sums)
    parameters = Struct("struct mcu_depthwise_conv_2d", "parameters", (*members, ("multiplier", str(multiplier))))
    arguments = (
        context.write(layer.outputs[0]),
        context.read(layer.inputs[0]),
        f"&{context.name('parameters')}",
        context.scratch,
    )
    return LayerCode(
        body=(f"{kernel.function}({', '.join(arguments)});",),
        kernels=kernel.files,
        constants=(Constant("filter", kernel.layout(filters)), *constants),
        structs=(parameters,),
        scratch_bytes=_TAP_BYTES * window.taps + channels,
        raster_positions=kernel.raster_positions,
    )


def _convolution(layer: Layer, context: Context, filters: npt.NDArray[np.int8], size: tuple[int, int]) -> LayerCode:
    window = window_of(layer, context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0]), size)
    kernel = context.kernel("conv_2d")
    sums = dot_products(layer, context, filters)
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
        kernels=kernel.files,
        constants=(Constant("filter", kernel.layout(filters)), *constants),
        structs=(Struct("struct mcu_conv_2d", "parameters", members),),
        scratch_bytes=0 if window.unbroken else filters.shape[1],
        raster_positions=kernel.raster_positions,
    )


def _filter(layer: Layer, context: Context) -> npt.NDArray[np.int8]:
    tensor = context.tensor(layer.inputs[1])
    if tensor.data is None or tensor.dtype != "int8" or len(tensor.shape) != 4:
        raise unsupported(layer, f"filter {tensor.index} ({tensor.name!r}) must be constant int8 of four dimensions")
    return tensor.data.astype(np.int8).reshape(tensor.shape)


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
