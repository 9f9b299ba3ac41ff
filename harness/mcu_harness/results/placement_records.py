"""What was placed elsewhere than usual, and what that was predicted to give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlacedPart:
    """`nbytes` of "code", "constants" or the "arena" that lie in `memory`, by their symbols."""

    memory: str
    what: str
    nbytes: int
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlacementResult:
    """`cycles_before` and `cycles_predicted` are of the first input, as firmware is usually linked and by the what-if for `parts`.

    What it measured is the run's own figure. Without parts, `reason` says why there are none.
    """

    parts: tuple[PlacedPart, ...] = ()
    cycles_before: float | None = None
    cycles_predicted: float | None = None
    reason: str = ""
