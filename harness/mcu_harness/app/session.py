"""What is kept while many cases run: one emulator, one compiler, the results so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.base.files import kept_in, write_text
from mcu_harness.base.text import for_terminal, shown
from mcu_harness.results import results_file as results_json
from mcu_harness.results.finding_codes import Category, Code
from mcu_harness.results.records import Finding, Results, RunResult, Verdict, case_key, in_order, with_findings
from mcu_harness.results.regression_gate import Gate, undecided
from mcu_harness.results.report import coverage_files, coverage_text, markdown, terminal, variants_text
from mcu_harness.results.report.baseline_notes import baseline_notes, written_notes
from mcu_harness.results.report.earlier_pages import earlier_pages
from mcu_harness.results.variant_comparison import comparisons

if TYPE_CHECKING:
    from mcu_harness.app.options import Options
    from mcu_harness.app.selection import UnusableBoard
    from mcu_harness.base.errors import HarnessError
    from mcu_harness.emulator.contract import Emulator
    from mcu_harness.emulator.kept import KeptEmulators
    from mcu_harness.scenario.cases import Case

Progress = Callable[[str], None]


def _silent(_: str) -> None:
    pass


def _without_test(run: RunResult) -> tuple[str, ...]:
    return case_key(run)[:-1]


class Session:
    """Runs cases and collects their results; `close` ends whatever an emulator keeps running, those of `emulators` too."""

    def __init__(
        self, gate: Gate | None = None, columns: tuple[str, ...] = (), emulators: KeptEmulators | None = None
    ) -> None:
        self._gate = gate or Gate()
        self._columns = columns
        self._expected: list[Case] = []
        self._unused: set[str] = set()
        self._runs: list[tuple[str, RunResult]] = []  # with the test that made it, "" for none
        self._to_accept: dict[str, list[tuple[tuple[str, ...], Path]]] = {}  # by test: rows and their baselines
        self._emulators = emulators
        self._earlier: list[str] = []  # pages of an earlier run, beside those of this one

    def run(
        self,
        case: Case,
        options: Options,
        progress: Progress = _silent,
        *,
        gated: bool = True,
        rules: Callable[[RunResult], Iterable[Finding]] = lambda _: (),
        owner: str = "",
        measure: Callable[[], tuple[RunResult, tuple[Finding, ...]]] | None = None,
    ) -> RunResult:
        """Run one case and keep its result; raises HarnessError when it cannot be set up, and keeps that as its result.

        `gated` compares it with its baseline; findings of `rules` are added to it. `owner` is the test that it is for.
        `measure` gives what `Session.measure` would, where that was done elsewhere.
        """
        from mcu_harness.app.judge import not_set_up
        from mcu_harness.base.errors import HarnessError

        try:
            result, notes = measure() if measure else self.measure(case, options, progress)
            return self.keep(case, result, gated=gated, rules=lambda run: (*notes, *rules(run)), owner=owner)
        except HarnessError as error:
            self.add(not_set_up(case, options.emulator, case.toolchain or options.toolchain, error), owner)
            raise

    def measure(
        self, case: Case, options: Options, progress: Progress = _silent
    ) -> tuple[RunResult, tuple[Finding, ...]]:
        """The result of a case, which is not kept, and notes on how it was run, for `keep`."""
        # Late: this is what pulls in the emulator, numba and the model reader.
        from mcu_harness.app.pipeline import run_case

        if options.kernels:
            case = replace(case, scenario=replace(case.scenario, kernels=options.kernels))
        if options.placement:
            case = replace(case, scenario=replace(case.scenario, placement=options.placement))
        if options.cmsis_nn:
            case = replace(case, scenario=replace(case.scenario, cmsis_nn=options.cmsis_nn))
        emulator, passed_over = self._emulator(case, options)
        questions = (*case.scenario.what_if, *options.what_if)
        toolchain = case.toolchain or options.toolchain
        traced, covered = options.memory_trace, options.coverage
        result = run_case(
            case,
            emulator,
            toolchain,
            progress,
            questions,
            memory_trace=traced,
            coverage=covered,
            heap_trace=options.heap_trace,
        )
        return result, tuple(passed_over)

    def keep(
        self,
        case: Case,
        result: RunResult,
        *,
        gated: bool = True,
        rules: Callable[[RunResult], Iterable[Finding]] = lambda _: (),
        owner: str = "",
    ) -> RunResult:
        """Judge the result of a run of `case` as `run` does, and keep it."""
        if gated and self._gate.update:  # what a rule fails is not accepted
            result = self._gate.judge(case, with_findings(result, rules(result)))
        else:
            result = self._gate.judge(case, result) if gated else result
            result = with_findings(result, rules(result))
        kept = self.add(result, owner)
        if gated and self._gate.update and not self._gate.is_final(case):
            path = self._gate.path(case, kept.toolchain.name)
            self._to_accept.setdefault(owner, []).append((case_key(kept), path))
        return kept

    def end_test(self, owner: str, failure: str) -> list[str]:
        """Accept the figures of the test `owner` where that was asked for, unless it had a `failure`; returns what went wrong."""
        waiting = dict(self._to_accept.pop(owner, []))
        problems = []
        for nth, (kept, run) in enumerate(self._runs):
            if kept == owner and case_key(run) in waiting:
                done = self._gate.accepted(waiting[case_key(run)], replace(run, test=""), failure)
                self._runs[nth] = (kept, replace(done, test=run.test))
                problems += [
                    finding.message
                    for finding in done.findings
                    if finding.code == Code.BASELINE_REFUSED and finding.verdict is not Verdict.PASS
                ]
        return problems

    def add(self, result: RunResult, owner: str = "") -> RunResult:
        """Keep a result, of the test `owner`, in place of an earlier one of the same case; returns it as it is kept.

        Where it is not the result of a scenario, it carries the name of the test: a second one of the test for the same case
        is another case.
        """
        if owner and not result.scenario_path:
            mine = {
                run.test for kept, run in self._runs if kept == owner and _without_test(run) == _without_test(result)
            }
            names = (owner if nth == 1 else f"{owner} ({nth})" for nth in count(1))
            result = replace(result, test=next(name for name in names if name not in mine))
        self._take(result, owner)
        return result

    def add_unusable(self, unusable: UnusableBoard, owner: str = "") -> None:
        """Keep that a board of a scenario cannot be used, for each of its models."""
        from mcu_harness.app.judge import without_board

        for result in without_board(unusable):
            self.add(result, owner)

    def _take(self, result: RunResult, owner: str) -> None:
        key = case_key(result)
        self._runs = [(kept, run) for kept, run in self._runs if case_key(run) != key]
        self._runs.append((owner, result))

    def forget(self, owner: str) -> None:
        """Drop what the test `owner` has measured: it begins again."""
        self._runs = [(kept, run) for kept, run in self._runs if kept != owner]
        self._to_accept.pop(owner, None)

    def fail(self, owner: str, why: str) -> None:
        """The test `owner` failed, `why` in one line: no row that it left passes, whatever its own figures were."""
        finding = Finding(
            Code.TEST_FAILED,
            Verdict.FAIL,
            f"the test failed: {why}",
            "look at the test's own report; the figures may be whole",
        )
        self._runs = [
            (kept, with_findings(run, [finding]) if kept == owner and run.verdict is Verdict.PASS else run)
            for kept, run in self._runs
        ]

    @property
    def runs(self) -> list[RunResult]:
        """The results so far, one for each case, in the order in which they came."""
        return [run for _, run in self._runs]

    def expect(self, cases: Iterable[Case]) -> None:
        """Say which cases exist, run or not: all cases of their scenarios."""
        self._expected += cases

    def add_unused(self, paths: Iterable[str]) -> None:
        """Take over `unused_baselines` of another process."""
        self._unused.update(paths)

    def unused_baselines(self) -> list[str]:
        """Baseline files that belong to no expected case."""
        return sorted(self._unused | {shown(path) for path in self._gate.unused(self._expected)})

    def _emulator(self, case: Case, options: Options) -> tuple[Emulator, list[Finding]]:
        """The emulator for `case`, kept for the next ones too, and a note for each that should have been it."""
        from mcu_harness.emulator.emulators import Need
        from mcu_harness.emulator.kept import KeptEmulators
        from mcu_harness.emulator.select import select

        needs = []
        if case.scenario.renode.includes or case.scenario.renode.other_cores:
            needs.append(Need.PLATFORM_FILES)
        if options.memory_trace:
            needs.append(Need.MEMORY_TRACE)
        if case.scenario.firmware is not None:
            needs.append(Need.UNMODELLED_DEVICES)
        chosen = select(options.emulator, case.board, needs)
        name = chosen.entry.name
        self._emulators = self._emulators or KeptEmulators()
        notes = [
            Finding(
                Code.EMULATOR_PASSED_OVER,
                Verdict.PASS,
                f"run in {name}, since what it would have run in cannot be used: {each}",
                "`mcu-harness doctor` shows all that was said; --emulator chooses one without a trial",
            )
            for each in chosen.passed_over
        ]
        return self._emulators.get(name), notes

    @property
    def results(self) -> Results:
        """All results in a fixed order, whatever order they came in."""
        return in_order(self.runs)

    @property
    def passed(self) -> bool:
        """Whether there were runs, and none of them failed or could not be set up."""
        return bool(self.runs) and all(run.verdict is Verdict.PASS or undecided(run) for run in self.runs)

    @property
    def all_set_up(self) -> bool:
        """Whether every case could be set up."""
        return all(finding.category is not Category.SETUP for run in self.runs for finding in run.findings)

    def take_json(self) -> list[str]:
        """The results so far as text that another process can `add_json`; they are not kept here.

        Those whose baselines wait for the end of their test stay until then.
        """
        taken = [run for kept, run in self._runs if kept not in self._to_accept]
        self._runs = [(kept, run) for kept, run in self._runs if kept in self._to_accept]
        return [results_json.to_text(Results((run,))) for run in taken]

    def add_json(self, text: str, owner: str = "") -> None:
        """Take over results from `take_json` of another process, which the test `owner` made there."""
        for run in results_json.parse(text, "a worker's results").runs:
            self._take(run, owner)

    def write(self, directory: Path, errors: list[HarnessError]) -> list[Path]:
        """Write results.json, the board reports, and where coverage was asked for, that; returns the paths.

        What cannot be written is added to `errors`, and keeps nothing else from being written.
        """
        results = self.results
        texts: dict[str, Callable[[Results], str]] = {"results.json": results_json.to_text}
        if comparisons(results):
            texts["variants.md"] = variants_text.markdown
        if any(run.coverage for run in self.runs):
            texts |= {"coverage.lcov": coverage_files.lcov, "coverage.xml": coverage_files.cobertura}
        written = []
        for name, text in texts.items():
            with kept_in(errors):
                write_text(directory / name, text(results))
                written.append(directory / name)
        with kept_in(errors):
            written += markdown.write_board_reports(results, directory)
        self._earlier = [shown(path) for path in earlier_pages(directory, written)]
        return written

    def summary_lines(
        self, width: int | None = None, *, quiet: bool = False, coloured: bool = False, notes: bool = True
    ) -> list[str]:
        """The table and what stands under it, for a terminal of `width` columns where that matters.

        If `quiet`, only the table and which baselines were written; without `notes`, what the figures depend on is left out.
        """
        results = self.results
        table = terminal.summary_table(results, self._columns, width, coloured=coloured).splitlines()
        if quiet:
            return [*table, *map(for_terminal, written_notes(results))]
        below = [
            *(terminal.notes(results, width) if notes else ()),
            *variants_text.summary_lines(results),
            *coverage_text.lines(results),
            *baseline_notes(results, self.unused_baselines(), self._gate.accept_words),
            *(f"of an earlier run, and not in results.json: {page}" for page in self._earlier),
        ]
        return [*table, *([""] if below else []), *map(for_terminal, below)]

    def close(self) -> None:
        """End what emulators keep running."""
        if self._emulators is not None:
            self._emulators.close()
