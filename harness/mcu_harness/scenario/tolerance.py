"""Tolerances: how far a figure may grow over its baseline ("cycles:2%", "flash:+256")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.base.errors import UnitError
from mcu_harness.scenario.figure import Better
from mcu_harness.scenario.figure_catalogue import FIGURES, tolerated


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far `figure` (a measurement name) may be worse than the baseline: `relative` (0.02 = 2 %) or else `absolute`."""

    figure: str
    relative: float | None = None
    absolute: float | None = None

    def limit(self, accepted: float) -> float:
        """The worst value that still passes."""
        sign = -1 if FIGURES[self.figure].better is Better.MORE else 1
        if self.relative is not None:
            return accepted * (1 + sign * self.relative)
        return accepted + sign * (self.absolute or 0)

    def exceeded(self, accepted: float, value: float) -> bool:
        """Whether `value` is beyond the limit; a value on the limit is not, whatever binary fractions make of it."""
        limit = self.limit(accepted)
        return FIGURES[self.figure].excess(value, limit) > 1e-9 * abs(limit)

    @property
    def key(self) -> str:
        """The figure as people write it: "flash"."""
        return FIGURES[self.figure].key

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
    figure = tolerated().get(key)
    if colon and figure is not None:
        if re.fullmatch(r"\d+(\.\d+)?\s*%", amount):
            return Tolerance(figure.name, relative=units.parse(amount, "fraction"))
        if amount.startswith("+") and amount[1:].strip()[:1].isdigit():
            amount = amount[1:].strip()
            if figure.kind == "bytes" and amount.replace("_", "").isdigit():
                amount += " B"  # how differences of memory are shown, and long written
            return Tolerance(figure.name, absolute=units.parse_limit(amount, figure.kind))
    hint = "write for example cycles:2% or flash:+256; figures: " + ", ".join(tolerated())
    raise UnitError(f"cannot read the tolerance {text!r}", hint=hint)
