"""The straight line: a case goes in, a `RunResult` comes out. Every step lives in a module of its own."""

from __future__ import annotations

from collections.abc import Callable

from harness import measure, outputs, provenance
from harness.budget import check_budgets
from harness.build import build
from harness.cases import Case
from harness.codegen.generate import generate, scratch_bytes
from harness.diagnose import execution_findings, locate_divergence
from harness.elf import read_footprint, read_program
from harness.emulator import Emulator
from harness.fit import check_fit
from harness.inference import run_plan, tensors_read
from harness.model.planner import plan
from harness.model.samples import expected_outputs, model_graph, samples_for
from harness.profile import profile
from harness.records import Finding, RunResult, Verdict
from harness.toolchain import find_toolchain


def run_case(case: Case, emulator: Emulator, toolchain_name: str, progress: Callable[[str], None]) -> RunResult:
    """Run one case; raises HarnessError when it cannot be set up. What the firmware does wrong is a finding."""
    board = case.board
    toolchain = find_toolchain(toolchain_name)
    progress("reading the model")
    graph = model_graph(case.model)
    samples = samples_for(graph, case.scenario.inputs)
    memory = plan(graph, scratch_bytes(graph, board.target))
    sources = generate(graph, memory, board.target)
    progress(f"building with {toolchain.name}")
    image = build(sources, board, toolchain)
    program = read_program(image.elf)
    footprint = read_footprint(program, board)
    findings: list[Finding] = check_fit(footprint, board)
    execution = profiled = None
    check = outputs.unchecked(0, "the firmware did not run")
    if not findings:
        progress(f"running in {emulator.name}")
        execution = emulator.run(program, board, run_plan(program, sources, graph, samples.inputs, sources.outputs))
        findings += execution_findings(execution, program, sources)
        progress("profiling")
        if not findings:
            profiled = profile(execution, program, sources.layer_symbols, board)
            got = [tensors_read(graph, sources.outputs, raw) for raw in execution.reads]
            expected, oracle = expected_outputs(case.model, graph, case.scenario.outputs, samples)
            if expected is None:
                check = outputs.unchecked(len(got), oracle, got, samples.labels)
            else:
                check = outputs.compare(got, expected, oracle, samples.labels)
            if check.mismatches:
                diverging = locate_divergence(case, graph, samples, got, expected, emulator, toolchain)
                findings += filter(None, [outputs.output_finding(check, diverging)])
    measurements = measure.measurements(graph, board, memory, footprint, execution, profiled, check, emulator)
    if not findings:  # costs of a run that went wrong are not judged
        findings += check_budgets(case.budgets, measurements, measure.contributors(footprint, profiled, memory, graph))
    return measure.result(
        case, graph, memory, footprint, profiled, check, measurements, findings,
        emulator=emulator, image=image, sources=sources, execution=execution,
        made=provenance.of(case, graph, image, sources, profiled),
        verdict=next((f.verdict for f in findings if f.verdict is Verdict.FAIL), findings[0].verdict if findings else Verdict.PASS),
    )  # fmt: skip
