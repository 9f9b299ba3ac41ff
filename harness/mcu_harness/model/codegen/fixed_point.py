"""TFLite's fixed-point arithmetic on exact Python integers, for whatever is computed while C is generated.

Follows TFLite's reference kernels: `QuantizeMultiplier` of internal/quantization_util.cc, and gemmlowp's
`SaturatingRoundingDoublingHighMul` and `RoundingDivideByPOT`, which round one after the other ("double rounding").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_INT32_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class Affine:
    """Per-tensor quantisation: real = scale * (q - zero_point). `scale` is the float32 of the model file."""

    scale: float
    zero_point: int


def quantize_multiplier(real: float) -> tuple[int, int]:
    """`(multiplier, shift)` with real ~ multiplier * 2**(shift - 31) and 2**30 <= |multiplier| < 2**31.

    (0, 0) for 0 and for what would need a shift below -31, as the reference flushes both.
    """
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = round_half_away(fraction * _INT32_LIMIT)
    if multiplier == _INT32_LIMIT:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def round_half_away(value: float) -> int:
    """The nearest integer, halves away from zero (C's round); `value` must be finite and below 2**52 in size."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def wrap(value: int, bits: int) -> int:
    """`value` as a two's complement integer of `bits` bits."""
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half


def rounding_divide_by_power(value: int, exponent: int) -> int:
    """value / 2**exponent, halves away from zero."""
    remainder = value & ((1 << exponent) - 1)
    threshold = (((1 << exponent) - 1) >> 1) + (value < 0)
    return (value >> exponent) + (remainder > threshold)


def doubling_high_multiply(a: int, b: int, bits: int) -> int:
    """a * b * 2 / 2**bits for `bits`-bit integers, halves towards positive infinity, saturated where it overflows."""
    if a == b == -(1 << (bits - 1)):
        return (1 << (bits - 1)) - 1
    product = a * b
    return _towards_zero(product + ((1 << (bits - 2)) if product >= 0 else 1 - (1 << (bits - 2))), bits - 1)


def truncating_doubling_high_multiply(a: int, b: int, bits: int) -> int:
    """As doubling_high_multiply, but rounded towards zero."""
    if a == b == -(1 << (bits - 1)):
        return (1 << (bits - 1)) - 1
    return _towards_zero(a * b, bits - 1)


def multiply_by_quantized_multiplier(value: int, multiplier: int, shift: int) -> int:
    """value * multiplier * 2**(shift - 31) with double rounding; a left shift wraps at 32 bits, as in C."""
    shifted = wrap(value << max(shift, 0), 32)
    return rounding_divide_by_power(doubling_high_multiply(shifted, multiplier, 32), max(-shift, 0))


def inverse_square_root_multiplier(value: int) -> tuple[int, int]:
    """1 / sqrt(value), value > 0, as (multiplier, right): multiplier * 2**(-31 - right).

    Five Newton-Raphson steps with three integer bits, as TFLite's `GetInvSqrtQuantizedMultiplierExp`.
    """
    if value <= 1:
        return 2**31 - 1, 0
    right = 11
    while value >= 1 << 29:
        value, right = value // 4, right + 1
    pairs = (32 - value.bit_length() - 1) // 2 - 1
    right -= pairs
    value <<= 2 * pairs

    def product(a: int, b: int) -> int:
        return doubling_high_multiply(a, b, 32)

    half = rounding_divide_by_power(value >> 1, 1)
    x, one_and_a_half = 1 << 28, (1 << 28) + (1 << 27)
    for _ in range(5):
        cube = _saturated(product(product(x, x), x) << 6)
        x = _saturated((product(one_and_a_half, x) - product(half, cube)) << 3)
    x = product(x, 1518500250)  # sqrt(1/2)
    return (x << -right, 0) if right < 0 else (x, right)


def _saturated(value: int) -> int:
    return max(-(2**31), min(2**31 - 1, value))


def _towards_zero(value: int, exponent: int) -> int:
    return value >> exponent if value >= 0 else -(-value >> exponent)
