"""FULLY_CONNECTED."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, number, unsupported
from mcu_harness.model.codegen.layouts import groups_of_four
from mcu_harness.model.codegen.quantization import Sums, activation_range, affine, dot_products
from mcu_harness.model.codegen.single_rounding import once_multiplier
from mcu_harness.model.graph import Layer
from mcu_harness.model.legacy_uint8 import FILTER_ZERO_POINT

_KERNEL = Kernel("mcu_fully_connected_s8", "portable/fully_connected_s8.c", "mcu_fully_connected.h", groups_of_four)
_OFFSET = Kernel(
    "mcu_fully_connected_offset_s8",
    "portable/fully_connected_offset_s8.c",
    "mcu_fully_connected_offset.h",
    groups_of_four,
)
_SUM = 2**31
_LARGEST_PRODUCT = 128 * 128


def filters_of(layer: Layer, context: Context) -> npt.NDArray[np.int8]:
    """[units, depth]; the input is a batch of rows of that depth, whatever its shape. Raises ModelError."""
    source, weights = context.tensor(layer.inputs[0]), context.tensor(layer.inputs[1])
    if weights.data is None or weights.dtype != "int8" or len(weights.shape) != 2:
        raise unsupported(layer, f"filter {weights.index} ({weights.name!r}) must be constant int8 of two dimensions")
    units, depth = weights.shape
    if depth == 0 or source.elements % depth:
        raise unsupported(layer, f"its input has {source.elements} values, its filter rows of {depth}")
    return weights.data.astype(np.int8).reshape(units, depth)


def emit(layer: Layer, context: Context) -> LayerCode:
    filters = filters_of(layer, context)
    constants, members = rounded_once(layer, context, filters, dot_products(layer, context, filters))
    return LayerCode(
        body=(_call(layer, context, _KERNEL),),
        kernels=(_KERNEL,),
        constants=constants,
        structs=(Struct("struct mcu_fully_connected", "parameters", members),),
    )


def emit_offset(layer: Layer, context: Context) -> LayerCode:
    """Of models that were uint8: the filter has a zero point, one scale, and sums are rounded once as those of int8 are."""
    filters = filters_of(layer, context)
    incoming, point = affine(layer, context.tensor(layer.inputs[0])), int(number(layer, FILTER_ZERO_POINT, 0))
    sums = dot_products(layer, context, filters)
    depth = filters.shape[1]
    farthest = max(127 - incoming.zero_point, 128 + incoming.zero_point) * abs(point) * depth
    bias = sums.bias.astype(np.int64) + depth * incoming.zero_point * point
    if max(int(np.abs(bias).max()), int(sums.reach.max())) + depth * _LARGEST_PRODUCT * 2 + farthest >= _SUM:
        raise unsupported(layer, f"its sums of {depth} products can leave 32 bits")
    moved = replace(sums, bias=bias.astype(np.int32), least=sums.least - farthest, most=sums.most + farthest)
    constants, members = rounded_once(layer, context, filters, moved)
    dense = "{" + ", ".join(f".{name} = {value}" for name, value in members) + "}"
    struct = Struct(
        "struct mcu_fully_connected_offset", "parameters", (("dense", dense), ("filter_zero_point", str(point)))
    )
    return LayerCode((_call(layer, context, _OFFSET),), (_OFFSET,), constants, (struct,))


def rounded_once(
    layer: Layer, context: Context, filters: npt.NDArray[np.int8], sums: Sums
) -> tuple[tuple[Constant, ...], tuple[tuple[str, str], ...]]:
    """The constants and the members of `struct mcu_fully_connected`; raises ModelError where a sum would leave 32 bits."""
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    units, depth = filters.shape
    low, high = activation_range(layer, result)
    zero_point = affine(layer, result).zero_point
    reaches = sums.reach.tolist() if len(sums.scales) > 1 else [int(sums.reach.max(initial=0))]
    rounding = [
        once_multiplier(scale, reach, low - zero_point, high - zero_point)
        for scale, reach in zip(sums.scales, reaches, strict=True)
    ]
    if any(reach << one.left >= _SUM for reach, one in zip(reaches, rounding, strict=True)):
        raise unsupported(layer, "its sums times its scales overflow 32 bits")
    constants = (
        Constant("filter", _KERNEL.layout(filters)),
        Constant("bias", sums.bias),
        Constant("multiplier", np.array([one.multiplier for one in rounding], np.int32)),
        Constant("left", np.array([one.left for one in rounding], np.int8), 1),
        Constant("right", np.array([one.right for one in rounding], np.int8), 1),
    )
    numbers = {
        "rows": source.elements // depth,
        "depth": depth,
        "units": units,
        "unit_step": int(len(rounding) > 1),
        "zero_point": zero_point,
        "minimum": low,
        "maximum": high,
    }
    members = (
        *((constant.suffix, context.name(constant.suffix)) for constant in constants),
        *((name, str(value)) for name, value in numbers.items()),
    )
    return constants, members


def _call(layer: Layer, context: Context, kernel: Kernel) -> str:
    output, parameters = context.write(layer.outputs[0]), f"&{context.name('parameters')}"
    return f"{kernel.function}({output}, {context.read(layer.inputs[0])}, {parameters});"


EMITTERS = {
    "FULLY_CONNECTED": emit,
}
