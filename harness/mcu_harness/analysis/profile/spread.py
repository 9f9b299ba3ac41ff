"""How much costs differ from input to input: of each measured window, per layer and for the whole.

A window that holds several inferences (`times`) counts with their mean. A layer that did not run in a window has cost
nothing in it. Edges have one price for the whole run, so what caches do to single inputs is spread over all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.results.cost_records import Spread

Real = npt.NDArray[np.float64]
_AT_ONCE = 4096  # windows, so that memory stays small
_PARTS = 1 << 20  # see `mcu_harness.analysis.profile.cycles.traced`


@dataclass(frozen=True, slots=True)
class WindowCosts:
    """Per inference: a row a window, a column a layer and, last, all that runs outside of layers.

    `cycles` None = not measured.
    """

    instructions: Real
    cycles: Real | None


@dataclass(frozen=True, slots=True)
class CostSpread:
    """Of a layer or the whole; None = not measured, or fewer than two windows."""

    instructions: Spread | None = None
    cycles: Spread | None = None


def closed_windows(counts: BlockCounts, closed: int) -> BlockCounts:
    """`counts` without what ran in a window that never closed, where single windows are known; `closed` many did."""
    per_window = counts.window_counts
    if per_window is None or not closed or len(per_window) != closed:
        return counts
    total = per_window.sum(axis=0)
    if np.array_equal(total, counts.edge_count):
        return counts
    ran = np.flatnonzero(total)
    return replace(
        counts,
        edge_context=counts.edge_context[ran],
        edge_previous=counts.edge_previous[ran],
        edge_current=counts.edge_current[ran],
        edge_count=total[ran],
        window_counts=per_window[:, ran],
    )


def window_costs(
    counts: BlockCounts, edge_cycles: Real | None, owners: Sequence[int], parts: int, times: Sequence[int]
) -> WindowCosts | None:
    """Costs of each window by the part (0 to `parts` - 1) that owns each context; None where windows are not known."""
    per_window = counts.window_counts
    if per_window is None or not len(per_window):
        return None
    owner = np.asarray(owners)[counts.edge_context]
    divisors = np.asarray(times[: len(per_window)] or [1] * len(per_window), np.float64)[:, None]

    def summed(price: Real) -> Real:
        prices = np.zeros((len(owner), parts))
        prices[np.arange(len(owner)), owner] = price
        slices = (per_window[first : first + _AT_ONCE] for first in range(0, len(per_window), _AT_ONCE))
        return _tidy(np.concatenate([rows @ prices for rows in slices]) / divisors)

    instructions = summed(counts.block_instructions[counts.edge_current].astype(np.float64))
    return WindowCosts(instructions, None if edge_cycles is None else summed(edge_cycles))


def spread_of(values: Real) -> Spread | None:
    """The spread of one figure over windows; None for fewer than two."""
    if len(values) < 2:
        return None
    return Spread(*(_plain(float(f(values))) for f in (np.min, np.median, np.max)))


def part_spreads(costs: WindowCosts) -> list[CostSpread]:
    """The spread of each part, in the order of the columns."""
    parts = range(costs.instructions.shape[1])
    return [
        CostSpread(
            spread_of(costs.instructions[:, part]), None if costs.cycles is None else spread_of(costs.cycles[:, part])
        )
        for part in parts
    ]


def whole_spread(costs: WindowCosts) -> CostSpread:
    """The spread of all parts together."""
    cycles = None if costs.cycles is None else spread_of(whole(costs.cycles))
    return CostSpread(spread_of(whole(costs.instructions)), cycles)


def whole(costs: Real) -> Real:
    """All parts of each window together."""
    return _tidy(costs.sum(axis=1))


def _tidy(costs: Real) -> Real:
    """Without what rounding left: to the binary fractions that prices are made of, so that equal inputs cost the same."""
    tidy: Real = np.round(costs * _PARTS) / _PARTS
    return tidy


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() else value
