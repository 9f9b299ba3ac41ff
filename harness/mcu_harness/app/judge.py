"""The last stage: what was read of a run, judged, as a `RunResult`. Here alone results are made."""

from __future__ import annotations

from mcu_harness import __version__
from mcu_harness.analysis import figures, output_check
from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.observation import Reading
from mcu_harness.analysis.profile.profile import Profile
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.text import shown
from mcu_harness.emulator.contract import Execution
from mcu_harness.results.budgets import check_budgets
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, OutputCheck, Provenance, RunResult, Tool, Verdict, worst
from mcu_harness.scenario.cases import Case

_DID_NOT_RUN = "the firmware did not run"


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
    findings, check = list(reading.findings), output_check.unchecked(_DID_NOT_RUN)
    if execution is not None and not findings:
        check, findings = firmware.check(execution)
    own = (*firmware.figures, *reading.figures)
    measured = figures.measurements(board, firmware.footprint, profile, check, emulator, own)
    if not findings:
        parts = figures.contributors(firmware.footprint, profile, firmware.code_regions, board)
        findings = check_budgets(case.budgets, measured, {**parts, **firmware.contributors, **reading.contributors})
        findings += _unchecked(case, firmware, check)
    regions, sections, symbols = figures.memory_results(firmware.footprint, board)
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
        budgets=figures.limits(case.budgets),
        layers=figures.layer_results(firmware.code_regions, profile),
        functions=profile.functions if profile else (),
        calls=profile.calls if profile else (),
        outputs=check,
        regions=regions,
        sections=sections,
        symbols=symbols,
        console=execution.console if execution else "",
        provenance=firmware.provenance(profile),
        scenario_path=_scenario_path(case),
        arena=firmware.arena,
        stack_area=firmware.stack_area,
        board_facts=figures.board_facts(board),
        spreads=figures.spreads(profile),
    )
    return reading.show(result)


def _unchecked(case: Case, firmware: FirmwareUnderTest, check: OutputCheck) -> list[Finding]:
    """A finding for outputs that were to be checked and could not be."""
    if not firmware.generated or check.mismatches is not None or case.scenario.outputs.oracle == "none":
        return []
    return [output_check.unchecked_finding(check)]


def _scenario_path(case: Case) -> str:
    return shown(case.scenario.path) if case.scenario.path else ""


def not_set_up(case: Case, emulator: str, toolchain: str, error: HarnessError) -> RunResult:
    """The result of a case that could not be set up, because of `error`: not measured, with the reason.

    `emulator` and `toolchain` are what was asked for.
    """
    board = case.board
    finding = Finding(
        code=Code.SETUP_ERROR,
        verdict=Verdict.NOT_MEASURED,
        message=error.message,
        advice=error.hint or "look at the error above; the other cases are not concerned",
    )
    return RunResult.not_run(
        scenario=case.scenario.name,
        model="" if case.scenario.firmware else case.model_name,
        board=board.name,
        core=board.core.name,
        clock_hz=board.clock_hz,
        emulator=Tool(emulator, ""),
        toolchain=Tool(toolchain, ""),
        outputs=output_check.unchecked(_DID_NOT_RUN),
        provenance=Provenance(__version__, "", "", 0, board.digest, "", "", "", case.scenario.digest),
        board_facts=figures.board_facts(board),
        finding=finding,
        scenario_path=_scenario_path(case),
    )
