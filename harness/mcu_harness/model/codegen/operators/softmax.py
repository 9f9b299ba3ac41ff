"""SOFTMAX over the last dimension.

The reference (LiteRT 2.3.0, internal/reference/softmax.h) takes the exponential of each difference to the row's largest
value with gemmlowp's fixed-point arithmetic (`exp_on_negative_values`, fixedpoint.h). A difference of two bytes has 256
values, so the exponentials are a table, made here with the same arithmetic; the sum and the division stay in C.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mcu_harness.model.codegen.fixed_point import (
    doubling_high_multiply,
    quantize_multiplier,
    rounding_divide_by_power,
    wrap,
)
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, number, unsupported
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import DTYPE_BYTES, Layer

_DIFFERENCE_INTEGER_BITS = 5
_FRACTION_BITS = 31 - _DIFFERENCE_INTEGER_BITS
_ONE = 2**31 - 1
_EXP_MINUS_EIGHTH = 1895147668  # exp(-1/8)
_THIRD = 715827883
# exp(-2^k) for k = -2 .. 4
_EXP_POWERS = {-2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242}
_LONGEST_ROW = 8191  # the sum of that many ones fits 32 bits

_KERNELS = {
    "int8": Kernel("mcu_softmax_s8", "portable/softmax_s8.c", "mcu_softmax.h"),
    "int16": Kernel("mcu_softmax_s8_s16", "portable/softmax_s8_s16.c", "mcu_softmax.h"),
}


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    if source.dtype != "int8" or result.dtype not in _KERNELS:
        raise unsupported(layer, f"{source.dtype} to {result.dtype}; int8 to int8 or int16")
    quantization, bits, kernel = affine(layer, result), 8 * DTYPE_BYTES[result.dtype], _KERNELS[result.dtype]
    if quantization.zero_point != -(1 << bits - 1) or abs(quantization.scale * (1 << bits) - 1) > 0.001:
        raise unsupported(layer, f"its output must have scale 1/{1 << bits} and zero point {-(1 << bits - 1)}")
    depth = source.shape[-1]
    if depth > _LONGEST_ROW:
        raise unsupported(layer, f"rows of {depth} values; {_LONGEST_ROW} at most")
    beta = float(np.float32(number(layer, "beta", 1.0)))
    table = exponentials(affine(layer, source).scale, beta)
    if not table:
        raise unsupported(layer, "its input scale is too small")
    numbers = {"entries": len(table), "rows": source.elements // depth, "depth": depth}
    members = (
        ("exponentials", context.name("exponentials")),
        *((name, str(value)) for name, value in numbers.items()),
    )
    parameters = f"&{context.name('parameters')}"
    return LayerCode(
        body=(f"{kernel.function}({context.write(result.index)}, {context.read(source.index)}, {parameters});",),
        kernels=(kernel,),
        constants=(Constant("exponentials", np.array(table, np.int32)),),
        structs=(Struct("struct mcu_softmax", "parameters", members),),
    )


def exponentials(scale: float, beta: float) -> list[int]:
    """exp(-d * scale * beta), 31 fractional bits, for d = 0, 1, ... as `differences`."""
    return [_exponential(value) for value in differences(scale, beta)]


@dataclass(frozen=True, slots=True)
class DifferenceScaling:
    """How the reference scales a difference d of two bytes: (d << shift) * multiplier, 26 fractional bits, down to -`radius`."""

    multiplier: int
    shift: int
    radius: int


def difference_scaling(scale: float, beta: float) -> DifferenceScaling | None:
    """None where the reference refuses the scale (kernels/internal/quantization_util.cc, PreprocessSoftmaxScaling)."""
    real = min(beta * scale * (1 << _FRACTION_BITS), 2.0**31 - 1.0)
    if real <= 1:
        return None
    multiplier, shift = quantize_multiplier(real)
    radius = math.floor(((1 << _DIFFERENCE_INTEGER_BITS) - 1) * (1 << _FRACTION_BITS) / (1 << shift))
    return DifferenceScaling(multiplier, shift, radius)


def differences(scale: float, beta: float) -> list[int]:
    """-d * scale * beta, 26 fractional bits, for d = 0, 1, ... as far as the reference counts them (255 at most).

    Empty where the reference refuses the scale.
    """
    found = difference_scaling(scale, beta)
    if found is None:
        return []
    multiplier, shift, radius = found.multiplier, found.shift, found.radius
    return [doubling_high_multiply(wrap(-d << shift, 32), multiplier, 32) for d in range(min(radius, 255) + 1)]


def _exponential(value: int) -> int:
    """exp(value) for value <= 0 with 26 fractional bits; the result has 31."""
    if value == 0:
        return _ONE
    quarter = 1 << (_FRACTION_BITS - 2)
    part = (value & (quarter - 1)) - quarter  # in [-1/4, 0)
    result = _exponential_of_part(part << _DIFFERENCE_INTEGER_BITS)
    rest = part - value
    for power, factor in _EXP_POWERS.items():
        if rest & (1 << (_FRACTION_BITS + power)):
            result = doubling_high_multiply(result, factor, 32)
    return result


def _exponential_of_part(value: int) -> int:
    """exp(value) for value in [-1/4, 0), 31 fractional bits both: a Taylor series around -1/8."""

    def product(a: int, b: int) -> int:
        return doubling_high_multiply(a, b, 32)

    x = value + (1 << 28)
    x2 = product(x, x)
    x3 = product(x2, x)
    x4 = product(x2, x2)
    tail = rounding_divide_by_power(product(rounding_divide_by_power(x4, 2) + x3, _THIRD) + x2, 1)
    return _EXP_MINUS_EIGHTH + product(_EXP_MINUS_EIGHTH, x + tail)


EMITTERS = {
    "SOFTMAX": emit,
}
