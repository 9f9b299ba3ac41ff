"""The protocol of analyses: what one adds is what the pipeline carries, without knowing it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from mcu_harness.analysis import analyses as table
from mcu_harness.analysis.analyses import ANALYSES, analyses_for
from mcu_harness.analysis.coverage.covered import Covered
from mcu_harness.analysis.heap import HeapOverTime
from mcu_harness.analysis.memory.access_counts import AccessCounts
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading, Request, merged
from mcu_harness.analysis.what_if.questions import WhatIfs
from mcu_harness.base.errors import HarnessError
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Contributor, Finding, Measurement, RunResult, Tool, Verdict
from sample_boards import board as sample_board
from sample_results import PASSING


def finding(code: str, message: str = "m") -> Finding:
    return Finding(code, Verdict.FAIL, message, "a")


def test_readings_are_merged_in_their_order_and_a_finding_stands_once() -> None:
    one = Reading(
        figures=(Measurement("a", 1, "B", "o", OriginKind.OBSERVED),),
        contributors={"a": (Contributor("x", 1),)},
        findings=(finding("f.one"), finding("f.two")),
        notes=(finding("n.one"),),
        show=lambda result: replace(result, console=result.console + "1"),
    )
    other = Reading(
        figures=(Measurement("b", 2, "B", "o", OriginKind.OBSERVED),),
        findings=(finding("f.two"), finding("f.two", "another place")),
        show=lambda result: replace(result, console=result.console + "2"),
    )
    both = merged([one, other])
    assert [figure.name for figure in both.figures] == ["a", "b"]
    assert [(f.code, f.message) for f in both.findings] == [("f.one", "m"), ("f.two", "m"), ("f.two", "another place")]
    assert both.contributors == {"a": (Contributor("x", 1),)} and len(both.notes) == 1
    run = replace(PASSING, console="")
    assert both.show(run).console == "12"
    assert merged([]).show(run) == run


def test_only_what_was_asked_for_is_analysed() -> None:
    board = sample_board()
    plain = [type(analysis) for analysis in analyses_for(Request(board))]
    assert set(ANALYSES) - set(plain) == {AccessCounts, Covered, HeapOverTime, WhatIfs}
    everything = analyses_for(
        Request(board, memory_trace=True, heap_trace=True, what_ifs=("clock=1MHz",), coverage=True)
    )
    assert [type(analysis) for analysis in everything] == list(ANALYSES)


def test_a_question_that_cannot_be_read_is_an_error_before_anything_is_built() -> None:
    with pytest.raises(HarnessError):
        analyses_for(Request(sample_board(), what_ifs=("no question",)))


class Coverage(Analysis):
    """An analysis of somebody's own."""

    def plan(self, plan: Any, firmware: Any, board: Any, emulator: str) -> Any:
        return replace(plan, each_call=plan.each_call | {0x10})

    def read(self, run: ObservedRun) -> Reading:
        def show(result: RunResult) -> RunResult:
            return replace(result, console=f"{result.console} and read")

        figure = Measurement(
            "code_lines", len(run.execution.console), "B", "an analysis of one's own", OriginKind.OBSERVED
        )
        return Reading(figures=(figure,), notes=(finding("coverage.low"),), show=show)


def test_an_entry_in_the_table_is_planned_for_read_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from mcu_harness.app import pipeline, prepare_model
    from mcu_harness.app.judge import judge

    monkeypatch.setattr(table, "ANALYSES", (Coverage,))
    board = sample_board()
    analyses = analyses_for(Request(board))
    case = sample_case(board)
    firmware = sample_firmware()
    monkeypatch.setattr(prepare_model, "prepare", lambda *_: firmware)
    emulator: Any = SimpleNamespace(name="unicorn")
    prepared = pipeline.prepare(case, emulator, "auto", analyses, lambda _: None)
    assert prepared.plan.each_call == {0x10}
    run, reading = pipeline.read(firmware, board, Tool("unicorn", "1"), sample_execution(), analyses, lambda _: None)
    result = judge(case, run.emulator, run.firmware, run.execution, run.profile, reading)
    assert result.value("code_lines") == 5
    assert result.console == "hello and read"
    assert "coverage.low" in [f.code for f in result.findings] and result.verdict is Verdict.FAIL


def sample_execution() -> Any:
    from mcu_harness.emulator.contract import Execution, ExitReason

    return Execution(ExitReason.FINISHED, 0, 0, "", "hello", (), (7,), b"", {}, None, 0.0)


def sample_case(board: Any) -> Any:
    from pathlib import Path

    from mcu_harness.scenario.cases import Case
    from mcu_harness.scenario.scenario import InputSpec, OutputSpec, Scenario

    scenario = Scenario(
        "s",
        "",
        (Path("m.tflite"),),
        (board.name,),
        InputSpec(),
        OutputSpec(oracle="none"),
        {},
        {},
        (),
        "",
        Path(),
        None,
        "",
    )
    return Case(scenario, Path("m.tflite"), board)


def sample_firmware() -> Any:
    from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
    from mcu_harness.analysis.output_check import unchecked
    from mcu_harness.emulator.contract import RunPlan
    from mcu_harness.image.footprint import Footprint

    program: Any = SimpleNamespace(symbols=(), sections=(), segments=(), overlays=[])
    footprint = Footprint(0, 0, (), (), (), ())
    return FirmwareUnderTest(
        model="m",
        program=program,
        footprint=footprint,
        plan=RunPlan(begin=1, end=2, exit=3, windows=(), stack=(0, 0)),
        toolchain=Tool("gnu", "1"),
        code_regions=(),
        check=lambda _: (unchecked("none"), []),
        provenance=lambda _: PASSING.provenance,
        generated=True,
    )
