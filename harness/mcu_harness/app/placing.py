"""`placement = "auto"`: what is placed where, by two runs of one inference before the case itself.

The first traces what each function and object waits for; the second what the caches see when it lies elsewhere, for the prediction. Then the firmware
is linked anew, and everything that is reported was measured on that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.memory_fit import LEAST_STACK_BYTES, check_fit
from mcu_harness.analysis.profile.profile import profile
from mcu_harness.analysis.what_if.choice import choose, edges, placed_bytes, variant_of
from mcu_harness.app import prepare_model
from mcu_harness.app.options import Options
from mcu_harness.base.text import one_line
from mcu_harness.emulator.contract import Execution, ExitReason, RunPlan, TraceRequest
from mcu_harness.emulator.traced_run import makes_wait
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board import Board
from mcu_harness.image.placed import PlacedKind, Placement
from mcu_harness.results.placement_records import PlacedPart, PlacementResult
from mcu_harness.scenario.cases import Case
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.placement import AUTO
from mcu_harness.scenario.scenario import InputSpec, OutputSpec

_TITLES = {PlacedKind.CODE: "code", PlacedKind.CONSTANTS: "constants", PlacedKind.ZEROED: "arena"}
_WORTH_IT = 0.995  # of the cycles before


def place(
    firmware: FirmwareUnderTest, board: Board, budgets: dict[str, Budget], progress: Callable[[str], None]
) -> tuple[Placement, PlacementResult]:
    """What is to be placed of `firmware`, which is linked as usual, and the same for its result; () with the reason."""
    if check_fit(firmware.footprint, board):
        return (), PlacementResult(reason="it does not fit as it is")
    embedded = UnicornEmulator()
    if not makes_wait(board):
        return (), PlacementResult(reason="no memory of the board makes the core wait")
    if why := embedded.supports(board):
        return (), PlacementResult(reason=f"memory accesses cannot be traced on this board: {why}")
    progress("placing: what waits for memory")
    program = firmware.program
    plan = _first_window(firmware.plan)
    request = TraceRequest(cuts=edges(program), ends_run=True)
    before = embedded.run(program, board, replace(plan, trace=request))
    spent = _cycles(before, firmware, board)
    if before.reason is not ExitReason.FINISHED or before.data is None or not spent:
        return (), PlacementResult(reason="the run that was to tell ended early")
    stack = LEAST_STACK_BYTES + 2 * (profile(before, program, (), board).stack_hwm_bytes or 0)
    limit = budgets.get("ram")
    most_ram = limit.limit - firmware.footprint.ram_bytes if limit else float("inf")
    everything = choose(before.data, firmware, board, spent, most_ram, stack)
    if not everything:
        return (), PlacementResult(cycles_before=spent, reason="nothing waits enough, or there is no room")
    progress("placing: what it would give")
    tried = [everything]
    for kinds in ({PlacedKind.CODE}, {PlacedKind.CONSTANTS, PlacedKind.ZEROED}):
        part = tuple(one for one in everything if one.kind in kinds)
        if part and part != everything:
            tried.append(part)
    boards = tuple(variant_of(board, placement, program) for placement in tried)
    traced = embedded.run(program, board, replace(plan, trace=TraceRequest(ends_run=True, others=boards)))
    predicted = [
        _cycles(replace(traced, data=data), firmware, variant) or spent
        for variant, data in zip(boards, traced.other_data, strict=True)
    ]
    best = min(range(len(tried)), key=lambda nth: predicted[nth])
    parts = tuple(
        PlacedPart(one.memory, _TITLES[one.kind], placed_bytes(one, program), tuple(map(one_line, one.symbols)))
        for one in tried[best]
    )
    if predicted[best] > _WORTH_IT * spent:
        return (), PlacementResult(cycles_before=spent, reason="it would give less than 0.5 %")
    return tried[best], PlacementResult(parts, spent, predicted[best])


def placement_for(
    case: Case, options: Options, progress: Callable[[str], None]
) -> tuple[Placement, PlacementResult | None]:
    """What `place` says of the model of `case` with the kernels and compiler of `options`; (), None where that is not asked."""
    if options.placement != AUTO:
        return (), None
    scenario = replace(
        case.scenario,
        inputs=InputSpec(count=1),
        outputs=OutputSpec("none"),
        kernels=options.kernels or case.scenario.kernels,
        cmsis_nn=options.cmsis_nn,
    )
    usual = prepare_model.prepare(replace(case, scenario=scenario), UnicornEmulator(), options.toolchain, progress)
    return place(usual, case.board, case.budgets, progress)


def _first_window(plan: RunPlan) -> RunPlan:
    return replace(plan, windows=plan.windows[:1])


def _cycles(execution: Execution, firmware: FirmwareUnderTest, board: Board) -> float | None:
    entries = [part.entries for part in firmware.code_regions]
    return profile(execution, firmware.program, entries, board).cycles
