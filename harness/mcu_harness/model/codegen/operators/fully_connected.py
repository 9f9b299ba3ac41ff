"""FULLY_CONNECTED."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.layouts import groups_of_four
from mcu_harness.model.codegen.quantization import activation_range, affine, dot_products
from mcu_harness.model.codegen.single_rounding import once_multiplier
from mcu_harness.model.graph import Layer

_KERNEL = Kernel("mcu_fully_connected_s8", "portable/fully_connected_s8.c", "mcu_fully_connected.h", groups_of_four)


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
    if any(reach << one.left >= 2**31 for reach, one in zip(reaches, rounding, strict=True)):
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
    output, parameters = context.write(result.index), f"&{context.name('parameters')}"
    return LayerCode(
        body=(f"{_KERNEL.function}({output}, {context.read(source.index)}, {parameters});",),
        kernels=(_KERNEL,),
        constants=constants,
        structs=(Struct("struct mcu_fully_connected", "parameters", members),),
    )


EMITTERS = {
    "FULLY_CONNECTED": emit,
}
