"""The regression gate: a run against the baseline of its case.

A run is compared with its baseline whenever there is one; it is held to it only where someone set tolerances: on the
command line, in the scenario's [baseline] table or in ini, in this order. Figures are accepted by an explicit update
and never on the side.
"""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from mcu_harness.base.errors import HarnessError, ResultsError
from mcu_harness.base.files import check_folder
from mcu_harness.base.text import shown
from mcu_harness.hardware.board_file import board_names
from mcu_harness.results import baseline
from mcu_harness.results.comparison import Comparison, change_text, compare, regression_findings
from mcu_harness.results.finding_codes import Category, Code
from mcu_harness.results.records import BaselineCheck, Finding, RunResult, Verdict, with_findings, worst
from mcu_harness.scenario.cases import Case
from mcu_harness.scenario.discovery import is_scenario_file
from mcu_harness.scenario.tolerance import Tolerance


def in_ci() -> bool:
    """Whether a CI service runs this: all of the common ones set CI."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def undecided(run: RunResult) -> str:
    """Why `run` neither passes nor fails, "" when it does.

    What cannot be compared is for its author to know and no failure, except in CI, where it would go unseen.
    """
    if run.verdict is not Verdict.NOT_COMPARABLE or in_ci():
        return ""
    return "; ".join(finding.message for finding in run.findings if finding.verdict is Verdict.NOT_COMPARABLE)


@dataclass(frozen=True, slots=True)
class Gate:
    """What the user chose for all cases. `directory` None means the scenario's own place.

    `tolerances` were given for this session and win over a scenario's, figure by figure; `defaults` hold where
    neither says anything. With `per_toolchain` a session has several compilers and each writes a baseline of its own.
    `is_pytest` and `options` shape the command that a finding offers to accept a case's figures.
    """

    tolerances: tuple[Tolerance, ...] = ()
    defaults: tuple[Tolerance, ...] = ()
    update: bool = False
    directory: Path | None = None
    per_toolchain: bool = False
    is_pytest: bool = True
    options: tuple[str, ...] = ()

    def tolerances_for(self, case: Case) -> tuple[Tolerance, ...]:
        """Those that hold for `case`. Several for one figure, from one place, hold together."""
        chosen: tuple[Tolerance, ...] = ()
        for source in (self.tolerances, case.scenario.tolerances, self.defaults):
            known = {tolerance.figure for tolerance in chosen}
            chosen += tuple(tolerance for tolerance in source if tolerance.figure not in known)
        return chosen

    def path(self, case: Case, toolchain: str) -> Path:
        """Where the baseline of `case` built by `toolchain` lies: the compiler's own if there is one."""
        own = self._directory(case) / _file_name(case, toolchain)
        return own if self.per_toolchain or own.is_file() else self._directory(case) / _file_name(case)

    def judge(self, case: Case, run: RunResult) -> RunResult:
        """`run` with its comparison and the findings of it; writes the baseline when asked to update and it `is_final`.

        Raises ResultsError for a baseline that cannot be read.
        """
        path = self.path(case, run.toolchain.name)
        if self.update:
            return self.accepted(path, run) if self.is_final(case) else run
        tolerances = self.tolerances_for(case)
        if not tolerances and not path.is_file():
            return run
        if not _is_judged(run):  # what a wrong run costs is not compared
            return replace(run, baseline=BaselineCheck(shown(path), Verdict.NOT_MEASURED))
        if not path.is_file():
            return _with(run, BaselineCheck(shown(path), Verdict.NOT_MEASURED), [self._missing(case, path)])
        before = baseline.load(path)
        comparison = compare(before, baseline.snapshot(run, before))
        findings = regression_findings(comparison, tolerances, self.accept_command(case))
        verdict = worst(finding.verdict for finding in findings)
        if comparison.incomparable and verdict is Verdict.PASS:
            verdict = Verdict.NOT_COMPARABLE
        return _with(run, _check(path, verdict, comparison), findings)

    def is_final(self, case: Case) -> bool:
        """Whether a run of `case` says all: one in a test is accepted by `accepted`, when it is known how the test ends."""
        return not case.accepted_by

    def check_places(self, cases: Iterable[Case]) -> None:
        """Raise HarnessError where baselines of `cases` are to be written and cannot be."""
        for folder in sorted({self._directory(case) for case in cases}) if self.update else ():
            check_folder(folder)

    def accept_command(self, case: Case) -> str:
        """The command that makes the present figures of `case` the accepted ones."""
        what = shown(case.scenario.path or case.model)
        if self.is_pytest:
            return shlex.join([*self.accept_words, case.accepted_by or f"{what}::{case.name}"])
        return shlex.join([*self.accept_words, what, "--board", _board(case)])

    @property
    def accept_words(self) -> list[str]:
        """The command that accepts figures, without the scenarios whose figures they are."""
        start = ["pytest", "--mcu-update-baseline"] if self.is_pytest else ["mcu-harness", "run", "--update-baseline"]
        return [*start, *self.options]

    def unused(self, cases: Iterable[Case]) -> list[Path]:
        """Baseline files that belong to none of `cases`, which are all cases of their scenarios.

        Files of other scenarios count only where it is certain that those are gone: in a directory below that of
        the scenario files, which then is read.
        """
        by_scenario: dict[tuple[Path, str], list[Case]] = {}
        for case in cases:
            by_scenario.setdefault((self._directory(case), case.scenario.name), []).append(case)
        found: set[Path] = set()
        for (directory, name), own in by_scenario.items():
            expected = {_file_name(case).removesuffix(".json") for case in own}
            siblings = _scenario_names(own[0].scenario.directory) if self._is_private(own[0]) else None
            for file in directory.glob("*@*.json"):
                place = file.name.removesuffix(".json").partition("@")
                scenario = place[0].partition("+")[0]
                orphan = siblings is not None and scenario not in siblings
                if orphan or (scenario == quote(name, safe="") and _case_part(file) not in expected):
                    found.add(file)
        return sorted(found)

    def _directory(self, case: Case) -> Path:
        return self.directory or case.scenario.directory / case.scenario.baseline_directory

    def _is_private(self, case: Case) -> bool:
        return self._directory(case).resolve().is_relative_to(case.scenario.directory.resolve())

    def accepted(self, path: Path, run: RunResult, failure: str = "") -> RunResult:
        """`run` with what became of its baseline `path`, which is written, unless the test that made it had a `failure`.

        A wrong run must not become what later ones are held to; a larger one may.
        """
        if failure:
            message = f"{shown(path)} was left as it is: {failure}"
            return _with(run, None, [Finding(Code.BASELINE_REFUSED, Verdict.PASS, message, "correct the test first")])
        if not _is_judged(run):
            message = f"{shown(path)} was left as it is: figures of a run that went wrong are not accepted"
            return _with(run, None, [Finding(Code.BASELINE_REFUSED, Verdict.PASS, message, "correct the run first")])
        check, moved = None, "new"
        if path.is_file():
            try:
                before = baseline.load(path)
                comparison = compare(before, baseline.snapshot(run, before))
                check = _check(path, Verdict.PASS, comparison)
                moved = "; ".join(change_text(change) for change in comparison.changes) or "no figure moved"
                moved += f"; {comparison.incomparable}" if comparison.incomparable else ""
            except ResultsError:
                moved = "in place of one that could not be read"
        try:
            baseline.save(baseline.snapshot(run), path)
        except HarnessError as error:  # the run itself is as good as it was
            refused = Finding(Code.BASELINE_REFUSED, Verdict.NOT_MEASURED, error.message, error.hint)
            return _with(run, check, [refused])
        message = f"accepted as {shown(path)}: {moved}"
        broken = sorted({str(f.code) for f in run.findings if f.verdict is Verdict.FAIL})
        if broken:  # _is_judged: nothing but budgets
            message += f"; the case still fails ({', '.join(broken)}): a baseline changes no budget"
        return _with(run, check, [Finding(Code.BASELINE_ACCEPTED, Verdict.PASS, message, "commit the file")])

    def _missing(self, case: Case, path: Path) -> Finding:
        return Finding(
            code=Code.BASELINE_MISSING,
            verdict=Verdict.FAIL if in_ci() else Verdict.PASS,
            message=f"there is no baseline {shown(path)}",
            advice=f"accept the present figures and commit the file: {self.accept_command(case)}",
        )


def _check(path: Path, verdict: Verdict, comparison: Comparison) -> BaselineCheck:
    return BaselineCheck(shown(path), verdict, comparison.incomparable, comparison.causes, comparison.changes)


def _is_judged(run: RunResult) -> bool:
    """Whether nothing but a budget was broken: then the figures are those of a run that did its work."""
    failed = [finding for finding in run.findings if finding.verdict is not Verdict.PASS]
    return all(finding.category is Category.BUDGET for finding in failed)


def _file_name(case: Case, toolchain: str = "") -> str:
    model = case.model_name if len(case.scenario.models) > 1 else ""
    return baseline.baseline_name(case.scenario.name, model, case.board.name, toolchain)


def _case_part(file: Path) -> str:
    """`file`'s name without its toolchain."""
    scenario, at, place = file.name.removesuffix(".json").partition("@")
    return scenario + at + place.partition("+")[0]


def _scenario_names(directory: Path) -> set[str] | None:
    """The names, as in file names, of all scenarios in `directory`; None when one of them cannot be read."""
    names = set()
    for file in directory.glob("*.toml"):
        if is_scenario_file(file):
            try:
                name = tomllib.loads(file.read_text(encoding="utf-8")).get("name", file.stem)
            except (OSError, ValueError):
                return None
            names.add(quote(str(name), safe=""))
    return names


def _with(run: RunResult, check: BaselineCheck | None, findings: list[Finding]) -> RunResult:
    return with_findings(replace(run, baseline=check), findings)


def _board(case: Case) -> str:
    """The board of `case` as the command line takes it."""
    board = case.board
    return board.name if board.name in board_names() else shown(board.path)
