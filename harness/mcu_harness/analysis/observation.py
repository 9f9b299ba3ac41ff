"""What can be known of a run, one object for each subject: an `Analysis`. `table.ANALYSES` lists them.

An analysis says what the plan of the run needs so that it can be known (`plan`), reads it from the run that has ended
(`read`), and answers with a `Reading`: figures, what they consist of, findings, notes, and its own part of the result.
The pipeline knows this protocol and none of its objects by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.emulator.contract import Execution, RunPlan
from mcu_harness.hardware.board import Board
from mcu_harness.results.records import Contributor, Finding, Measurement, RunResult, Tool
from mcu_harness.scenario.coverage_table import CoverageSpec


@dataclass(frozen=True, slots=True)
class Request:
    """What a user wants to know of a run on `board` beyond what every run says.

    `what_ifs` are questions as they were written (`what_if.spec`); `coverage_of` are the source files that `coverage` is of.
    """

    board: Board
    memory_trace: bool = False
    heap_trace: bool = False
    what_ifs: tuple[str, ...] = ()
    coverage: bool = False
    coverage_of: CoverageSpec = field(default_factory=CoverageSpec)


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """A run that has ended. `profile` is None until there is one, and for a run that left nothing to count."""

    firmware: FirmwareUnderTest
    board: Board
    emulator: Tool
    execution: Execution
    profile: Profile | None = None


def _as_it_is(result: RunResult) -> RunResult:
    return result


@dataclass(frozen=True, slots=True)
class Reading:
    """What an analysis says of a run.

    `contributors` are what figures consist of, by measurement name. `findings` are faults of the run, after which neither
    outputs nor costs are judged; `notes` are findings that a reader of the figures should know, whatever their verdict.
    `show` puts what reports show of it into a result.
    """

    figures: tuple[Measurement, ...] = ()
    contributors: Mapping[str, tuple[Contributor, ...]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    show: Callable[[RunResult], RunResult] = _as_it_is


class Analysis:
    """One thing to know of a run; by itself it asks for nothing and says nothing.

    `reads_costs` analyses are asked after the run was profiled, and the others before, since a run that they find fault
    with is not profiled where it says nothing then.
    """

    reads_costs: ClassVar[bool] = False

    @classmethod
    def asked(cls, request: Request) -> Self | None:
        """The analysis that `request` asks for, None where it asks for none; raises HarnessError for a bad question."""
        del request
        return cls()

    def plan(self, plan: RunPlan, firmware: FirmwareUnderTest, board: Board, emulator: str) -> RunPlan:
        """`plan` with what has to be recorded during the run, as far as `emulator` can; raises HarnessError for
        questions about what is not in `firmware`."""
        del firmware, board, emulator
        return plan

    def read(self, run: ObservedRun) -> Reading:
        """What `run` says."""
        raise NotImplementedError

    def unread(self, board: Board, emulator: Tool) -> Reading:
        """What is said of firmware that did not run: figures without a value, where there should be some."""
        del board, emulator
        return Reading()


def merged(readings: Iterable[Reading]) -> Reading:
    """All of them as one, in their order; a finding that two of them make stands there once."""
    readings = tuple(readings)
    findings: dict[tuple[str, str], Finding] = {}
    for finding in (finding for reading in readings for finding in reading.findings):
        findings.setdefault((finding.code, finding.message), finding)

    def show(result: RunResult) -> RunResult:
        for reading in readings:
            result = reading.show(result)
        return result

    return Reading(
        figures=tuple(figure for reading in readings for figure in reading.figures),
        contributors={name: parts for reading in readings for name, parts in reading.contributors.items()},
        findings=tuple(findings.values()),
        notes=tuple(note for reading in readings for note in reading.notes),
        show=show,
    )
