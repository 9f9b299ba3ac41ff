"""Convolutions and dense layers of int16 with weights of int8 ("16x8").

The reference sums them up in 64 bits (32 where the bias is int32). LiteRT 2.3.0 rounds convolutions with a multiplier of 15 bits
(internal/common.cc, MultiplyByQuantizedMultiplier of an int64), FULLY_CONNECTED once, in double arithmetic
(internal/reference/integer_ops/fully_connected.h, the overload that takes scales).
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, frexp

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.c_text import integer
from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.operators.filters import filters_of
from mcu_harness.model.codegen.operators.fully_connected import filters_of as dense_filters_of
from mcu_harness.model.codegen.quantization import activation_range, product_scales
from mcu_harness.model.codegen.sliding_windows import window_of
from mcu_harness.model.graph import Layer

Int64s = npt.NDArray[np.int64]

_CONVOLUTION = Kernel("mcu_conv_2d_s16", "portable/conv_2d_s16.c", "mcu_conv_2d_s16.h")
_DENSE = Kernel("mcu_fully_connected_s16", "portable/fully_connected_s16.c", "mcu_fully_connected_s16.h")

_LARGEST_INPUT = 1 << 15
_LONG_SUM = 1 << 47
_SUM = 1 << 31
_DIGIT_BITS, _FACTOR_BITS = 16, 48
_NEAR = (
    2.0**-29
)  # of a middle between two outputs; products that are farther from it are rounded alike by any multiplier here


def emit_convolution(layer: Layer, context: Context) -> LayerCode:
    """CONV_2D and DEPTHWISE_CONV_2D."""
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    filters = filters_of(layer, context)
    window = window_of(layer, source, result, filters.size)
    constants, outgoing = long_sums(layer, context, filters.values)
    numbers = {
        "channels": len(filters.values),
        "depth": 1 if filters.multiplier else source.shape[3],
        "multiplier": filters.multiplier,
        **outgoing,
    }
    members = (("window", window.c_initializer()), *members_of(context, constants, numbers))
    return _call(layer, context, _CONVOLUTION, Struct("struct mcu_conv_2d_s16", "parameters", members), constants)


def long_sums(
    layer: Layer, context: Context, filters: npt.NDArray[np.int8]
) -> tuple[tuple[Constant, ...], dict[str, int]]:
    """Filter, bias and scaling of a convolution as constants, and the numbers that go with them. Its inputs are the activation, the
    filter and the bias; `filters` [channels, products of one output]."""
    bias, twice = _bias(layer, context, len(filters))
    reach = _reach(filters, bias)
    if reach >= (_SUM if twice else _LONG_SUM):
        raise unsupported(layer, f"its sums can reach {reach}")
    pairs = [quantize_multiplier(scale) for scale in product_scales(layer, context, len(filters))]
    if twice:
        for multiplier, shift in pairs:
            if shift < 0 and (reach * multiplier >> 31) + 2 + (1 << (-shift - 1)) >= _SUM:
                raise unsupported(layer, f"its sums can reach {reach}, which overflows 32 bits")
        factors, rights = [multiplier for multiplier, _ in pairs], [-shift for _, shift in pairs]
    else:
        factors, rights = [reduced(multiplier) for multiplier, _ in pairs], [15 - shift for _, shift in pairs]
        if min(rights) < 8:
            raise unsupported(layer, "the output scale is absurdly small for the inputs' scales")
    low, high = activation_range(layer, context.tensor(layer.outputs[0]))
    constants = (
        Constant("filter", filters),
        Constant("bias", bias, 8),
        Constant("factor", np.array(factors, np.int32)),
        Constant("right", np.array(rights, np.int8), 1),
    )
    numbers = {"channel_step": int(len(pairs) > 1), "minimum": low, "maximum": high, "twice": int(twice)}
    return constants, numbers


def emit_dense(layer: Layer, context: Context) -> LayerCode:
    """FULLY_CONNECTED."""
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    filters = dense_filters_of(layer, context)
    bias, narrow = _bias(layer, context, len(filters))
    reach, scales = _reach(filters, bias), product_scales(layer, context, len(filters))
    if reach >= (_SUM if narrow else _LONG_SUM) or reach * max(scales) >= _SUM:
        raise unsupported(layer, f"its sums can reach {reach}, its outputs {reach * max(scales):g}")
    saturated = (_LARGEST_INPUT + 2) / max(min(scales), 2.0**-40)
    limit = int(min(reach, ceil(saturated)))
    if limit * max(scales) >= 1 << 30:
        raise unsupported(layer, f"scales of outputs between {min(scales):g} and {max(scales):g}")
    once = []
    for scale in scales:
        found = factor_of(scale, reach)
        if found is None:
            raise unsupported(
                layer, f"no factor of {_FACTOR_BITS} bits rounds as the reference with the scale {scale:g}"
            )
        once.append(found)
    digits = [[factor >> _DIGIT_BITS * place & 0xFFFF for place in range(3)] for factor, _ in once]
    low, high = activation_range(layer, result)
    constants = (
        Constant("filter", filters),
        Constant("bias", bias, 8),
        Constant("factor", np.array(digits, np.uint16)),
        Constant("right", np.array([right for _, right in once], np.uint8), 1),
    )
    units, depth = filters.shape
    numbers = {
        "limit": limit,
        "rows": source.elements // depth,
        "depth": depth,
        "units": units,
        "unit_step": int(len(once) > 1),
        "minimum": low,
        "maximum": high,
    }
    struct = Struct("struct mcu_fully_connected_s16", "parameters", members_of(context, constants, numbers))
    return _call(layer, context, _DENSE, struct, constants)


def _bias(layer: Layer, context: Context, outputs: int) -> tuple[Int64s, bool]:
    """The bias, and whether it is int32, so that the reference sums up in that."""
    if len(layer.inputs) < 3 or layer.inputs[2] < 0:
        return np.zeros(outputs, np.int64), False
    tensor = context.tensor(layer.inputs[2])
    if tensor.data is None or tensor.data.size != outputs:
        raise unsupported(layer, f"bias {tensor.index} ({tensor.name!r}) must be constant, one value an output")
    return tensor.data.reshape(-1).astype(np.int64), tensor.dtype == "int32"


def _reach(filters: npt.NDArray[np.int8], bias: Int64s) -> int:
    """By how much a sum can differ from 0, for any input and at any moment."""
    sums = np.abs(filters.astype(np.int64)).sum(axis=1) * _LARGEST_INPUT
    return int((sums + np.abs(np.clip(bias, -(2**62), 2**62))).max(initial=0))


def reduced(multiplier: int) -> int:
    """A multiplier of 31 bits as one of 15, as the reference rounds it for sums of 64 bits."""
    return (multiplier + (1 << 15)) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF


@lru_cache(maxsize=1 << 14)  # a layer is emitted several times
def factor_of(scale: float, reach: int) -> tuple[int, int] | None:
    """(factor, right) with round(double(sum) * scale) = round(sum * factor / 2^right) for every |sum| <= reach whose output is
    at most 32768, halves away from zero both; None where no factor of 48 bits does that."""
    fraction, exponent = frexp(scale)
    factor = round(fraction * (1 << _FACTOR_BITS))
    right = _FACTOR_BITS - exponent
    if factor >> _FACTOR_BITS:
        factor, right = factor >> 1, right - 1
    if right > 95:
        return (0, 95) if reach * scale < 0.25 else None
    outputs = np.arange(1, min(_LARGEST_INPUT, int(reach * scale) + 1) + 1, dtype=np.float64)
    sums = np.ceil((outputs - 0.5) / scale)
    while (above := (sums - 1) * scale >= outputs - 0.5).any():
        sums -= above
    while (below := sums * scale < outputs - 0.5).any():
        sums += below
    middle = outputs - 0.5
    near = (sums * scale - middle < _NEAR) | (middle - (sums - 1) * scale < _NEAR)
    least, most = 1, (1 << _FACTOR_BITS) - 1
    for output, first in zip(
        outputs[near].astype(np.int64).tolist(), sums[near].astype(np.int64).tolist(), strict=True
    ):
        if first <= reach:
            wanted = (2 * output - 1) << (right - 1)
            least = max(least, -(-wanted // first))
            most = min(most, (wanted - 1) // (first - 1)) if first > 1 else most
    return (min(max(factor, least), most), right) if least <= most else None


def members_of(
    context: Context, constants: tuple[Constant, ...], numbers: dict[str, int]
) -> tuple[tuple[str, str], ...]:
    named = ((constant.suffix, context.name(constant.suffix)) for constant in constants)
    return (*named, *((name, integer(value)) for name, value in numbers.items()))


def _call(layer: Layer, context: Context, kernel: Kernel, struct: Struct, constants: tuple[Constant, ...]) -> LayerCode:
    arguments = f"{context.write(layer.outputs[0])}, {context.read(layer.inputs[0])}, &{context.name(struct.suffix)}"
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), constants, (struct,))


WIDE_EMITTERS = {
    "CONV_2D": emit_convolution,
    "DEPTHWISE_CONV_2D": emit_convolution,
    "FULLY_CONNECTED": emit_dense,
}
