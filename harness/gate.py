"""The regression gate: a run against the baseline of its case.

Nothing is compared until someone asks for it: with tolerances on the command line or in ini, or in the scenario's
[baseline] table. Figures are accepted by an explicit update and never on the side.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from harness import baseline
from harness.cases import Case
from harness.compare import Tolerance, compare, regression_findings
from harness.records import Finding, RunResult, Verdict, worst


@dataclass(frozen=True, slots=True)
class Gate:
    """What the user chose for all cases. `directory` None means the scenario's own place."""

    tolerances: tuple[Tolerance, ...] = ()
    update: bool = False
    directory: Path | None = None

    def path(self, case: Case) -> Path:
        """Where the baseline of `case` lies."""
        directory = self.directory or case.scenario.directory / case.scenario.baseline_directory
        return baseline.baseline_path(directory, case.scenario.name, case.model.stem, case.board.name)

    def judge(self, case: Case, run: RunResult) -> RunResult:
        """`run` with the findings of the comparison added; writes the baseline when asked to update.

        Raises ResultsError for a baseline that cannot be read.
        """
        tolerances = self.tolerances or case.scenario.tolerances
        path = self.path(case)
        if self.update:
            # A wrong run must not become what later ones are held to; one that is merely larger may.
            if run.outputs.mismatches == 0 or (run.outputs.mismatches is None and run.value("instructions")):
                baseline.save(baseline.snapshot(run), path)
            return run
        if not tolerances:
            return run
        if not path.is_file():
            return _with(run, [_missing(path)])
        before, after = baseline.load(path), baseline.snapshot(run)
        return _with(run, regression_findings(compare(before, after), tolerances, accept_command(case)))


def accept_command(case: Case) -> str:
    """The command that makes the present figures of `case` the accepted ones."""
    scenario = case.scenario.path or case.model
    return f"pytest {_shown(scenario)}::{case.name} --mcu-update-baseline"


def unused(expected: Iterable[Path]) -> list[Path]:
    """Baseline files beside those of `expected` that are none of them."""
    known = {path.resolve() for path in expected}
    found = {file for folder in {path.parent for path in known} for file in folder.glob("*@*.json")}
    return sorted(file for file in found if file.resolve() not in known)


def _missing(path: Path) -> Finding:
    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return Finding(
        code="baseline.missing",
        verdict=Verdict.FAIL if in_ci else Verdict.PASS,
        message=f"there is no baseline {_shown(path)}",
        advice="accept the present figures with --mcu-update-baseline and commit the file",
    )


def _with(run: RunResult, findings: list[Finding]) -> RunResult:
    everything = (*run.findings, *findings)
    return replace(run, findings=everything, verdict=worst(finding.verdict for finding in everything))


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
