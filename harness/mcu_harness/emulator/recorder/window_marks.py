"""Which counts are of which window, from what had been counted where each began and ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mcu_harness.emulator.recorder.rows import Words

_MOST_COUNTS = 1 << 24  # edges x windows: beyond that, counts of single windows are given up


class WindowMarks:
    """The windows of a run, by number. They may overlap: those of tasks that take turns.

    `counts()` are the counts of all edges so far. Those inside windows stand still while no window is open.
    """

    def __init__(self, counts: Callable[[], Words]) -> None:
        self._counts = counts
        self._last = np.zeros(0, np.int64)  # the counts when the last open window was closed or dropped
        self._begun: dict[int, Words] = {}  # the counts where each open window began
        self._kept = 0
        self.number = -1  # of the window that began last
        self.closed: list[int] = []  # their numbers, in the order in which they ended
        self.total = np.zeros(0, np.int64)  # the counts of all of these
        self._each: list[Words] = []

    @property
    def open(self) -> tuple[int, ...]:
        """The numbers of the windows that are open."""
        return tuple(self._begun)

    @property
    def each(self) -> Sequence[Words] | None:
        """The counts of each window in `closed`; None where they are too many to be kept."""
        return self._each if len(self._each) == len(self.closed) else None

    def begin(self) -> int:
        """A window begins; returns its number."""
        self.number += 1
        self._begun[self.number] = self._counts().copy() if self._begun else self._last
        return self.number

    def end(self, number: int) -> None:
        """A window ends."""
        now, begun = self._counts().copy(), self._begun.pop(number)
        counts = now.copy()
        counts[: len(begun)] -= begun
        self.closed.append(number)
        self.total = _sum(self.total, counts)
        if self._kept < _MOST_COUNTS:
            self._each.append(counts)
            self._kept += len(counts)
        if not self._begun:
            self._last = now

    def drop(self, number: int) -> None:
        """A window that began is not to be counted."""
        del self._begun[number]
        if not self._begun:
            self._last = self._counts().copy()


def _sum(some: Words, more: Words) -> Words:
    """Of two rows of counts, of which the second may be longer."""
    found = more.copy()
    found[: len(some)] += some
    return found
