"""A clock for the block recorder: how long code takes, asked once for each block and each step between two blocks."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Times are in `ticks` a cycle, so that fractions of cycles count. The answers must not change in a run."""

    ticks: int

    def block(self, address: int, code: bytes) -> int:
        """What the block takes where execution falls into it; asked before it runs for the first time."""
        ...

    def step(self, previous_end: int | None, address: int) -> int:
        """What the block at `address` takes more when it runs right after code that ended there; None at the start."""
        ...
