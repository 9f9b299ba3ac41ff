"""Two snapshots of a case: what moved, by how much, because of which parts, and whether they may be compared at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.results.baseline import Snapshot
from mcu_harness.results.finding_codes import Code, baseline_code
from mcu_harness.results.records import Contributor, FigureChange, Finding, Verdict
from mcu_harness.scenario.figure import DEPENDENCIES, Better
from mcu_harness.scenario.figure_catalogue import FIGURES, compared
from mcu_harness.scenario.tolerance import Tolerance

# What firmware is made from, in the order in which it is named as a cause. "build" stands for all of it and is named
# only where nothing else has changed.
_IMPLIED_BY = {"generated code": "model"}
# Means over inputs are not exact in binary: below a hundredth of a count, or this share of another figure, nothing has
# moved.
_STILL, _STILL_SHARE = 0.01, 1e-8


@dataclass(frozen=True, slots=True)
class Comparison:
    """`changes` are the figures that both have, may be compared and moved, in the order of the catalogue.

    `incomparable` says what differs that makes `blocked` figures incomparable, "" when all can be compared.
    `causes` says which inputs changed between the two, () when none did. `missing` are figures that only one has.
    """

    incomparable: str
    blocked: frozenset[str]
    causes: tuple[str, ...]
    changes: tuple[FigureChange, ...]
    missing: tuple[str, ...]


def compare(before: Snapshot, after: Snapshot) -> Comparison:
    """Everything that moved between two snapshots of the same case."""
    figures = compared()
    differing = [name for name in DEPENDENCIES if before.depends_on.get(name, "") != after.depends_on.get(name, "")]
    blocked = frozenset(name for name, figure in figures.items() if figure.depends_on & set(differing))
    common = [name for name in figures if name in before.figures and name in after.figures]
    changes = [_change(before, after, name) for name in common if name not in blocked]
    return Comparison(
        incomparable="; ".join(
            _difference(name, before.depends_on.get(name, ""), after.depends_on.get(name, "")) for name in differing
        ),
        blocked=blocked,
        causes=_causes(before, after),
        changes=tuple(change for change in changes if _moved(change.delta, change.before, change.figure)),
        missing=tuple(name for name in figures if (name in before.figures) != (name in after.figures)),
    )


def _change(before: Snapshot, after: Snapshot, figure: str) -> FigureChange:
    old, new = before.parts.get(figure, {}), after.parts.get(figure, {})
    total = before.figures[figure]
    deltas = [(_rounded(new.get(name, 0) - old.get(name, 0), figure), name) for name in {*old, *new}]
    moved = sorted((d for d in deltas if _moved(d[0], total, figure)), key=lambda d: (-abs(d[0]), d[1]))
    parts = tuple(Contributor(name, delta) for delta, name in moved)
    return FigureChange(figure, before.figures[figure], after.figures[figure], parts)


def _rounded(delta: float, figure: str) -> float:
    return round(delta, 2) if FIGURES[figure].is_count else delta


def _moved(delta: float, of: float, figure: str) -> bool:
    return abs(delta) >= (_STILL if FIGURES[figure].is_count else abs(of) * _STILL_SHARE) and delta != 0


def _difference(name: str, before: str, after: str) -> str:
    """ "compiler: gnu 12.2 -> gnu 13.3"; of flags only those that differ."""
    if name == "flags":
        old, new = before.split(), after.split()
        before, after = " ".join(f for f in old if f not in new), " ".join(f for f in new if f not in old)
        if not before and not after:
            after = "in another order"
    return f"{name}: {before or 'none'} -> {after or 'none'}"


def _causes(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    names = [*after.made_from, *(name for name in before.made_from if name not in after.made_from)]
    changed = [name for name in names if before.made_from.get(name) != after.made_from.get(name)]
    named = [name for name in changed if name != "build" and _IMPLIED_BY.get(name) not in changed]
    return tuple(sorted(named)) or tuple(changed)


def causes_text(causes: Iterable[str]) -> str:
    """What changed, as a clause: "the model and the kernels changed"."""
    listed = [f"the {name}" for name in causes]
    if not listed:
        return "nothing that it is made from changed"
    return f"{', '.join(listed[:-1])}{' and ' if listed[1:] else ''}{listed[-1]} changed"


def figure_name(figure: str) -> str:
    """A figure as people write it: "flash", "stack"."""
    return FIGURES[figure].key


def value_text(value: float, figure: str) -> str:
    """A value of a compared figure to the last count: "1,050", "12.5 ms"."""
    known = FIGURES[figure]
    return units.format_count(value) if known.is_count else units.format_value(value, known.unit)


def delta_text(delta: float, figure: str) -> str:
    """The same of a difference, with its sign and unit: "+50", "+1,024 B", "-0.20 ms"."""
    return units.format_change(delta, FIGURES[figure].unit)


def change_text(change: FigureChange) -> str:
    """ "cycles 1,000 -> 1,050 (+50, +5.00 %)"."""
    share = f", {change.delta / change.before * 100:+.2f} %" if change.before else ""
    before, after = (value_text(value, change.figure) for value in (change.before, change.after))
    return f"{figure_name(change.figure)} {before} -> {after} ({delta_text(change.delta, change.figure)}{share})"


def share_text(change: FigureChange) -> str:
    """ "+5.00 %" of what the figure was; in absolute terms, with the unit, where that was 0."""
    if change.before:
        return f"{change.delta / change.before * 100:+.2f} %"
    return delta_text(change.delta, change.figure)


def relative_text(change: FigureChange) -> str:
    """ "cycles +5.00 %"; in absolute terms where the figure was 0."""
    return f"{figure_name(change.figure)} {share_text(change)}"


def worsening(change: FigureChange) -> float:
    """By what share of what it was a figure got worse, negative where it got better; the change itself where it was 0."""
    moved = change.delta / change.before if change.before else change.delta
    return -moved if FIGURES[change.figure].better is Better.MORE else moved


def regression_findings(comparison: Comparison, tolerances: Iterable[Tolerance], accept: str) -> list[Finding]:
    """Findings for figures that got worse beyond their tolerance; `accept` is the command that accepts them.

    Figures that are incomparable, and have a tolerance, are one finding together: they neither pass nor fail.
    """
    tolerances = tuple(tolerances)
    changes = {change.figure: change for change in comparison.changes}
    findings = []
    blocked = sorted({t.key for t in tolerances if t.figure in comparison.blocked})
    if blocked:
        findings.append(
            Finding(
                code=Code.BASELINE_NOT_COMPARABLE,
                verdict=Verdict.NOT_COMPARABLE,
                message=f"{', '.join(blocked)}: the baseline was made with something else: {comparison.incomparable}",
                advice=f"compare with what the baseline was made with, or accept the new figures: {accept}",
            )
        )
    for tolerance in tolerances:
        change = changes.get(tolerance.figure)
        beyond = "falls below" if FIGURES[tolerance.figure].better is Better.MORE else "exceeds"
        if tolerance.figure in comparison.missing:
            findings.append(
                Finding(
                    code=baseline_code(tolerance.key),
                    verdict=Verdict.NOT_MEASURED,
                    message=f"{tolerance.key} is missing in the run or in its baseline",
                    advice=f"make the run measure it, or accept the new figures: {accept}",
                )
            )
        elif change is not None and tolerance.exceeded(change.before, change.after):
            findings.append(
                Finding(
                    code=baseline_code(tolerance.key),
                    verdict=Verdict.FAIL,
                    message=f"{change_text(change)} {beyond} its baseline by more than {tolerance.amount}; "
                    f"{causes_text(comparison.causes)}",
                    advice=f"look at the parts that moved; if the change is meant, accept it: {accept}",
                    limit=tolerance.limit(change.before),
                    measured=change.after,
                    unit=FIGURES[change.figure].unit,
                    contributors=change.moved,
                    baseline=change.before,
                )
            )
    return findings
