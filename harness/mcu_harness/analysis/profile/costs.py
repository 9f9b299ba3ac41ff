"""Costs of parts of a run, and which calls a part consists of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mcu_harness.results.cost_records import CycleParts

Number = float | int


@dataclass(frozen=True, slots=True)
class Contexts:
    """Calls: what runs in the contexts `roots` (indexes in `BlockCounts`) and below them."""

    roots: frozenset[int]


# The symbol of a layer's function, the addresses of several functions, or single calls.
Layer = str | Collection[int] | Contexts


@dataclass(frozen=True, slots=True)
class Cost:
    """Instructions and cycles; cycles None = not measured."""

    instructions: Number
    cycles: Number | None

    def mean(self, windows: int) -> Cost:
        """A sum over windows, per window."""
        return Cost(mean(self.instructions, windows), None if self.cycles is None else mean(self.cycles, windows))


def mean_parts(sums: Sequence[float], windows: int) -> CycleParts:
    """Sums over windows by `cycles.parts.Part`, per window."""
    return CycleParts(*(mean(float(each), windows) for each in sums))


def mean(total: Number, windows: int) -> Number:
    """`total` / `windows`, whole when it is whole."""
    quotient = total / windows
    return int(quotient) if quotient == int(quotient) else quotient
