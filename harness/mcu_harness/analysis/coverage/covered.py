"""Coverage as an analysis of runs: the source's lines that ran, as a figure with a budget, and as a record."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from mcu_harness.analysis.coverage.executed import executed
from mcu_harness.analysis.coverage.source import coverage
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading, Request
from mcu_harness.results.coverage_records import Coverage
from mcu_harness.results.origin import Origin, OriginKind, not_measured
from mcu_harness.results.records import Contributor, Measurement, RunResult
from mcu_harness.scenario.coverage_table import CoverageSpec

_MOST_FILES = 10  # that are named
_NO_LINES = "the image has no line table: build it with -g"


class Covered(Analysis):
    """Where coverage was asked for: which lines, branches and functions ran."""

    @classmethod
    def asked(cls, request: Request) -> Self | None:
        return cls(request.coverage_of) if request.coverage else None

    def __init__(self, of: CoverageSpec) -> None:
        self._of = of

    def read(self, run: ObservedRun) -> Reading:
        ran = executed(run.execution.blocks, run.execution.elsewhere)
        whole = coverage(run.firmware.program, ran)
        found = Coverage(tuple(file for file in whole.files if self._of.covers(file.path)))

        def show(result: RunResult) -> RunResult:
            return replace(result, coverage=found)

        return Reading(
            figures=(self._figure(whole, found, run),), contributors={"coverage_lines": _missing(found)}, show=show
        )

    def _figure(self, whole: Coverage, found: Coverage, run: ObservedRun) -> Measurement:
        lines = found.lines
        if lines.fraction is None:
            files = ", ".join(file.path for file in whole.files[:_MOST_FILES])
            why = f"no file of the image is one of [coverage] {self._of}; it has {files}" if files else _NO_LINES
            return Measurement.of("coverage_lines", None, not_measured(why))
        said = f"{lines} lines with code, from executed blocks: {run.emulator.name} {run.emulator.version}"
        return Measurement.of("coverage_lines", lines.fraction, Origin(OriginKind.COUNTED, said))


def _missing(found: Coverage) -> tuple[Contributor, ...]:
    """Files by the share of all lines that did not run in them, largest first."""
    total = found.lines.total or 1
    missed = [(file.path, sum(1 for line in file.lines if not line.count)) for file in found.files]
    ordered = sorted(missed, key=lambda item: (-item[1], item[0]))
    return tuple(Contributor(f"not run in {path}", count / total) for path, count in ordered if count)
