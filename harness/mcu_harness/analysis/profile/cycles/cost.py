"""A figure of a cycle model, with its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """`cycles`, plus `per_word` for each word transferred, plus `register_offset` where the address is a sum of two
    registers. `source` is where the figures are from.
    """

    cycles: float
    source: str
    per_word: float = 0.0
    register_offset: float = 0.0
