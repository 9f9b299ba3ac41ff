"""The last stage: what was read of a run, judged, as a `RunResult`. Here alone results are made."""

from __future__ import annotations

from mcu_harness import __version__
from mcu_harness.analysis import measured_figures, output_check, result_tables
from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.observation import Reading
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.app.selection import UnusableBoard
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.text import is_plain_name, one_line, shown
from mcu_harness.emulator.contract import Execution
from mcu_harness.results.budgets import check_budgets
from mcu_harness.results.finding_codes import STOPPED, Code
from mcu_harness.results.records import Finding, OutputCheck, Provenance, RunResult, Tool, Verdict, worst
from mcu_harness.scenario.cases import Case
from mcu_harness.scenario.scenario import Scenario

_DID_NOT_RUN = "the firmware did not run"
_DID_NOT_FINISH = "the run did not finish"
_WENT_WRONG = "the run went wrong before they were looked at"


def judge(
    case: Case,
    emulator: Tool,
    firmware: FirmwareUnderTest,
    execution: Execution | None,
    profile: Profile | None,
    reading: Reading,
) -> RunResult:
    """The result of a run, or of firmware that does not fit, without an `execution`.

    `reading` has the findings of all before. Outputs are checked where there are none, and costs where those are right: what
    a wrong run costs is not judged.
    """
    board = case.board
    findings, check = list(reading.findings), output_check.unchecked(_why_unchecked(execution, reading))
    if execution is not None and not findings:
        check, findings = firmware.check(execution)
    own = (*firmware.figures, *reading.figures)
    measured = measured_figures.measurements(board, firmware.footprint, profile, check, emulator, own)
    if not findings:
        parts = measured_figures.contributors(firmware.footprint, profile, firmware.code_regions, board)
        parts |= {**firmware.contributors, **reading.contributors}
        details = {name: measured_figures.score_details(check, name) for name in measured}
        findings = check_budgets(case.budgets, measured, parts, details)
        findings += _unchecked(case, firmware, check)
    regions, sections, symbols = result_tables.memory_results(firmware.footprint, board)
    everything = (*findings, *firmware.notes, *reading.notes)
    result = RunResult(
        scenario=case.scenario.name,
        model=firmware.model,
        board=board.name,
        core=board.core.name,
        clock_hz=board.clock_hz,
        emulator=emulator,
        toolchain=firmware.toolchain,
        verdict=worst(finding.verdict for finding in everything),
        findings=everything,
        measurements=measured,
        budgets=measured_figures.limits(case.budgets),
        layers=result_tables.layer_results(firmware.code_regions, profile),
        functions=profile.functions if profile else (),
        calls=profile.calls if profile else (),
        outputs=check,
        regions=regions,
        sections=sections,
        symbols=symbols,
        console=execution.console if execution else "",
        provenance=firmware.provenance(profile),
        scenario_path=_scenario_path(case.scenario),
        arena=firmware.arena,
        stack_area=firmware.stack_area,
        board_facts=result_tables.board_facts(board),
        spreads=measured_figures.spreads(profile),
    )
    return reading.show(result)


def _why_unchecked(execution: Execution | None, reading: Reading) -> str:
    """Why outputs were not checked, where they were not."""
    if execution is None:
        return _DID_NOT_RUN
    return _DID_NOT_FINISH if any(finding.category in STOPPED for finding in reading.findings) else _WENT_WRONG


def _unchecked(case: Case, firmware: FirmwareUnderTest, check: OutputCheck) -> list[Finding]:
    """A finding for outputs that were to be checked and could not be."""
    if not firmware.generated or check.mismatches is not None or case.scenario.outputs.oracle == "none":
        return []
    return [output_check.unchecked_finding(check)]


def not_set_up(case: Case, emulator: str, toolchain: str, error: HarnessError) -> RunResult:
    """The result of a case that could not be set up, because of `error`: not measured, with the reason.

    `emulator` and `toolchain` are what was asked for.
    """
    board = case.board
    return RunResult.not_run(
        scenario=case.scenario.name,
        model="" if case.scenario.firmware else one_line(case.model_name),
        board=board.name,
        core=board.core.name,
        clock_hz=board.clock_hz,
        emulator=Tool(emulator, ""),
        toolchain=Tool(toolchain, ""),
        outputs=output_check.unchecked(_DID_NOT_RUN),
        provenance=_nothing_built(case.scenario, board.digest),
        board_facts=result_tables.board_facts(board),
        finding=_setup_error(error),
        scenario_path=_scenario_path(case.scenario),
    )


def without_board(unusable: UnusableBoard) -> list[RunResult]:
    """A result for each model of a scenario on a board that cannot be used."""
    scenario = unusable.scenario
    return [
        RunResult.not_run(
            scenario=scenario.name,
            model="" if scenario.firmware else one_line(name),
            board=unusable.name if is_plain_name(unusable.name) else "unknown",
            core="",
            clock_hz=0,
            emulator=Tool("", ""),
            toolchain=Tool("", ""),
            outputs=output_check.unchecked(_DID_NOT_RUN),
            provenance=_nothing_built(scenario, ""),
            board_facts=None,
            finding=_setup_error(unusable.error),
            scenario_path=_scenario_path(scenario),
        )
        for name in scenario.model_names
    ]


def _setup_error(error: HarnessError) -> Finding:
    advice = error.hint or "look at the error above; the other cases are not concerned"
    return Finding(Code.SETUP_ERROR, Verdict.NOT_MEASURED, error.message, advice)


def _nothing_built(scenario: Scenario, board_digest: str) -> Provenance:
    return Provenance(__version__, "", "", 0, board_digest, "", "", "", scenario.digest)


def _scenario_path(scenario: Scenario) -> str:
    return shown(scenario.path) if scenario.path else ""
