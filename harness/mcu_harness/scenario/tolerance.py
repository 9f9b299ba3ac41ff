"""Tolerances: how far a figure may grow over its baseline ("cycles:2%", "flash:+256")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.base.errors import UnitError

# Budget keys name the same figures in tolerances.
KEYS = {
    "instructions": "instructions",
    "cycles": "cycles",
    "flash": "flash_bytes",
    "ram": "ram_bytes",
    "arena": "arena_bytes",
    "stack": "stack_hwm_bytes",
}
UNITS = {name: "B" if name.endswith("_bytes") else name for name in KEYS.values()}
_HINT = "write for example cycles:2% or flash:+256; figures: " + ", ".join(KEYS)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far `figure` (a measurement name) may grow over the baseline: `relative` (0.02 = 2 %) or else `absolute`."""

    figure: str
    relative: float | None = None
    absolute: float | None = None

    def limit(self, accepted: float) -> float:
        """The largest value that still passes."""
        if self.relative is not None:
            return accepted * (1 + self.relative)
        return accepted + (self.absolute or 0)

    def exceeded(self, accepted: float, value: float) -> bool:
        """Whether `value` is above the limit; a value on the limit is not, whatever binary fractions make of it."""
        limit = self.limit(accepted)
        return value > limit + 1e-9 * abs(limit)

    @property
    def key(self) -> str:
        """The figure as people write it: "flash"."""
        return next(key for key, figure in KEYS.items() if figure == self.figure)

    @property
    def amount(self) -> str:
        """ "2%" or "+256"."""
        return f"{self.relative * 100:g}%" if self.relative is not None else f"+{self.absolute or 0:.12g}"

    @property
    def text(self) -> str:
        """As `parse_tolerance` reads it."""
        return f"{self.key}:{self.amount}"


def parse_tolerance(text: str) -> Tolerance:
    """ "cycles:2%" is relative, "flash:+256" or "flash:+1KiB" absolute; raises UnitError with the known figures."""
    key, colon, amount = (part.strip() for part in text.partition(":"))
    if not colon or key not in KEYS:
        raise UnitError(f"cannot read the tolerance {text!r}", hint=_HINT)
    figure = KEYS[key]
    if re.fullmatch(r"\d+(\.\d+)?\s*%", amount):
        return Tolerance(figure, relative=units.parse(amount, "fraction"))
    if amount.startswith("+") and amount[1:].strip()[:1].isdigit():
        kind = "bytes" if UNITS[figure] == "B" else "count"
        return Tolerance(figure, absolute=units.parse(amount[1:], kind))
    raise UnitError(f"cannot read the tolerance {text!r}", hint=_HINT)
