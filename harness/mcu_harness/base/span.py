"""A range of addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """The addresses from `low` up to, and without, `high`."""

    low: int
    high: int

    @property
    def size(self) -> int:
        return max(0, self.high - self.low)

    def holds(self, address: int, size: int = 1) -> bool:
        """Whether all of the `size` bytes at `address` lie in it."""
        return self.low <= address and address + size <= self.high

    def meets(self, other: tuple[int, int]) -> bool:
        """Whether any address lies in both."""
        return self.low < other[1] and other[0] < self.high


def gaps(taken: Iterable[tuple[int, int]], within: Span) -> Iterator[Span]:
    """What is left of `within` beside the ranges `taken`, which may overlap, in order."""
    start = within.low
    for low, high in sorted(taken):
        if start < min(low, within.high):
            yield Span(start, min(low, within.high))
        start = max(start, high)
    if start < within.high:
        yield Span(start, within.high)
