"""Multipliers for sums that are rounded once, as LiteRT's FULLY_CONNECTED does.

LiteRT 2.3.0's reference kernel multiplies the 32-bit sum with a double and calls round() (halves away from zero):
internal/reference/integer_ops/fully_connected.h, the overload that takes scales. Firmware multiplies integers. Each
possible output begins at one sum, the threshold, so a fixed-point multiplier gives the same outputs for every sum if it
gives the same thresholds; there are at most 256 of them, and one is searched for that meets them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.fixed_point import quantize_multiplier

# Relative distance within which two quotients of doubles may be in either order.
_NEAR = 1e-12


@dataclass(frozen=True, slots=True)
class OnceMultiplier:
    """round(sum * scale) = (high(sum << left, multiplier) + 2**(right - 1)) >> right, high(a, b) = (a * b) >> 32."""

    multiplier: int
    left: int
    right: int


def thresholds(scale: float, lowest: int, highest: int) -> npt.NDArray[np.int64]:
    """For each k in (lowest, highest]: the smallest integer s with round(float(s) * scale) >= k, in double arithmetic.

    `scale` > 0. Found from the exact quotient by stepping to where the double product really crosses.
    """
    outputs = np.arange(lowest + 1, highest + 1)
    sums: npt.NDArray[np.float64] = np.ceil((outputs - 0.5) / scale)
    while (above := _rounded(sums, scale) >= outputs).any():
        sums -= above
    while (below := _rounded(sums, scale) < outputs).any():
        sums += below
    return sums.astype(np.int64)


@lru_cache(maxsize=1 << 16)  # a layer is emitted several times: for its scratch, its raster promise, each board
def once_multiplier(scale: float, reach: int, lowest: int, highest: int) -> OnceMultiplier:
    """The multiplier for outputs in [lowest, highest] (before the zero point is added) and sums in [-reach, reach].

    Exact for every such sum wherever 31 bits can be exact; that fails only for scales so small that neighbouring sums
    differ by less than the multiplier's last bit, and then the multiplier nearest to `scale` is returned.
    """
    multiplier, shift = quantize_multiplier(scale)
    if multiplier == 0:
        return OnceMultiplier(0, 0, 1)
    # scale = multiplier * 2**(shift - 31) = multiplier * 2**(left - right - 32), right >= 1
    left = max(shift + 2, 0)
    right = left - 1 - shift
    if right > 31:
        return OnceMultiplier(0, 0, 1)
    outputs, first = np.arange(lowest + 1, highest + 1), thresholds(scale, lowest, highest)
    reached, missed = (
        _bounds(outputs, sums, which, reach, left, right) for sums, which in ((first, True), (first - 1, False))
    )
    least, most = max(reached[0], missed[0]), min(reached[1], missed[1])
    if least <= most:
        multiplier = min(max(multiplier, least), most, 2**31 - 1)
    return OnceMultiplier(multiplier, left, right)


def _bounds(
    outputs: npt.NDArray[np.int64], sums: npt.NDArray[np.int64], reached: bool, reach: int, left: int, right: int
) -> tuple[int, int]:
    """Least and most multiplier m for which `sums[i]` reaches `outputs[i]`, or for which none does.

    s reaches k when s * m * 2**left + 2**(31 + right) >= k * 2**(32 + right). The numbers need more than 64 bits: the
    few that can be the tightest are found in floating point, and decided in exact integers.
    """
    possible = (sums != 0) & (np.abs(sums) <= reach)
    k, s = outputs[possible], sums[possible]
    bounds_below = (s > 0) == reached
    quotients = (2 * k - 1) / s
    least, most = -(2**62), 2**62
    low, high = quotients[bounds_below], quotients[~bounds_below]
    if low.size:
        near = bounds_below & (quotients >= low.max() - abs(low.max()) * _NEAR)
        least = max(-(-_limit(ki, reached, right) // (si << left)) for ki, si in _pairs(k, s, near))
    if high.size:
        near = ~bounds_below & (quotients <= high.min() + abs(high.min()) * _NEAR)
        most = min(_limit(ki, reached, right) // (si << left) for ki, si in _pairs(k, s, near))
    return least, most


def _limit(output: int, reached: bool, right: int) -> int:
    """What sum * multiplier must be at least, or, where it must not be reached, at most."""
    wanted = (2 * output - 1) << (31 + right)
    return wanted if reached else wanted - 1


def _pairs(
    outputs: npt.NDArray[np.int64], sums: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_]
) -> list[tuple[int, int]]:
    return list(zip(outputs[chosen].tolist(), sums[chosen].tolist(), strict=True))


def _rounded(values: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.float64]:
    product = values * scale
    return np.copysign(np.floor(np.abs(product) + 0.5), product)
