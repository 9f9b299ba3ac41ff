"""A case goes in, a `RunResult` comes out, in four stages: prepare, run, read, judge.

prepare  the model becomes firmware, or the user's own is found or built; what does not fit into the board is not run
run      the emulator runs it, by a plan to which every analysis has added what it needs
read     every analysis reads what it knows about from the run (`mcu_harness.analysis.observation`)
judge    how it ended, then its outputs, then its costs: the first of them that is at fault decides
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mcu_harness.analysis import calls_as_layers
from mcu_harness.analysis.analyses import analyses_for
from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.high_water_mark import above_heap
from mcu_harness.analysis.memory_fit import check_fit
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading, Request, merged
from mcu_harness.analysis.profile.costs import Contexts
from mcu_harness.analysis.profile.profile import Profile, profile
from mcu_harness.app import prepare_firmware
from mcu_harness.app.judge import judge
from mcu_harness.app.other_cores import other_cores
from mcu_harness.emulator.contract import Emulator, Execution, RunPlan
from mcu_harness.emulator.progress import Underway, progress_text
from mcu_harness.emulator.traced_run import run_traced, traced_plan
from mcu_harness.hardware.board import Board
from mcu_harness.image.placed import Placement
from mcu_harness.results.placement_records import PlacementResult
from mcu_harness.results.records import RunResult, Tool
from mcu_harness.scenario.cases import Case
from mcu_harness.scenario.coverage_table import CoverageSpec
from mcu_harness.scenario.placement import AUTO

Progress = Callable[[str], None]

COVERAGE = "coverage_lines"  # the budget that needs coverage


def run_case(
    case: Case,
    emulator: Emulator,
    toolchain_name: str,
    progress: Progress,
    what_ifs: Sequence[str] = (),
    *,
    memory_trace: bool = False,
    coverage: bool = False,
    heap_trace: bool = False,
) -> RunResult:
    """Run one case; raises HarnessError when it cannot be set up. What the firmware does wrong is a finding.

    `what_ifs` are questions about the same run (see `mcu_harness.analysis.what_if.questions`); nothing of it is judged by their answers. With
    `memory_trace`, all of it is traced; with `heap_trace`, the calls of its allocator are; with `coverage`, a budget for it or the scenario's table, the result says which of the source ran.
    """
    board, tool = case.board, Tool(emulator.name, emulator.version())
    spec = case.scenario.coverage
    covered = coverage or COVERAGE in case.budgets or spec is not None
    analyses = analyses_for(Request(board, memory_trace, heap_trace, tuple(what_ifs), covered, spec or CoverageSpec()))
    placement, placed = chosen_placement(case, emulator, toolchain_name, progress)
    prepared = prepare(case, emulator, toolchain_name, analyses, progress, placement)
    firmware = prepared.firmware
    if misfits := check_fit(firmware.footprint, board):
        unread = merged(analysis.unread(board, tool) for analysis in analyses)
        return _placed(judge(case, tool, firmware, None, None, replace(unread, findings=tuple(misfits))), placed)
    progress(f"running in {tool.name}")
    started, plan = time.monotonic(), prepared.plan

    def tell(underway: Underway) -> None:
        text = progress_text(underway, time.monotonic() - started, plan.timeout_s, not firmware.generated)
        progress(f"running in {tool.name}: {text}")

    execution = run_traced(emulator, firmware.program, board, replace(plan, tell=tell))
    run, reading = read(firmware, board, tool, execution, analyses, progress)
    return _placed(judge(case, tool, run.firmware, run.execution, run.profile, reading), placed)


def _placed(result: RunResult, placement: PlacementResult | None) -> RunResult:
    return replace(result, placement=placement)


def chosen_placement(
    case: Case, emulator: Emulator, toolchain_name: str, progress: Progress
) -> tuple[Placement, PlacementResult | None]:
    """What of the case's firmware lies elsewhere than usual, and the same for its result; (), None where that is not asked."""
    if case.scenario.placement != AUTO:
        return (), None
    from mcu_harness.app import placing, prepare_model  # late: see prepare

    usual = prepare_model.prepare(case, emulator, toolchain_name, progress)
    return placing.place(usual, case.board, case.budgets, progress)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Firmware that is ready to run, and the plan for the run."""

    firmware: FirmwareUnderTest
    plan: RunPlan


def prepare(
    case: Case,
    emulator: Emulator,
    toolchain_name: str,
    analyses: Sequence[Analysis],
    progress: Progress,
    placement: Placement = (),
) -> Prepared:
    """Build or find the firmware of `case`, and plan its run; raises HarnessError when that cannot be done."""
    if case.scenario.firmware is None:
        # Late: firmware of the user's own needs neither the reader of models nor the generator.
        from mcu_harness.app import prepare_model

        firmware = prepare_model.prepare(case, emulator, toolchain_name, progress, placement)
    else:
        firmware = prepare_firmware.prepare(case, case.scenario.firmware, progress)
    renode = case.scenario.renode
    plan = replace(firmware.plan, includes=renode.includes, other_cores=other_cores(renode.other_cores))
    for analysis in analyses:
        plan = analysis.plan(plan, firmware, case.board, emulator.name)
    return Prepared(firmware, traced_plan(plan, case.board))


def read(
    firmware: FirmwareUnderTest,
    board: Board,
    emulator: Tool,
    execution: Execution,
    analyses: Sequence[Analysis],
    progress: Progress,
) -> tuple[ObservedRun, Reading]:
    """The run as it is known now, its profile included, and what all `analyses` say of it.

    Firmware of the user's own that is at fault is profiled where it closed a window; generated firmware then is not.
    """
    execution = above_heap(execution, firmware.plan.stack[0], bool(firmware.program.symbols))
    run = ObservedRun(with_overlays(firmware, execution), board, emulator, execution)
    reading = merged(analysis.read(run) for analysis in analyses if not analysis.reads_costs)
    if not reading.findings or (execution.window_instructions and not firmware.generated):
        progress("profiling")
        run = profiled(run)
    return run, merged([reading, *(analysis.read(run) for analysis in analyses if analysis.reads_costs)])


def with_overlays(firmware: FirmwareUnderTest, execution: Execution) -> FirmwareUnderTest:
    """`firmware` with the functions of overlays that may be what ran; regions say where they hold what others run there."""
    if not firmware.program.overlays:
        return firmware
    blocks = execution.blocks
    ran = [] if blocks is None else zip(blocks.block_address.tolist(), blocks.block_code, strict=True)
    program = firmware.program.ran((*ran, *execution.elsewhere))
    several = program.several_at
    regions = tuple(
        replace(region, name=f"{region.name} (overlay, or others there)")
        if not isinstance(region.entries, Contexts) and any(program.function_at(at) in several for at in region.entries)
        else region
        for region in firmware.code_regions
    )
    return replace(firmware, program=program, code_regions=regions)


def profiled(run: ObservedRun) -> ObservedRun:
    """`run` with its profile, and a code region for every single call that is to be one."""
    firmware, execution = run.firmware, run.execution
    if execution.blocks is not None:
        regions = calls_as_layers.split(firmware.code_regions, execution.blocks, firmware.program)
        firmware = replace(firmware, code_regions=regions)
    entries = [region.entries for region in firmware.code_regions]
    made: Profile = profile(execution, firmware.program, entries, run.board, firmware.times)
    return replace(run, firmware=firmware, profile=made)
