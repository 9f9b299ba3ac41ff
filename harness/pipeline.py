"""The straight line: a case goes in, a `RunResult` comes out. Every step lives in a module of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from harness import each_call, firmware_run, measure, memory_use, outputs, what_if, worst_input
from harness.access_records import MemoryAccesses
from harness.budget import check_budgets
from harness.cases import Case
from harness.diagnose import execution_findings, run_notes
from harness.emulator import Emulator
from harness.emulator.waiting_memory import run_traced, traced_plan
from harness.files import shown
from harness.fit import check_fit
from harness.profile import profile
from harness.profile.stack import above_heap
from harness.records import Finding, RunResult, StackUse, Tool, WhatIf, worst
from harness.stack_use import stack_contributors, stack_figures, stack_use


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

    `what_ifs` are questions about the same run (see `harness.what_if`); nothing of it is judged by their answers. With
    `memory_trace`, all of it is traced.
    """
    board, scenario = case.board, case.scenario
    questions = what_if.parse(what_ifs, board)
    if scenario.firmware is None:
        # Late: firmware of the user's own needs neither the reader of models nor the generator.
        from harness import model_run

        subject = model_run.prepare(case, emulator, toolchain_name, progress)
    else:
        subject = firmware_run.prepare(case, scenario.firmware, progress)
    asked = what_if.ask(questions, subject, board)
    answers: tuple[WhatIf, ...] = ()
    counted_by = Tool(emulator.name, emulator.version())
    findings: list[Finding] = check_fit(subject.footprint, board)
    check, profiled, console = outputs.unchecked("the firmware did not run"), None, ""
    stack: StackUse | None = None
    accesses: MemoryAccesses | None = None
    own, notes = list(subject.figures), list(subject.notes)
    if not findings:
        progress(f"running in {counted_by.name}")
        plan = replace(subject.plan, includes=scenario.renode_includes)
        if memory_trace:
            plan = memory_use.with_request(plan, subject, board, emulator.name)
        plan = what_if.plan_for(traced_plan(plan, board), asked, board)
        execution = run_traced(emulator, subject.program, board, plan)
        execution = above_heap(execution, subject.plan.stack[0], bool(subject.program.symbols))
        console = execution.console
        own += measure.heap_figures(execution)
        stack = stack_use(execution, subject.program, board, subject.plan)
        own += stack_figures(execution, stack)
        notes += run_notes(execution, subject.program)
        findings = execution_findings(execution, subject, board)
        if not findings or (execution.window_instructions and scenario.firmware):
            progress("profiling")
            if execution.blocks is not None:
                parts = each_call.split(subject.parts, execution.blocks, subject.program)
                subject = replace(subject, parts=parts)
            entries = [part.entries for part in subject.parts]
            profiled = profile(execution, subject.program, entries, board, subject.times)
            answers = what_if.priced(asked, execution, subject, board)
        if memory_trace:
            accesses, traced = memory_use.traced(execution, subject, board, counted_by.name)
            notes += traced
        if not findings:
            check, findings = subject.check(execution)
    own += worst_input.worst_figures(profiled, board, counted_by)
    figures = measure.measurements(board, subject.footprint, profiled, check, counted_by, own)
    if not findings:  # what a wrong run costs is not judged
        largest = {**measure.contributors(subject.footprint, profiled, subject.parts, board), **subject.contributors}
        largest |= stack_contributors(stack) | worst_input.worst_contributors(profiled, subject.parts, board)
        findings = check_budgets(case.budgets, figures, largest)
        if scenario.firmware is None and check.mismatches is None and scenario.outputs.oracle != "none":
            findings.append(outputs.unchecked_finding(check))
    regions, sections, symbols = measure.memory_results(subject.footprint, board)
    return RunResult(
        scenario=scenario.name,
        model=subject.model,
        board=board.name,
        core=board.core.name,
        clock_hz=board.clock_hz,
        emulator=counted_by,
        toolchain=subject.toolchain,
        verdict=worst(finding.verdict for finding in (*findings, *notes)),
        findings=(*findings, *notes),
        measurements=figures,
        budgets=measure.limits(case.budgets),
        layers=measure.layer_results(subject.parts, profiled),
        functions=profiled.functions if profiled else (),
        calls=profiled.calls if profiled else (),
        outputs=check,
        regions=regions,
        sections=sections,
        symbols=symbols,
        console=console,
        provenance=subject.provenance(profiled),
        scenario_path=shown(scenario.path) if scenario.path else "",
        arena=subject.arena,
        stack_area=subject.stack_area,
        stack=stack,
        board_facts=measure.board_facts(board),
        spreads=measure.spreads(profiled),
        accesses=accesses,
        what_ifs=answers,
    )
