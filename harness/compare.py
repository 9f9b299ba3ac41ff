"""Two snapshots of a case: what moved, by how much, because of which parts, and whether they may be compared at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness import units
from harness.baseline import FIGURES, Snapshot
from harness.errors import UnitError
from harness.records import Contributor, Finding, Verdict

# Budget keys name the same figures in tolerances.
KEYS = {
    "instructions": "instructions",
    "cycles": "cycles",
    "flash": "flash_bytes",
    "ram": "ram_bytes",
    "arena": "arena_bytes",
    "stack": "stack_hwm_bytes",
}
_UNITS = {name: "B" if name.endswith("_bytes") else name for name in FIGURES}


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far `figure` may grow over the baseline: `relative` (0.02 = 2 %) or else `absolute`."""

    figure: str
    relative: float | None = None
    absolute: float | None = None

    def limit(self, accepted: float) -> float:
        """The largest value that still passes."""
        if self.relative is not None:
            return accepted * (1 + self.relative)
        return accepted + (self.absolute or 0)

    @property
    def text(self) -> str:
        """As `parse_tolerance` reads it."""
        key = next(key for key, figure in KEYS.items() if figure == self.figure)
        return f"{key}:{self.relative * 100:g}%" if self.relative is not None else f"{key}:+{self.absolute:g}"


def parse_tolerance(text: str) -> Tolerance:
    """ "cycles:2%" is relative, "flash:+256" or "flash:+1KiB" absolute; raises UnitError with the known figures."""
    key, colon, amount = text.partition(":")
    hint = "write for example cycles:2% or flash:+256; figures: " + ", ".join(KEYS)
    if not colon or key.strip() not in KEYS:
        raise UnitError(f"cannot read the tolerance {text!r}", hint=hint)
    figure, amount = KEYS[key.strip()], amount.strip()
    if amount.endswith("%") and re.fullmatch(r"\d+(\.\d+)?\s*%", amount):
        return Tolerance(figure, relative=units.parse(amount, "fraction"))
    if amount.startswith("+"):
        kind = "bytes" if _UNITS[figure] == "B" else "count"
        return Tolerance(figure, absolute=units.parse(amount[1:], kind))
    raise UnitError(f"cannot read the tolerance {text!r}", hint=hint)


@dataclass(frozen=True, slots=True)
class Change:
    """A figure in both snapshots. `moved` are the parts that changed, largest change first, signed."""

    figure: str
    before: float
    after: float
    moved: tuple[Contributor, ...]

    @property
    def delta(self) -> float:
        return self.after - self.before

    @property
    def unit(self) -> str:
        return _UNITS[self.figure]

    @property
    def text(self) -> str:
        """ "cycles 1,000 -> 1,050 (+50, +5.00 %)"."""
        share = f", {self.delta / self.before * 100:+.2f} %" if self.before else ""
        amount = f"{self.delta:+,.6g}" + (" B" if self.unit == "B" else "")
        before, after = (units.format_count(value) for value in (self.before, self.after))
        return f"{self.figure.removesuffix('_bytes')} {before} -> {after} ({amount}{share})"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`incomparable` says what differs that makes the figures incomparable, "" when they are comparable.

    `causes` says which inputs changed between the two (model, build, board file), as far as that is known.
    """

    incomparable: str
    causes: str
    changes: tuple[Change, ...]
    missing: tuple[str, ...]  # figures that only one of the two has


def compare(before: Snapshot, after: Snapshot) -> Comparison:
    """Everything that moved between two snapshots of the same case."""
    differing = [
        f"{name}: {before.depends_on.get(name) or 'none'} -> {value or 'none'}"
        for name, value in sorted(after.depends_on.items())
        if before.depends_on.get(name) != value
    ]
    common = [name for name in FIGURES if name in before.figures and name in after.figures]
    changes = [Change(name, before.figures[name], after.figures[name], _moved(before, after, name)) for name in common]
    return Comparison(
        incomparable="; ".join(differing),
        causes=_causes(before, after),
        changes=tuple(change for change in changes if change.delta or change.moved),
        missing=tuple(name for name in FIGURES if (name in before.figures) != (name in after.figures)),
    )


def _moved(before: Snapshot, after: Snapshot, figure: str) -> tuple[Contributor, ...]:
    old, new = before.parts.get(figure, {}), after.parts.get(figure, {})
    deltas = [(new.get(name, 0) - old.get(name, 0), name) for name in {*old, *new}]
    # Means over inputs are not exact in binary: below a thousandth nothing has moved.
    ordered = sorted((d for d in deltas if abs(d[0]) > 1e-3), key=lambda d: (-abs(d[0]), d[1]))
    return tuple(Contributor(name, delta) for delta, name in ordered)


def _causes(before: Snapshot, after: Snapshot) -> str:
    changed = {name for name, value in after.made_from.items() if before.made_from.get(name) != value}
    if "model" in changed:
        return "the model changed"
    if "board file" in changed:
        return "the board file changed"
    return "the firmware's sources changed" if "build" in changed else "the same build"


def regression_findings(comparison: Comparison, tolerances: tuple[Tolerance, ...], accept: str) -> list[Finding]:
    """Findings for figures that grew beyond their tolerance; `accept` is the command that accepts them.

    An incomparable baseline is one finding of its own: it neither passes nor fails.
    """
    if comparison.incomparable:
        return [
            Finding(
                code="baseline.not-comparable",
                verdict=Verdict.NOT_COMPARABLE,
                message=f"the baseline was made with something else: {comparison.incomparable}",
                advice=f"compare with what the baseline was made with, or accept the new figures: {accept}",
            )
        ]
    changes = {change.figure: change for change in comparison.changes}
    findings = []
    for tolerance in tolerances:
        change = changes.get(tolerance.figure)
        if tolerance.figure in comparison.missing:
            findings.append(
                Finding(
                    code=f"baseline.{tolerance.figure}",
                    verdict=Verdict.NOT_MEASURED,
                    message=f"{tolerance.figure} is missing in the run or in its baseline",
                    advice=f"accept the new figures: {accept}",
                )
            )
        elif change is not None and change.after > tolerance.limit(change.before):
            findings.append(
                Finding(
                    code=f"baseline.{tolerance.figure}",
                    verdict=Verdict.FAIL,
                    message=f"{change.text} exceeds the baseline by more than {tolerance.text}; {comparison.causes}",
                    advice=f"look at the parts that moved; if the change is meant, accept it: {accept}",
                    limit=tolerance.limit(change.before),
                    measured=change.after,
                    unit=change.unit,
                    contributors=change.moved,
                )
            )
    return findings
