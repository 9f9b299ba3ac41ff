"""Operators on one byte as tables of 256 results, equal to what TFLite's reference kernels compute.

Each function here takes the quantisation of input and output and returns a function of one quantised value;
`byte_table` makes the table. RELU, RELU6, LEAKY_RELU, HARD_SWISH, ABS, NEG, RSQRT and QUANTIZE are fixed-point arithmetic in the
reference (kernels/activations.cc, internal/reference/{leaky_relu,hard_swish,requantize}.h of LiteRT 2.3.0). LOGISTIC,
TANH, EXP, LOG and GELU are tables there too, made with float32 arithmetic and the C library's expf and tanhf
(`LUTPopulateInt8` in internal/common.h); here their results are rounded correctly to float32, which a C library does
in nearly all cases, and a last-bit difference shows only where it crosses the middle between two output steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen import reals
from mcu_harness.model.codegen.fixed_point import (
    Affine,
    doubling_high_multiply,
    inverse_square_root_multiplier,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    round_half_away,
    truncating_doubling_high_multiply,
    wrap,
)
from mcu_harness.model.graph import BYTE_RANGES, Quantization
from mcu_harness.model.legacy_uint8 import joined_values

ByteFunction = Callable[[int], int]


def byte_table(function: ByteFunction, source: str, result: str) -> npt.NDArray[np.uint8]:
    """uint8 [256]: entry v & 255 holds function(v), saturated to dtype `result`, for every v of dtype `source`."""
    low, high = BYTE_RANGES[source]
    smallest, largest = BYTE_RANGES[result]
    table = np.zeros(256, np.uint8)
    for value in range(low, high + 1):
        table[value & 255] = min(largest, max(smallest, function(value))) & 255
    return table


def requantize(source: Affine, result: Affine) -> ByteFunction:
    """QUANTIZE between two integer types."""
    multiplier, shift = quantize_multiplier(source.scale / result.scale)

    def function(value: int) -> int:
        scaled = multiply_by_quantized_multiplier(value - source.zero_point, multiplier, shift)
        return scaled + result.zero_point

    return function


def joined_in_uint8(source: Affine, result: Affine) -> ByteFunction:
    """What CONCATENATION of uint8 does to an input whose scale is not its output's; of int8, 128 less."""
    ends = [Quantization((end.scale,), (end.zero_point,)) for end in (source, result)]
    table = joined_values(np.arange(-128, 128, dtype=np.int8), *ends)
    return lambda value: int(table[value + 128])


def relu(source: Affine, result: Affine, ceiling: float | None, floor: float = 0.0) -> ByteFunction:
    """RELU (`ceiling` None), RELU6 (6.0) and their kin. The real multiplier is a float32 quotient, as in the reference."""
    multiplier, shift = quantize_multiplier(_quotient(source.scale, result.scale))
    highest = wrap(result.zero_point + _to_32_bits(_quotient(ceiling or 0.0, result.scale)), 32)
    lowest = wrap(result.zero_point + _to_32_bits(_quotient(floor, result.scale)), 32)

    def function(value: int) -> int:
        scaled = multiply_by_quantized_multiplier(value - source.zero_point, multiplier, shift)
        above = max(scaled + result.zero_point, lowest)
        return above if ceiling is None else max(min(above, highest), lowest)

    return function


def leaky_relu(source: Affine, result: Affine, alpha: float) -> ByteFunction:
    """LEAKY_RELU; `alpha` may be negative or above 1."""
    slope = float(np.float32(source.scale) * np.float32(alpha))
    negative = quantize_multiplier(abs(_quotient(slope, result.scale)))
    positive = quantize_multiplier(_quotient(source.scale, result.scale))
    sign = -1 if alpha < 0 else 1

    def function(value: int) -> int:
        centred = value - source.zero_point
        if centred >= 0:
            return multiply_by_quantized_multiplier(centred, *positive) + result.zero_point
        return sign * multiply_by_quantized_multiplier(centred, *negative) + result.zero_point

    return function


def logistic(source: Affine, result: Affine) -> ByteFunction:
    """LOGISTIC: 1 / (1 + exp(-x))."""
    return of_real(reals.sigmoid, source, result)


def tanh(source: Affine, result: Affine) -> ByteFunction:
    """TANH."""
    return of_real(reals.tanh, source, result)


def logarithm(source: Affine, result: Affine) -> ByteFunction:
    """LOG; what has no logarithm becomes the smallest value that the output can express."""
    least = np.float32(-128 - result.zero_point) * np.float32(result.scale)
    return of_real(lambda x: np.float32(np.log(np.float64(x))) if x > 0 else least, source, result)


def absolute(source: Affine, result: Affine) -> ByteFunction:
    """ABS."""
    multiplier, shift = quantize_multiplier(_quotient(source.scale, result.scale))

    def function(value: int) -> int:
        distance = abs(value - source.zero_point)
        if source.scale != result.scale:
            distance = multiply_by_quantized_multiplier(distance, multiplier, shift)
        return distance + result.zero_point

    return function


def negative(source: Affine, result: Affine) -> ByteFunction:
    """NEG: the byte itself, whatever it stands for; -128 stays."""
    del source, result
    return lambda value: wrap(-value, 8)


def hard_swish(source: Affine, result: Affine) -> ByteFunction:
    """HARD_SWISH: x * clamp(x + 3, 0, 6) / 6 in 16-bit fixed point.

    Raises ValueError where the reference refuses: an output scale below 1/128 of the input's.
    """
    fine_scale = float(np.float32(1 / 128) * np.float32(source.scale))
    output_multiplier, output_shift = quantize_multiplier(_quotient(fine_scale, result.scale))
    gate_multiplier, gate_shift = quantize_multiplier(_quotient(fine_scale, _quotient(3.0, 32768.0)))
    if output_shift > 0:
        raise ValueError("the output scale is below 1/128 of the input scale")
    output_16, gate_16 = _to_16_bits(output_multiplier), _to_16_bits(gate_multiplier)

    def function(value: int) -> int:
        fine = wrap((value - source.zero_point) << 7, 16)
        scaled = doubling_high_multiply(fine, output_16, 16)
        # The gate is (x + 3) / 6 in [0, 1], from x / 3 saturated to [-1, 1]. The last bit of a left shift comes after
        # the multiplication, so that saturation before it cannot reach the result.
        gate = fine
        if gate_shift > 0:
            gate = _saturate_16(gate << (gate_shift - 1))
        gate = doubling_high_multiply(gate, gate_16, 16)
        if gate_shift > 0:
            gate = _saturate_16(gate << 1)
        elif gate_shift < 0:
            gate = _divide_16_by_power(gate, -gate_shift)
        gate = (gate + (1 << 15)) >> 1
        product = truncating_doubling_high_multiply(gate, scaled, 16)
        return wrap(_divide_16_by_power(product, -output_shift) + result.zero_point, 16)

    return function


_SPARE_BITS = 20  # of RSQRT's intermediate result


def inverse_square_root(source: Affine, result: Affine) -> ByteFunction:
    """RSQRT; LiteRT refuses to run on negative values, which give the zero point here."""
    real = np.float32(1) / (np.sqrt(np.float32(source.scale)) * np.float32(result.scale))
    multiplier, shift = quantize_multiplier(float(real))

    def function(value: int) -> int:
        centred = value - source.zero_point
        if centred < 0:
            return result.zero_point
        if centred == 0:
            return 127
        inverse, right = inverse_square_root_multiplier(centred)
        spare = multiply_by_quantized_multiplier(1, inverse, _SPARE_BITS - right)
        return multiply_by_quantized_multiplier(spare, multiplier, shift - _SPARE_BITS) + result.zero_point

    return function


def square_root(source: Affine, result: Affine) -> ByteFunction:
    """SQRT in float32, cut off instead of rounded; LiteRT refuses to run on negative values, which give the zero point here."""
    scale, steps = np.float32(source.scale), np.float32(result.scale)

    def function(value: int) -> int:
        real = scale * np.float32(value - source.zero_point)
        if real < 0:
            return result.zero_point
        return int(min(_FAR, float(np.sqrt(real) / steps))) + result.zero_point

    return function


def through_float(function: reals.RealFunction, source: Affine, result: Affine) -> ByteFunction:
    """DEQUANTIZE, `function`, QUANTIZE, every step in float32."""
    scale, steps = np.float32(source.scale), np.float32(result.scale)

    def quantized(value: int) -> int:
        with np.errstate(over="ignore"):
            quotient = float(function(scale * np.float32(value - source.zero_point)) / steps)
        return round_half_away(max(-_FAR, min(_FAR, quotient))) + result.zero_point

    return quantized


_FAR = 1e6  # steps of an output; whatever is farther saturates too


def of_real(function: reals.RealFunction, source: Affine, result: Affine) -> ByteFunction:
    """Dequantise, apply, quantise, every step in float32."""
    scale, inverse = np.float32(source.scale), np.float32(1) / np.float32(result.scale)

    def quantized(value: int) -> int:
        real = function(scale * np.float32(value - source.zero_point))
        with np.errstate(over="ignore"):
            steps = float(real * inverse)
        return round_half_away(max(-_FAR, min(_FAR, steps))) + result.zero_point

    return quantized


def _quotient(numerator: float, denominator: float) -> float:
    """A float32 division."""
    return float(np.float32(numerator) / np.float32(denominator))


def _to_32_bits(value: float) -> int:
    """`value` rounded to an int32; what does not fit becomes the smallest one, as x86 converts it."""
    if not abs(value) < 2.0**31:
        return -(2**31)
    rounded = round_half_away(value)
    return rounded if -(2**31) <= rounded < 2**31 else -(2**31)


def _divide_16_by_power(value: int, exponent: int) -> int:
    """rounding_divide_by_power of a 16-bit integer, whose mask of the lowest `exponent` bits has 16 bits too: from 16 on,
    where the quotient is 0, all bits are in the remainder and none in the threshold, and most results are off by one."""
    mask = wrap((1 << exponent) - 1, 16)
    return (value >> exponent) + ((value & mask) > (mask >> 1) + (value < 0))


def _to_16_bits(multiplier: int) -> int:
    """A 32-bit fixed-point multiplier rounded to 16 bits, saturated."""
    return min((multiplier + (1 << 15)) >> 16, 2**15 - 1)


def _saturate_16(value: int) -> int:
    return max(-(2**15), min(2**15 - 1, value))
