"""Numbers with which one multiplication turns a sum into its output exactly as the reference rounds it.

For a channel's sums, between the least and the largest that can occur, the outputs are a staircase: each begins at one sum, the
threshold. Firmware computes (see firmware/include/mcu_staircase.h)

    ((256 * sum * multiplier >> 32) + add + (below_zero if sum < 0)) >> shift, saturated

which is exact for every sum that can occur if it is at the threshold of each output and just below it. Given a multiplier,
every threshold bounds `add` from one side; a few multipliers around the ideal one are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.layer import Unsuited
from mcu_harness.model.codegen.single_rounding import thresholds

Int64s = npt.NDArray[np.int64]

SUM_BITS = 23  # |sum| stays below: 256 times it is below 2^31
_FACTOR_BITS = 8
_MULTIPLIER_BITS = 30  # so that the products of its halves fit 32 bits (firmware/include/mcu_pairs.h)
_MOST_SHIFT = 23
_EXACT_RIGHT = 22  # up to here thresholds need no more than 64 bits
_FAR = 1 << 40
_TRIED = (0, *(sign * step for step in (1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 26, 32) for sign in (1, -1)))


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a channel's output can be: `zero_point`, and `low` to `high`, in output units."""

    zero_point: int
    low: int
    high: int

    @property
    def steps(self) -> Int64s:
        """Every output but the least, before the zero point is added."""
        return np.arange(self.low + 1, self.high + 1, dtype=np.int64) - self.zero_point


@dataclass(frozen=True, slots=True)
class Staircases:
    """One for each channel; `constant` channels have the same output for all sums, which may be passed as 0."""

    multiplier: Int64s
    add: Int64s
    below_zero: Int64s
    shift: Int64s
    constant: npt.NDArray[np.bool_]


def double_rounding(
    multipliers: Sequence[int], rights: Sequence[int], least: Sequence[int], most: Sequence[int], outputs: Outputs
) -> Staircases:
    """For mcu_requantize_twice(sum, multiplier, right) + zero point, by channel, sums in [least, most].

    Raises Unsuited where some channel has no such numbers.
    """
    return _double_rounding(tuple(multipliers), tuple(rights), tuple(least), tuple(most), outputs)


def single_rounding(
    scales: Sequence[float], multipliers: Sequence[int], rights: Sequence[int], least: Sequence[int], most: Sequence[int],
    outputs: Outputs,
) -> Staircases:  # fmt: skip
    """For round(sum * scale) + zero point, halves away from zero; `multipliers` and `rights` as in fixed point."""
    return _single_rounding(tuple(scales), tuple(multipliers), tuple(rights), tuple(least), tuple(most), outputs)


@lru_cache(maxsize=256)  # a layer is emitted several times: for its scratch, with its plan, for each board
def _double_rounding(
    multipliers: tuple[int, ...], rights: tuple[int, ...], least: tuple[int, ...], most: tuple[int, ...],
    outputs: Outputs,
) -> Staircases:  # fmt: skip
    multiplier, right = np.array(multipliers, np.int64), np.array(rights, np.int64)
    first = _thresholds(multiplier, right, outputs)
    return _fit(multiplier, right, first, np.array(least, np.int64), np.array(most, np.int64), outputs)


@lru_cache(maxsize=256)
def _single_rounding(
    scales: tuple[float, ...], multipliers: tuple[int, ...], rights: tuple[int, ...], least: tuple[int, ...],
    most: tuple[int, ...], outputs: Outputs,
) -> Staircases:  # fmt: skip
    first = np.stack(
        [
            np.where(outputs.steps <= 0, -_FAR, _FAR) if multiplier == 0  # every sum gives 0
            else np.clip(thresholds(scale, outputs.low - outputs.zero_point, outputs.high - outputs.zero_point), -_FAR, _FAR)
            for scale, multiplier in zip(scales, multipliers, strict=True)
        ]
    )  # fmt: skip
    multiplier, right = np.array(multipliers, np.int64), np.array(rights, np.int64)
    return _fit(multiplier, right, first, np.array(least, np.int64), np.array(most, np.int64), outputs)


def _thresholds(multiplier: Int64s, right: Int64s, outputs: Outputs) -> Int64s:
    """[channels, steps]: the smallest sum whose output, before the zero point is added, is at least the step."""
    steps = outputs.steps[None, :]
    zero = multiplier == 0
    m, r = np.where(zero, 1, multiplier)[:, None], right[:, None]
    if int(right.max(initial=0)) > _EXACT_RIGHT:  # exact integers of any size
        m, r, steps = m.astype(object), r.astype(object), steps.astype(object)
    down = np.where(r > 0, r, 1)
    base = steps * 2**down - 2 ** (down - 1)  # of the doubled high product, where the sum is not negative
    negative = -((-((base + 1) * 2**31 - 2**30)) // m)
    positive = -((-(base * 2**31 - 2**30)) // m)
    shifted_right = np.where(negative < 0, negative, np.maximum(positive, 0))
    shifted_left = -((-(steps * 2**31 - 2**30)) // (m * 2 ** np.where(r > 0, 0, -r)))
    found = np.where(r > 0, shifted_right, shifted_left)
    # With a multiplier of 0 every sum gives 0.
    where_zero = np.where(outputs.steps[None, :] <= 0, -_FAR, _FAR)
    return np.where(zero[:, None], where_zero, np.clip(found, -_FAR, _FAR)).astype(np.int64)


def _fit(multiplier: Int64s, right: Int64s, first: Int64s, least: Int64s, most: Int64s, outputs: Outputs) -> Staircases:
    climbed = (first <= least[:, None]).sum(axis=1)
    constant = climbed == (first <= most[:, None]).sum(axis=1)
    reach = np.maximum(np.abs(least), np.abs(most))
    if (too_far := reach[~constant] >= 1 << SUM_BITS).any():
        raise Unsuited(
            f"sums reach {int(reach[~constant][too_far].max())} in {int(too_far.sum())} channels, 2^{SUM_BITS} is the limit"
        )
    shift = np.clip(right + _FACTOR_BITS - 1 - (31 - _MULTIPLIER_BITS), 0, _MOST_SHIFT)
    # 256 * sum * multiplier / 2^32 is the output times 2^shift.
    up = shift - right - (_FACTOR_BITS - 1)
    ideal = np.where(
        up >= 0, multiplier << np.clip(up, 0, 31), (multiplier + (1 << np.clip(-up - 1, 0, 62))) >> np.clip(-up, 0, 62)
    )
    if (ideal[~constant] >= 1 << _MULTIPLIER_BITS).any():
        raise Unsuited("a scale is too large for one multiplication")
    result = Staircases(ideal, np.zeros_like(ideal), np.zeros_like(ideal), shift, constant)
    result.multiplier[constant] = 0
    result.shift[constant] = 0
    result.add[constant] = outputs.low + climbed[constant]
    open_ = np.flatnonzero(~constant)
    for change in _TRIED:
        if not open_.size:
            return result
        tried = np.clip(ideal[open_] + change, 1, (1 << _MULTIPLIER_BITS) - 1)
        ok, add, below = _adds(tried, shift[open_], first[open_], least[open_], most[open_], outputs)
        done = open_[ok]
        result.multiplier[done], result.add[done], result.below_zero[done] = tried[ok], add[ok], below[ok]
        open_ = open_[~ok]
    if open_.size:
        raise Unsuited(
            f"no multiplier of {_MULTIPLIER_BITS} bits rounds as the reference in {len(open_)} channels, as channel {open_[0]}"
        )
    return result


def _adds(
    multiplier: Int64s, shift: Int64s, first: Int64s, least: Int64s, most: Int64s, outputs: Outputs
) -> tuple[npt.NDArray[np.bool_], Int64s, Int64s]:
    """Whether there are numbers with these multipliers, and then `add` and `below_zero`, by channel."""
    level = (outputs.steps[None, :] + outputs.zero_point) << shift[:, None]
    lowest, highest = least[:, None], most[:, None]

    def product(sums: Int64s) -> Int64s:
        return ((sums << _FACTOR_BITS) * multiplier[:, None]) >> 32

    reached = np.clip(first, lowest, highest)
    is_reached = first <= highest
    missed = np.clip(first - 1, lowest, highest)
    is_missed = first - 1 >= lowest
    over = level - product(reached)  # `add` is at least this
    under = level - 1 - product(missed)  # and at most this
    bounds = []
    for negative in (False, True):
        mine, others = is_reached & ((reached < 0) == negative), is_missed & ((missed < 0) == negative)
        bounds.append((np.where(mine, over, -_FAR).max(axis=1), np.where(others, under, _FAR).min(axis=1)))
    (low, high), (low_below, high_below) = bounds
    possible = (low <= high) & (low_below <= high_below)
    both_low, both_high = np.maximum(low, low_below), np.minimum(high, high_below)
    same = both_low <= both_high
    add = np.where(same, _between(both_low, both_high), _between(low, high))
    below = np.where(same, 0, _between(low_below, high_below) - add)
    fits = (np.abs(add) < 1 << 31) & (np.abs(below) < 1 << 15)
    return possible & fits, add, below


def _between(low: Int64s, high: Int64s) -> Int64s:
    """Somewhere in [low, high], one of which may be open (_FAR)."""
    middle = (low + high) // 2
    return np.where(low <= -_FAR, np.where(high >= _FAR, 0, high), np.where(high >= _FAR, low, middle))
