"""What there is to say about baselines after a session: accepted, missing, left alone, unused."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, Results, RunResult

_MOST = 5


def baseline_notes(results: Results, unused: Sequence[str], accept: Sequence[str]) -> list[str]:
    """Lines for under the summary table, [] when there is nothing to do.

    `unused` are baseline files of no case; `accept` is the command that accepts figures, to which scenarios are added.
    """
    lines = written_notes(results)
    missing = [run for run, _ in _found(results, Code.BASELINE_MISSING)]
    if missing:
        scenarios = sorted({run.scenario_path for run in missing if run.scenario_path})
        command = shlex.join([*accept, *scenarios])
        paths = [run.baseline.path for run in missing if run.baseline]
        lines += [f"no baseline yet: {path}" for path in paths[:_MOST]]
        lines += [f"no baseline yet: {len(paths) - _MOST} more"] if len(paths) > _MOST else []
        lines.append(f"accept the present figures, then commit the files: {command}")
    lines += [f"baseline of no case, to be removed: {path}" for path in unused]
    return lines


def written_notes(results: Results) -> list[str]:
    """Which baselines were written, or could not be, those that changed first: said in quiet runs too, since files changed."""
    lines = [f"baseline: {finding.message}" for _, finding in _found(results, Code.BASELINE_REFUSED)]
    accepted = sorted(_found(results, Code.BASELINE_ACCEPTED), key=lambda found: not _is_changed(found[0]))
    lines += [f"baseline: {finding.message}" for _, finding in accepted[:_MOST]]
    if len(accepted) > _MOST:
        lines.append(f"baseline: {len(accepted) - _MOST} more accepted; commit the files")
    return lines


def _found(results: Results, code: Code) -> list[tuple[RunResult, Finding]]:
    return [(run, finding) for run in results.runs for finding in run.findings if finding.code == code]


def _is_changed(run: RunResult) -> bool:
    """Whether the run is not as its baseline was."""
    return run.baseline is not None and bool(run.baseline.changes or run.baseline.incomparable)
