"""What of a register is there: the bits that silicon keeps, and what the others read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bits:
    """`kept` can be written and is read back; `fixed` always reads as 1; `reset` is what the others are after reset.

    Of `cleared` a written 1 clears the bit. Of `locks` a written 1 sets it, and a 0 leaves it as it is.
    """

    kept: int = 0
    fixed: int = 0
    reset: int = 0
    cleared: int = 0
    locks: int = 0
