"""TFLite's fixed-point arithmetic on exact integers, against fractions."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest

from mcu_harness.model.codegen.fixed_point import (
    doubling_high_multiply,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    round_half_away,
    rounding_divide_by_power,
    truncating_doubling_high_multiply,
    wrap,
)

HALF = Fraction(1, 2)


def halves_up(value: Fraction) -> int:
    return math.floor(value + HALF)


def halves_away(value: Fraction) -> int:
    return math.floor(abs(value) + HALF) * (1 if value >= 0 else -1)


@pytest.mark.parametrize("bits", [16, 32])
def test_doubling_high_multiply_rounds_halves_up(bits: int) -> None:
    rng = random.Random(bits)
    limit = 1 << (bits - 1)
    pairs = [(rng.randrange(-limit, limit), rng.randrange(-limit, limit)) for _ in range(2000)]
    pairs += [(sign * 1, limit // 2) for sign in (1, -1)] + [(sign * 3, limit // 2) for sign in (1, -1)]
    for a, b in pairs:
        exact = Fraction(2 * a * b, 1 << bits)
        assert doubling_high_multiply(a, b, bits) == halves_up(exact)
        assert truncating_doubling_high_multiply(a, b, bits) == math.trunc(exact)


@pytest.mark.parametrize("bits", [16, 32])
def test_the_one_overflow_saturates(bits: int) -> None:
    lowest = -(1 << (bits - 1))
    assert doubling_high_multiply(lowest, lowest, bits) == -lowest - 1
    assert truncating_doubling_high_multiply(lowest, lowest, bits) == -lowest - 1


def test_dividing_by_a_power_rounds_halves_away_from_zero() -> None:
    for value in [*range(-40, 41), 2**31 - 1, -(2**31)]:
        for exponent in range(5):
            assert rounding_divide_by_power(value, exponent) == halves_away(Fraction(value, 1 << exponent))


def test_multiplying_rounds_twice() -> None:
    """3/8 is 0.375: rounded to halves first, then away from zero, it becomes 1, where rounding once gives 0."""
    multiplier, shift = quantize_multiplier(0.375)
    assert (multiplier, shift) == (3 << 29, -1)
    assert multiply_by_quantized_multiplier(1, 3 << 29, -1) == 1
    assert multiply_by_quantized_multiplier(-1, 3 << 29, -1) == -1


def test_a_left_shift_wraps_as_in_c() -> None:
    assert multiply_by_quantized_multiplier(3, 1 << 30, 31) == wrap(3 << 31, 32) // 2


@pytest.mark.parametrize("real", [1.0, 0.5, 1e-9, 3.7, 12345.678, 2.0**-31, 1 - 2.0**-40])
def test_a_multiplier_stands_for_its_real_number(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 2**30 <= multiplier < 2**31
    assert abs(Fraction(multiplier) * Fraction(2) ** (shift - 31) / Fraction(real) - 1) <= Fraction(1, 2**31)


def test_nothing_and_next_to_nothing_become_zero() -> None:
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(2.0**-33) == (0, 0)


def test_rounding_halves_away_from_zero() -> None:
    assert [round_half_away(value) for value in (0.5, -0.5, 1.5, -2.5, 0.49, -0.49)] == [1, -1, 2, -3, 0, 0]
