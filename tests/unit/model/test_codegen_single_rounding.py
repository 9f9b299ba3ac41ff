"""Integer multipliers that round once: equal to LiteRT's double arithmetic for every sum that can occur."""

from __future__ import annotations

import numpy as np
import pytest

from mcu_harness.model.codegen.single_rounding import OnceMultiplier, once_multiplier


def in_doubles(sums: np.ndarray, scale: float) -> np.ndarray:
    """C's (int32_t)round((double)sum * scale)."""
    products = sums.astype(np.float64) * scale
    return np.copysign(np.floor(np.abs(products) + 0.5), products).astype(np.int64)


def in_integers(sums: np.ndarray, once: OnceMultiplier) -> np.ndarray:
    """mcu_requantize_once."""
    high = ((sums << once.left) * once.multiplier) >> 32
    return (high + (1 << (once.right - 1))) >> once.right


def check(scale: float, reach: int, lowest: int, highest: int) -> None:
    once = once_multiplier(scale, reach, lowest, highest)
    assert 0 <= once.multiplier < 2**31
    assert 1 <= once.right <= 31
    sums = np.arange(-reach, reach + 1, dtype=np.int64)
    expected = np.clip(in_doubles(sums, scale), lowest, highest)
    assert np.array_equal(np.clip(in_integers(sums, once), lowest, highest), expected), scale


def test_random_scales_are_exact_for_every_sum() -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        scale = float(2.0 ** rng.uniform(-11, 3))
        zero_point = int(rng.integers(-128, 128))
        check(scale, 300_000, -128 - zero_point, 127 - zero_point)


@pytest.mark.parametrize("scale", [0.5, 0.25, 2.0**-7, 1.0, 1.5, 0.75, 2.5, 1 / 3, 1 / 6, 0.1, 1 / 254, 1 / 1022])
def test_halves_are_rounded_away_from_zero_on_both_sides(scale: float) -> None:
    check(scale, 200_000, -128, 127)


def test_scales_next_to_a_power_of_two_are_exact() -> None:
    for exponent in (-9, -3, 0):
        for step in (-3, -1, 1, 3):
            check(2.0**exponent * (1 + step * 2.0**-52), 100_000, -128, 127)


def test_products_of_float32_scales_are_exact() -> None:
    """The scales of a real layer: input * filter / output, each a float32."""
    rng = np.random.default_rng(2)
    for _ in range(40):
        a, b, c = (float(np.float32(value)) for value in (rng.uniform(0.01, 1), rng.uniform(1e-4, 0.02), 0.3))
        check(a * b / c, 200_000, -120, 135)


def test_scales_too_small_to_reach_one_half_give_zero() -> None:
    once = once_multiplier(2.0**-40, 2**30, -128, 127)
    assert not in_integers(np.array([-(2**30), 2**30]), once).any()
