"""How far a run is, told while it goes on, and not too often."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Underway:
    """What a run has done so far.

    `instructions` are those that are known of, `virtual_s` the time on the board where that is known; `windows` have closed,
    of `last_window` instructions the last.
    """

    instructions: int
    virtual_s: float | None
    windows: int
    last_window: int | None


Tell = Callable[[Underway], None]


class Progress:
    """Tells `tell`, unless that is None, at most twice a second."""

    def __init__(self, tell: Tell | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._next = clock() + _EVERY_S

    def look(self, underway: Callable[[], Underway]) -> None:
        """A good time to tell; `underway` is asked where it is time to."""
        if self._tell is not None and self._clock() >= self._next:
            self._tell(underway())
            self._next = self._clock() + _EVERY_S


def progress_text(underway: Underway, elapsed_s: float, timeout_s: float, stoppable: bool) -> str:
    """In one line; `stoppable` is whether --stop-after would end the run regularly."""
    parts = [f"{underway.instructions / 1e6:,.1f} M instructions"]
    if underway.virtual_s is not None:
        parts.append(f"{underway.virtual_s:,.3f} s on the board")
    if underway.windows:
        parts.append(f"window {underway.windows:,} took {underway.last_window or 0:,} instructions")
    parts.append(f"{elapsed_s:.0f} s of at most {timeout_s:g} s")
    return ", ".join(parts) + (" (Ctrl-C stops it, --stop-after ends it)" if stoppable else " (Ctrl-C stops it)")
