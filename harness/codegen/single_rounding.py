"""Multipliers for sums that are rounded once, as LiteRT's FULLY_CONNECTED does.

LiteRT 2.3.0's reference kernel multiplies the 32-bit sum with a double and calls round() (halves away from zero):
internal/reference/integer_ops/fully_connected.h, the overload that takes scales. Firmware multiplies integers. Each
possible output begins at one sum, the threshold, so a fixed-point multiplier gives the same outputs for every sum if it
gives the same thresholds; there are at most 256 of them, and one is searched for that meets them all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from harness.codegen.fixed_point import quantize_multiplier


@dataclass(frozen=True, slots=True)
class OnceMultiplier:
    """round(sum * scale) = (high(sum << left, multiplier) + 2**(right - 1)) >> right, high(a, b) = (a * b) >> 32."""

    multiplier: int
    left: int
    right: int


def thresholds(scale: float, lowest: int, highest: int) -> dict[int, int]:
    """For each k in (lowest, highest]: the smallest integer s with round(float(s) * scale) >= k, in double arithmetic.

    `scale` > 0. Found from the exact quotient by stepping to where the double product really crosses.
    """
    result = {}
    for k in range(lowest + 1, highest + 1):
        s = math.ceil((k - 0.5) / scale)
        while _rounded(s, scale) >= k:
            s -= 1
        while _rounded(s, scale) < k:
            s += 1
        result[k] = s
    return result


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
    least, most = -(2**62), 2**62
    for k, first in thresholds(scale, lowest, highest).items():
        # first reaches k, first - 1 does not:  s * m * 2**left + 2**(31 + right) >= k * 2**(32 + right)
        wanted = (2 * k - 1) << (31 + right)
        for s, reaches in ((first, True), (first - 1, False)):
            if s == 0 or abs(s) > reach:
                continue
            scaled = s << left
            # scaled * m >= wanted where k is reached, scaled * m <= wanted - 1 where not; dividing turns it with the sign
            limit = wanted if reaches else wanted - 1
            if (scaled > 0) == reaches:
                least = max(least, -(-limit // scaled))
            else:
                most = min(most, limit // scaled)
    if least <= most:
        multiplier = min(max(multiplier, least), most, 2**31 - 1)
    return OnceMultiplier(multiplier, left, right)


def _rounded(value: int, scale: float) -> int:
    product = float(value) * scale
    return int(math.copysign(math.floor(abs(product) + 0.5), product))
