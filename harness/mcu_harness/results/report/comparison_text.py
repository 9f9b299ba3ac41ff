"""Two sets of results side by side: every case in one table, then what moved and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from mcu_harness.base.text import counted, for_terminal
from mcu_harness.results.baseline import Snapshot
from mcu_harness.results.comparison import (
    Comparison,
    causes_text,
    change_text,
    delta_text,
    figure_name,
    regression_findings,
    worsening,
)
from mcu_harness.results.finding_codes import Code, baseline_code
from mcu_harness.results.matching import Ambiguous, Pair, Pairs
from mcu_harness.results.records import Contributor, FigureChange, Finding, Verdict
from mcu_harness.results.report import text
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.scenario.figure_catalogue import compared
from mcu_harness.scenario.tolerance import Tolerance

_MOST_CASES, _MOST_PARTS = 10, 5
# Kinds of parts as baselines name them, in the order in which they are listed.
_KINDS = {
    "layer": "by layer",
    "function": "by function",
    "section": "by section",
    "symbol": "by symbol outside of layers",
    "constant": "by constant of layers",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What is wrong with a case: `case` names it, `pair` is None for one that could not be paired."""

    case: str
    finding: Finding
    pair: Pair | None = None


def judge(pairs: Pairs, tolerances: Iterable[Tolerance], may_go: bool = False) -> list[Judged]:
    """Findings of all cases that break `tolerances` or cannot be held to them; [] without tolerances.

    A case that is gone is one, unless it `may_go`: it would take its gate along.
    """
    held = tuple(tolerances)
    if not held:
        return []
    found = [
        Judged(" on ".join(_case(pair.after)), finding, pair)
        for pair in pairs.both
        for finding in regression_findings(pair.comparison, held, "take the later results as the new reference")
    ]
    found += [
        Judged(" on ".join(_case(unclear.after[0])), _not_comparable(_ambiguous(unclear)))
        for unclear in pairs.ambiguous
    ]
    if not pairs.both and not found:
        found.append(
            Judged("all cases", _not_comparable("the two have no case in common, so nothing was held to anything"))
        )
    if not may_go:
        found += [Judged(" on ".join(_case(case)), _gone()) for case in pairs.gone]
    return found


def _gone() -> Finding:
    return Finding(
        code=Code.COMPARE_GONE,
        verdict=Verdict.FAIL,
        message="the case is gone, and nothing holds its figures now; --allow-gone if it was meant to go",
        advice="bring it back, or allow it",
    )


def _not_comparable(message: str) -> Finding:
    return Finding(
        code=Code.COMPARE_NOT_PAIRED,
        verdict=Verdict.NOT_COMPARABLE,
        message=message,
        advice="compare results of one session with those of another; a case is told by scenario, model, board, compiler and test",
    )


def _ambiguous(unclear: Ambiguous) -> str:
    before, after = len(unclear.before), len(unclear.after)
    return f"the case is there {before} times before and {after} times after: which belongs to which cannot be told"


def to_text(pairs: Pairs, findings: list[Judged], verbosity: int = 0) -> str:
    """The table, what moved in the cases that moved most, and what fails; all cases and parts with verbosity 1."""
    figures = [name for name, figure in compared().items() if _in_table(name, figure.is_count, pairs.both)]
    rows = [[*_case(p.after), *(_cell(p, figure) for figure in figures)] for p in pairs.both]
    rows += [[*_case(case), "gone"] for case in pairs.gone] + [[*_case(case), "new"] for case in pairs.new]
    rows += [[*_case(unclear.after[0]), "ambiguous"] for unclear in pairs.ambiguous]
    titles = ["scenario", "board", *(figure_name(figure) for figure in figures)]
    alignment = ("left", "left", *["right"] * len(figures))
    lines = [terminal_table(titles, rows, alignment) if rows else "no cases"]
    moved = sorted((p for p in pairs.both if p.comparison.changes), key=_size, reverse=True)
    shown = moved if verbosity else moved[:_MOST_CASES]
    for pair in shown:
        lines += ["", *_details(pair, 50 if verbosity else _MOST_PARTS)]
    if len(moved) > len(shown):
        lines += ["", f"and {counted(len(moved) - len(shown), 'more case')} that moved (-v shows them)"]
    for reason in sorted({p.comparison.incomparable for p in pairs.both} - {""}):
        count = sum(p.comparison.incomparable == reason for p in pairs.both)
        lines += ["", f"not comparable in {counted(count, 'case')}: {reason}"]
    told = {judged.case for judged in findings if judged.pair is None}
    for unclear in pairs.ambiguous:
        if " on ".join(_case(unclear.after[0])) not in told:
            lines += ["", f"{' on '.join(_case(unclear.after[0]))}: {_ambiguous(unclear)}"]
    for judged in findings:  # what moved is said above
        lines += ["", f"{judged.case}: {text.finding_lines(judged.finding, 0)[0]}"]
    return for_terminal("\n".join(lines)) + "\n"


def to_json(pairs: Pairs, findings: list[Judged]) -> str:
    """The same for programs."""
    failing = {(id(judged.pair), judged.finding.code) for judged in findings if judged.finding.verdict is Verdict.FAIL}
    cases = [
        {
            "scenario": pair.after.scenario,
            "model": pair.after.model,
            "board": pair.after.board,
            "toolchain": pair.after.toolchain,
            "incomparable": pair.comparison.incomparable,
            "causes": list(pair.comparison.causes),
            "changes": [
                {
                    "figure": change.figure,
                    "before": change.before,
                    "after": change.after,
                    "fails": (id(pair), baseline_code(figure_name(change.figure))) in failing,
                    "moved": [{"name": part.name, "delta": part.value} for part in change.moved],
                }
                for change in pair.comparison.changes
            ],
        }
        for pair in pairs.both
    ]
    unclear = [case for found in pairs.ambiguous for case in found.after]
    alone = {"gone": pairs.gone, "new": pairs.new, "ambiguous": unclear}
    made = {"cases": cases, **{key: [list(_case(case)) for case in found] for key, found in alone.items()}}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _case(case: Snapshot) -> tuple[str, str]:
    name = case.scenario if case.model in ("", case.scenario) else f"{case.scenario}/{case.model}"
    return name, case.board


def _cell(pair: Pair, figure: str) -> str:
    """ "+5.00 %", "=" for the same, "not comparable", or which side has it."""
    before, after = pair.before.figures.get(figure), pair.after.figures.get(figure)
    if before is None or after is None:
        return "" if before is after else ("new" if before is None else "gone")
    if figure in pair.comparison.blocked:
        return str(Verdict.NOT_COMPARABLE)
    change = _change(pair.comparison, figure)
    if change is None:
        return "="
    return f"{change.delta / before * 100:+.2f} %" if before else delta_text(change.delta, figure)


def _change(comparison: Comparison, figure: str) -> FigureChange | None:
    return next((change for change in comparison.changes if change.figure == figure), None)


def _size(pair: Pair) -> float:
    """How much a case moved: what got worse counts more than what got better."""
    relative = [worsening(change) for change in pair.comparison.changes]
    return max(relative) if max(relative) > 0 else max(map(abs, relative)) - 1e9


def _in_table(name: str, always: bool, pairs: Iterable[Pair]) -> bool:
    """Whether a figure has a column: counts that anybody has, and others that moved somewhere."""
    if always:
        return any(name in pair.before.figures or name in pair.after.figures for pair in pairs)
    return any(_change(pair.comparison, name) is not None for pair in pairs)


def _details(pair: Pair, most: int) -> list[str]:
    lines = [f"{' on '.join(_case(pair.after))}: {causes_text(pair.comparison.causes)}"]
    for change in pair.comparison.changes:
        lines.append(f"  {change_text(change)}")
        for kind, parts in _by_kind(change.moved).items():
            lines.append(f"    {_KINDS.get(kind, kind)}:")
            lines += [f"      {name}: {_moved(delta, change)}" for name, delta in parts[:most]]
            if rest := parts[most:]:
                total = sum(delta for _, delta in rest)
                lines.append(f"      {len(rest)} more: {_moved(total, change)} (-v shows them)")
    return lines


def _moved(delta: float, change: FigureChange) -> str:
    share = f" ({delta / change.delta * 100:.1f} %)" if change.delta else ""
    return f"{delta_text(delta, change.figure)}{share}"


def _by_kind(moved: Iterable[Contributor]) -> dict[str, list[tuple[str, float]]]:
    """Parts that moved, by what they are parts of: each kind is the whole change, seen in another way."""
    found: dict[str, list[tuple[str, float]]] = {}
    for part in moved:
        kind, _, name = part.name.partition(" ")
        found.setdefault(kind, []).append((name, part.value))
    return {kind: found[kind] for kind in sorted(found, key=lambda kind: [*_KINDS, kind].index(kind))}
