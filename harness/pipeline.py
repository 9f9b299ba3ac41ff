"""The straight line: a case goes in, a `RunResult` comes out. Every step lives in a module of its own."""

from __future__ import annotations

from collections.abc import Callable

from harness import divergence, measure, outputs, provenance
from harness.budget import check_budgets
from harness.build import build
from harness.cases import Case
from harness.codegen.generate import generate, plan_memory
from harness.diagnose import execution_findings
from harness.elf import read_program
from harness.emulator import Emulator
from harness.files import one_line, shown
from harness.fit import check_fit
from harness.footprint import read_footprint
from harness.inference import run_plan, tensors_read
from harness.model.samples import expected_outputs, model_graph, samples_for
from harness.profile import profile
from harness.records import Finding, RunResult, Tool, worst
from harness.toolchain import find_toolchain


def run_case(case: Case, emulator: Emulator, toolchain_name: str, progress: Callable[[str], None]) -> RunResult:
    """Run one case; raises HarnessError when it cannot be set up. What the firmware does wrong is a finding."""
    board, scenario = case.board, case.scenario
    toolchain = find_toolchain(toolchain_name)
    progress("reading the model")
    graph = model_graph(case.model)
    samples = samples_for(case.model, scenario.inputs)
    memory = plan_memory(graph, board.target)
    sources = generate(graph, memory, board.target)
    progress(f"building with {toolchain.name}")
    image = build(sources, board, toolchain)
    program = read_program(image.elf)
    footprint = read_footprint(program, board)
    counted_by = Tool(emulator.name, emulator.version())
    findings: list[Finding] = check_fit(footprint, board)
    check, profiled, console = outputs.unchecked("the firmware did not run"), None, ""
    if not findings:
        progress(f"running in {counted_by.name}")
        execution = emulator.run(program, board, run_plan(program, sources, graph, samples.inputs, sources.outputs))
        console = execution.console
        findings = execution_findings(execution, program)
        if not findings:
            progress("profiling")
            profiled = profile(execution, program, sources.layer_symbols, board)
            got = [tensors_read(graph, sources.outputs, raw) for raw in execution.reads]
            expected, oracle = expected_outputs(case.model, scenario.inputs, scenario.outputs)
            check = outputs.check(got, expected, oracle, samples.labels)
            if check.mismatches:
                place = divergence.first_diverging_layer(case, graph, samples, emulator, toolchain, check)
                findings = [outputs.output_finding(check, place)]
    figures = measure.measurements(graph, board, memory, footprint, sources, profiled, check, counted_by)
    if not findings:  # what a wrong run costs is not judged
        parts = measure.contributors(footprint, profiled, memory, graph, board)
        findings = check_budgets(case.budgets, figures, parts)
        if check.mismatches is None and scenario.outputs.oracle != "none":
            findings.append(outputs.unchecked_finding(check))
    regions, sections, symbols = measure.memory_results(footprint, board)
    return RunResult(
        scenario=scenario.name,
        model=one_line(case.model.stem),
        board=board.name,
        core=board.core.name,
        clock_hz=board.clock_hz,
        emulator=counted_by,
        toolchain=image.toolchain,
        verdict=worst(finding.verdict for finding in findings),
        findings=tuple(findings),
        measurements=figures,
        budgets=measure.limits(case.budgets),
        layers=measure.layer_results(graph, memory, footprint, profiled),
        functions=profiled.functions if profiled else (),
        calls=profiled.calls if profiled else (),
        outputs=check,
        regions=regions,
        sections=sections,
        symbols=symbols,
        console=console,
        provenance=provenance.of(case, graph, image, sources, profiled),
        scenario_path=shown(scenario.path) if scenario.path else "",
        arena=measure.arena_blocks(graph, memory),
        stack_area=measure.stack_area(program),
        board_facts=measure.board_facts(board),
    )
