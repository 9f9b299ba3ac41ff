"""A model as firmware to run: import, memory plan, C, build, and what its outputs have to be."""

from __future__ import annotations

from collections.abc import Callable

from harness import divergence, measure, outputs, provenance
from harness.build import build
from harness.cases import Case
from harness.codegen.generate import generate, plan_memory
from harness.elf import read_program
from harness.emulator import Emulator, Execution
from harness.files import one_line
from harness.footprint import read_footprint
from harness.inference import run_plan, tensors_read
from harness.model.samples import expected_outputs, model_graph, samples_for
from harness.records import Finding, OutputCheck
from harness.subject import Subject
from harness.toolchain import find_toolchain


def prepare(case: Case, emulator: Emulator, toolchain_name: str, progress: Callable[[str], None]) -> Subject:
    """Build inference firmware for the model of `case`; raises HarnessError when that cannot be done.

    `emulator` is used again, after the run, where outputs turn out wrong: to find the layer in which they begin to be.
    """
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

    def check(execution: Execution) -> tuple[OutputCheck, list[Finding]]:
        got = [tensors_read(graph, sources.outputs, raw) for raw in execution.reads]
        expected, oracle = expected_outputs(case.model, scenario.inputs, scenario.outputs)
        checked = outputs.check(got, expected, oracle, samples.labels)
        if not checked.mismatches:
            return checked, []
        place = divergence.first_diverging_layer(case, graph, samples, emulator, toolchain, checked)
        return checked, [outputs.output_finding(checked, place)]

    return Subject(
        model=one_line(case.model.stem),
        program=program,
        footprint=footprint,
        plan=run_plan(program, sources, graph, samples.inputs, sources.outputs),
        toolchain=image.toolchain,
        parts=measure.model_parts(
            graph, memory, footprint, [program.symbol(name).address for name in sources.layer_symbols]
        ),
        check=check,
        provenance=lambda profiled: provenance.of_model(case, graph, image, sources, profiled),
        figures=measure.model_figures(graph, memory, footprint, sources),
        arena=measure.arena_blocks(graph, memory),
        stack_area=measure.stack_area(program),
    )
