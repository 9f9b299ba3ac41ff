"""The straight line: a case goes in, a `RunResult` comes out. Every step lives in a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mcu_harness.analysis import calls_as_layers, figures, output_check, worst_input
from mcu_harness.analysis.diagnose.findings import execution_findings, run_notes
from mcu_harness.analysis.memory import access_counts
from mcu_harness.analysis.memory_fit import check_fit
from mcu_harness.analysis.profile.profile import profile
from mcu_harness.analysis.stack.high_water_mark import above_heap
from mcu_harness.analysis.stack.use import stack_contributors, stack_figures, stack_use
from mcu_harness.analysis.what_if import questions
from mcu_harness.app import prepare_firmware
from mcu_harness.base.text import shown
from mcu_harness.emulator.contract import Emulator
from mcu_harness.emulator.waiting_memory import run_traced, traced_plan
from mcu_harness.results.access_records import MemoryAccesses
from mcu_harness.results.budgets import check_budgets
from mcu_harness.results.records import Finding, RunResult, StackUse, Tool, WhatIf, worst
from mcu_harness.scenario.cases import Case


def run_case(
    case: Case,
    emulator: Emulator,
    toolchain_name: str,
    progress: Callable[[str], None],
    what_ifs: Sequence[str] = (),
    *,
    memory_trace: bool = False,
) -> RunResult:
    """Run one case; raises HarnessError when it cannot be set up. What the firmware does wrong is a finding.

    `what_ifs` are questions about the same run (see `mcu_harness.analysis.what_if.questions`); nothing of it is judged by their answers. With
    `memory_trace`, all of it is traced.
    """
    board, scenario = case.board, case.scenario
    asked_for = questions.parse(what_ifs, board)
    if scenario.firmware is None:
        # Late: firmware of the user's own needs neither the reader of models nor the generator.
        from mcu_harness.app import prepare_model

        firmware = prepare_model.prepare(case, emulator, toolchain_name, progress)
    else:
        firmware = prepare_firmware.prepare(case, scenario.firmware, progress)
    asked = questions.ask(asked_for, firmware, board)
    answers: tuple[WhatIf, ...] = ()
    counted_by = Tool(emulator.name, emulator.version())
    findings: list[Finding] = check_fit(firmware.footprint, board)
    check, profiled, console = output_check.unchecked("the firmware did not run"), None, ""
    stack: StackUse | None = None
    memory: MemoryAccesses | None = None
    own, notes = list(firmware.figures), list(firmware.notes)
    if not findings:
        progress(f"running in {counted_by.name}")
        plan = replace(firmware.plan, includes=scenario.renode_includes)
        if memory_trace:
            plan = access_counts.with_request(plan, firmware, board, emulator.name)
        plan = questions.plan_for(traced_plan(plan, board), asked, board)
        execution = run_traced(emulator, firmware.program, board, plan)
        execution = above_heap(execution, firmware.plan.stack[0], bool(firmware.program.symbols))
        console = execution.console
        own += figures.heap_figures(execution)
        stack = stack_use(execution, firmware.program, board, firmware.plan)
        own += stack_figures(execution, stack)
        notes += run_notes(execution, firmware.program)
        findings = execution_findings(execution, firmware, board)
        if not findings or (execution.window_instructions and scenario.firmware):
            progress("profiling")
            if execution.blocks is not None:
                parts = calls_as_layers.split(firmware.code_regions, execution.blocks, firmware.program)
                firmware = replace(firmware, code_regions=parts)
            entries = [part.entries for part in firmware.code_regions]
            profiled = profile(execution, firmware.program, entries, board, firmware.times)
            answers = questions.priced(asked, execution, firmware, board)
        if memory_trace:
            memory, traced = access_counts.traced(execution, firmware, board, counted_by.name)
            notes += traced
        if not findings:
            check, findings = firmware.check(execution)
    own += worst_input.worst_figures(profiled, board, counted_by)
    measured = figures.measurements(board, firmware.footprint, profiled, check, counted_by, own)
    if not findings:  # what a wrong run costs is not judged
        largest = {
            **figures.contributors(firmware.footprint, profiled, firmware.code_regions, board),
            **firmware.contributors,
        }
        largest |= stack_contributors(stack) | worst_input.worst_contributors(profiled, firmware.code_regions, board)
        findings = check_budgets(case.budgets, measured, largest)
        if scenario.firmware is None and check.mismatches is None and scenario.outputs.oracle != "none":
            findings.append(output_check.unchecked_finding(check))
    regions, sections, symbols = figures.memory_results(firmware.footprint, board)
    return RunResult(
        scenario=scenario.name,
        model=firmware.model,
        board=board.name,
        core=board.core.name,
        clock_hz=board.clock_hz,
        emulator=counted_by,
        toolchain=firmware.toolchain,
        verdict=worst(finding.verdict for finding in (*findings, *notes)),
        findings=(*findings, *notes),
        measurements=measured,
        budgets=figures.limits(case.budgets),
        layers=figures.layer_results(firmware.code_regions, profiled),
        functions=profiled.functions if profiled else (),
        calls=profiled.calls if profiled else (),
        outputs=check,
        regions=regions,
        sections=sections,
        symbols=symbols,
        console=console,
        provenance=firmware.provenance(profiled),
        scenario_path=shown(scenario.path) if scenario.path else "",
        arena=firmware.arena,
        stack_area=firmware.stack_area,
        stack=stack,
        board_facts=figures.board_facts(board),
        spreads=figures.spreads(profiled),
        accesses=memory,
        what_ifs=answers,
    )
