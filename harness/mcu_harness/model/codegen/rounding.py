"""The reference's double rounding on arrays of sums: what mcu_requantize_twice of firmware/include computes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]


def rounded_twice(values: Int64s, multiplier: Int64s | int, shift: Int64s | int) -> Int64s:
    """values * multiplier * 2**(shift - 31), rounded by the multiplication and again by a right shift; shapes broadcast.

    For values that stay within 32 bits when shifted left, where `shift` is positive: see `wraps`.
    """
    by = np.asarray(shift, np.int64)
    left, right = np.maximum(by, 0), np.maximum(-by, 0)
    doubled = ((values << left) * multiplier + (1 << 30)) >> 31
    half = np.left_shift(1, right, dtype=np.int64) >> 1
    below = ((doubled < 0) & (right > 0)).astype(np.int64)
    rounded: Int64s = (doubled + half - below) >> right
    return rounded


def wraps(values: Int64s, shift: Int64s | int) -> bool:
    """Whether some value leaves 32 bits, by itself or shifted left as its `shift` says."""
    return bool((np.abs(values) >= (np.int64(1) << 31) >> np.maximum(shift, 0)).any())
