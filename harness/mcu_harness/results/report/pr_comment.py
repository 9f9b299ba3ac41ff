"""A comment for a pull request: what fails, what got worse, what got better, on at most a screen."""

from __future__ import annotations

from collections.abc import Sequence

from mcu_harness.base.text import counted, for_markdown
from mcu_harness.results.baseline import snapshot
from mcu_harness.results.comparison import causes_text, compare
from mcu_harness.results.matching import match
from mcu_harness.results.records import BaselineCheck, Results, RunResult, Verdict
from mcu_harness.results.report import text
from mcu_harness.results.report.changed_figures import Move, Moved, worse_and_better

# Lets whoever posts the comment find it again and replace it.
MARK = "<!-- mcu-harness -->"
_MOST_FAILURES, _MOST_WORSE, _MOST_BETTER = 8, 8, 5


def to_text(results: Results, before: Results | None = None) -> str:
    """The comment as Markdown; at most 40 lines.

    Compared with `before`, or else with the baselines that the runs were compared with.
    """
    checks = _against(results, before) if before else [run.baseline for run in results.runs]
    compared = [(run, check) for run, check in zip(results.runs, checks, strict=True) if check is not None]
    moved = [Moved(run.case_name, _place(run, results), change) for run, check in compared for change in check.changes]
    worse, better = worse_and_better(moved)
    lines = [MARK, f"### mcu-harness: {_headline(results)}", ""]
    lines += _failures(results)
    lines += _table("Worse", worse, _MOST_WORSE) + _table("Better", better, _MOST_BETTER)
    lines += _remarks(results, compared, bool(moved))
    return "\n".join(lines).rstrip() + "\n"


def _against(results: Results, before: Results) -> list[BaselineCheck | None]:
    old, new = [snapshot(run) for run in before.runs], [snapshot(run) for run in results.runs]
    checks: list[BaselineCheck | None] = [None] * len(new)
    for i, j in match(old, new):
        found = compare(old[i], new[j])
        verdict = Verdict.NOT_COMPARABLE if found.incomparable else Verdict.PASS
        checks[j] = BaselineCheck("", verdict, found.incomparable, found.causes, found.changes)
    return checks


def _headline(results: Results) -> str:
    counts = {verdict: sum(run.verdict is verdict for run in results.runs) for verdict in Verdict}
    if counts[Verdict.PASS] == len(results.runs):
        return f"all {len(results.runs)} runs pass" if results.runs[1:] else f"{len(results.runs)} run passes"
    words = {Verdict.FAIL: "failed", Verdict.PASS: "passed"}
    order = (Verdict.FAIL, Verdict.NOT_COMPARABLE, Verdict.NOT_MEASURED, Verdict.PASS)
    return ", ".join(f"{counts[v]} {words.get(v, str(v))}" for v in order if counts[v])


def _failures(results: Results) -> list[str]:
    failed = [
        (run, finding)
        for run in results.runs
        for finding in run.findings
        if finding.verdict in (Verdict.FAIL, Verdict.NOT_MEASURED)
    ]
    if not failed:
        return []
    lines = []
    for run, finding in failed[:_MOST_FAILURES]:
        parts = [text.contributor_text(item, finding) for item in finding.contributors[:2]]
        because = f" ({', '.join(parts)})" if parts else ""
        where = f"{run.case_name} on {_place(run, results)}"
        lines.append(f"- **{for_markdown(where)}**: {for_markdown(finding.message + because)}")
    if len(failed) > _MOST_FAILURES:
        lines.append(f"- and {len(failed) - _MOST_FAILURES} more findings")
    return [*lines, ""]


def _place(run: RunResult, results: Results) -> str:
    """The board, with the compiler where there are several."""
    several = len(text.compilers(results)) > 1
    return f"{run.board} ({run.toolchain.name})" if several else run.board


def _table(title: str, moves: Sequence[Move], most: int) -> list[str]:
    if not moves:
        return []
    lines = [f"| {title} | figure | most | on | mostly |", "| --- | --- | ---: | --- | --- |"]
    for move in moves[:most]:
        cells = (move.case, move.title, move.change_text, move.boards_text, move.parts_text())
        lines.append("| " + " | ".join(for_markdown(cell) for cell in cells) + " |")
    if len(moves) > most:
        lines.append(f"| and {len(moves) - most} more | | | | |")
    return [*lines, ""]


def _remarks(results: Results, compared: Sequence[tuple[RunResult, BaselineCheck]], moved: bool) -> list[str]:
    lines = []
    held = [check for _, check in compared if check.verdict is not Verdict.NOT_MEASURED and not check.incomparable]
    if moved:
        causes = sorted({cause for check in held if check.changes for cause in check.causes})
        lines.append(f"{for_markdown(causes_text(causes).capitalize())}.")
    elif held:
        lines.append(f"No figure moved in {counted(len(held), 'compared run')}.")
    apart = [check for _, check in compared if check.incomparable]
    if apart:
        verb = "is" if len(apart) == 1 else "are"
        lines.append(
            f"{counted(len(apart), 'run')} {verb} not fully comparable: {for_markdown(apart[0].incomparable)}."
        )
    rest = len(results.runs) - len(held) - len(apart)
    if rest:
        lines.append(
            f"{rest} of {counted(len(results.runs), 'run')} {'was' if rest == 1 else 'were'} compared with nothing."
        )
    return ["  \n".join(lines)] if lines else []
