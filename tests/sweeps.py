"""Sweeps over more cases than every run of the tests needs: a part of them each time, all of them on demand.

`tox -e sweeps` sets MCU_HARNESS_SWEEPS=all. A part is the same on every machine, so that a failure can be made again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")

WHOLE = os.environ.get("MCU_HARNESS_SWEEPS") == "all"


def some(cases: Sequence[_T], count: int) -> list[_T]:
    """`count` of `cases`, in their order, chosen by chance that is always the same; all of them in a whole sweep."""
    if WHOLE or count >= len(cases):
        return list(cases)
    chosen = random.Random(len(cases)).sample(range(len(cases)), count)
    return [cases[index] for index in sorted(chosen)]


def count(few: int, all_: int) -> int:
    """How many random cases to make: `few`, and `all_` of them in a whole sweep."""
    return all_ if WHOLE else few


def pairs(first: Sequence[_T], second: Sequence[_T]) -> list[tuple[_T, _T]]:
    """Each of `first` with one of `second`, in turn; with each of them in a whole sweep."""
    if WHOLE:
        return [(one, other) for one in first for other in second]
    return [(one, second[index % len(second)]) for index, one in enumerate(first)]


def rotated(values: Sequence[_T], by: int) -> list[_T]:
    """`values`, beginning with another one for another `by`."""
    first = by % len(values) if values else 0
    return [*values[first:], *values[:first]]
