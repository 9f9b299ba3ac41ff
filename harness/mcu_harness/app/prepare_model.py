"""A model as firmware to run: import, memory plan, C, build, and what its outputs have to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mcu_harness.analysis import faithfulness_figures, measured_figures, output_check, result_tables
from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.layer_bounds import with_bounds
from mcu_harness.app import divergence, provenance
from mcu_harness.app.inference_plan import run_plan, tensors_read
from mcu_harness.base.text import one_line
from mcu_harness.emulator.contract import Emulator, Execution
from mcu_harness.image.build import build
from mcu_harness.image.cmsis_nn import with_cmsis_nn
from mcu_harness.image.footprint import read_footprint
from mcu_harness.image.placed import Placement, check_placed
from mcu_harness.image.program import read_program
from mcu_harness.image.toolchain import find_toolchain
from mcu_harness.model.arrays import Array, reals
from mcu_harness.model.faithfulness import by_place, faithfulness
from mcu_harness.model.graph import Graph
from mcu_harness.model.import_notes import import_notes
from mcu_harness.model.int8_model import int8_model
from mcu_harness.model.planned import planned_sources
from mcu_harness.model.reference import lacking_in_litert
from mcu_harness.model.samples import Samples, expected_outputs, model_graph, samples_for
from mcu_harness.model.task_scores import Scores, Truth, scores
from mcu_harness.model.tflm import tflm_installed, with_dense_rounded_twice
from mcu_harness.results.records import Finding, OutputCheck
from mcu_harness.scenario.cases import Case


def prepare(
    case: Case,
    emulator: Emulator,
    toolchain_name: str,
    progress: Callable[[str], None],
    placement: Placement = (),
) -> FirmwareUnderTest:
    """Build inference firmware for the model of `case`; raises HarnessError when that cannot be done.

    `placement`: what of it lies elsewhere than usual.

    `emulator` is used again, after the run, where outputs turn out wrong: to find the layer in which they begin to be.
    """
    board, scenario = case.board, case.scenario
    toolchain = find_toolchain(toolchain_name)
    progress("reading the model")
    conversion = int8_model(case.model, case.quantize, progress)
    model = replace(model_graph(conversion.model, scenario.operators), name=case.model_name)
    outputs = scenario.outputs
    if outputs.oracle == "litert" and lacking_in_litert(model) and tflm_installed() and not model.custom:
        outputs = replace(outputs, oracle="tflm")
    if outputs.oracle == "tflm":
        model = with_dense_rounded_twice(model)
    samples = samples_for(conversion.model, scenario.inputs, conversion.inputs, scenario.operators)
    planned = planned_sources(model, board.target, scenario.kernels)
    graph, memory, sources = planned.graph, planned.memory, with_cmsis_nn(planned.sources, scenario.cmsis_nn)
    progress(f"building with {toolchain.name}")
    image = build(sources, board, toolchain, placement=placement)
    program = read_program(image.elf)
    check_placed(placement, program, board)
    footprint = read_footprint(program, board)

    def check(execution: Execution) -> tuple[OutputCheck, list[Finding]]:
        got = [tensors_read(graph, sources.outputs, raw) for raw in execution.reads]
        expected, oracle = expected_outputs(
            conversion.model, scenario.inputs, outputs, (conversion.inputs, conversion.outputs), scenario.operators
        )
        truth = _truth(graph, samples, scenario.outputs.threshold)
        # A file's word holds for what is compared with it alone.
        scored = samples.count if scenario.outputs.file is None else len(got)
        checked = output_check.check(got, expected, oracle, _score(graph, truth) if truth else None, scored)
        if outputs.oracle == "tflm":
            checked = replace(checked, rounding=output_check.ROUNDING_OF_TFLM)
        if not checked.mismatches:
            return checked, []
        if outputs.oracle == "tflm":
            return checked, [output_check.output_finding(checked, "not known: TFLM keeps no tensors between layers")]
        place = divergence.first_diverging_layer(case, conversion.model, graph, samples, emulator, toolchain, checked)
        return checked, [output_check.output_finding(checked, place)]

    regions = result_tables.model_regions(
        graph, memory, footprint, sources, [program.symbol(name).address for name in sources.layer_symbols]
    )
    regions = with_bounds(regions, graph, board)
    own, noisiest = measured_figures.model_figures(graph, memory, footprint, sources), {}
    if conversion.source:
        progress("comparing with the float model")
        found = faithfulness(conversion, scenario.inputs.file, case.quantize.calibration, scenario.outputs.threshold)
        cost = by_place(found, graph)
        own += faithfulness_figures.measurements(cost, regions)
        noisiest = faithfulness_figures.contributors(cost, regions)
        regions = faithfulness_figures.with_ratios(cost, regions)
    notes = (*conversion.notes, *import_notes(graph))
    return FirmwareUnderTest(
        generated=True,
        model=one_line(case.model_name),
        program=program,
        footprint=footprint,
        plan=run_plan(program, sources, graph, samples.emulated, sources.outputs),
        toolchain=image.toolchain,
        code_regions=regions,
        check=check,
        provenance=lambda profiled: provenance.of_model(case, conversion, graph, notes, image, sources, profiled),
        figures=own,
        contributors=noisiest,
        arena=result_tables.arena_blocks(graph, memory),
        stack_area=result_tables.stack_area(program),
    )


def _truth(graph: Graph, samples: Samples, threshold: float | None) -> Truth | None:
    """What is right for `samples`, None where nothing is known of it."""
    if samples.labels is None and samples.targets is None:
        return None
    tensor = graph.tensors[graph.inputs[0]]
    return Truth(samples.labels, samples.targets, lambda: reals(samples.inputs[0], tensor), tensor.elements, threshold)


def _score(graph: Graph, truth: Truth) -> Callable[[Array], Scores]:
    tensor = graph.tensors[graph.outputs[0]]
    return lambda outputs: scores(reals(outputs, tensor), truth)
