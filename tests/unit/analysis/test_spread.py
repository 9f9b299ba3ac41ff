"""How costs differ from input to input: single windows, told apart from the counts of edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_profile import HELPER, LAYER, MAIN, ONE_INFERENCE, PROGRAM, execution

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.profile.profile import Profile, profile
from mcu_harness.analysis.profile.spread import whole
from mcu_harness.analysis.worst_input import worst_contributors, worst_figures
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.results.budgets import check_budgets
from mcu_harness.results.cost_records import Spread
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Measurement, Tool
from mcu_harness.scenario.limits import Budget
from sample_boards import board
from thumb_code import BX_LR, NOP, POP_PC, PUSH_LR, CodeMemory, branch_if_not_equal, call

UNICORN = Tool("unicorn", "2.1.4")


@pytest.fixture
def memory() -> CodeMemory:
    """main calls a layer, which calls a helper, which loops."""
    made = CodeMemory()
    made.put(MAIN, call(MAIN, LAYER), NOP, BX_LR)
    made.put(LAYER, PUSH_LR, call(LAYER + 2, HELPER), POP_PC)
    made.put(HELPER, NOP, branch_if_not_equal(HELPER + 2, HELPER), BX_LR)
    return made


def inference(rounds: int) -> list[tuple[int, int]]:
    """5 instructions without the loop of two; without any rounds the layer is left out, and 3 fewer."""
    loop = [(HELPER, 4)] * rounds
    return [(MAIN, 4), (LAYER, 6), *loop, (HELPER + 4, 2), (LAYER + 6, 2), (MAIN + 4, 4)] if rounds else [(MAIN, 4)]


def made(memory: CodeMemory, rounds: list[int], times: list[int] | None = None, core: str = "cortex-m4") -> Profile:
    ran = execution(memory, [inference(n) for n in rounds])
    return profile(ran, PROGRAM, ["layer_0"], board(core), times or [])


def test_a_layers_spread_is_the_least_the_middle_and_the_most_of_any_input(memory: CodeMemory) -> None:
    found = made(memory, [3, 10, 1, 7])
    assert found.inputs == 4
    assert found.layer_spreads[0].instructions == Spread(2 + 2 + 2, 2 * 5 + 4, 2 * 10 + 4)
    assert found.spread.instructions == Spread(2 + 7, 2 * 5 + 7, 2 * 10 + 7)
    assert found.layers[0].instructions == (3 + 10 + 1 + 7) * 2 / 4 + 4


def test_a_layer_that_an_input_does_not_reach_costs_nothing_there(memory: CodeMemory) -> None:
    found = made(memory, [0, 2, 0])
    assert found.layer_spreads[0].instructions == Spread(0, 0, 8)
    assert found.layer_spreads[0].cycles is not None
    assert found.layer_spreads[0].cycles.median == 0
    assert found.spread.instructions == Spread(1, 1, 11)


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4", "cortex-m7"])
def test_windows_add_up_to_the_totals(memory: CodeMemory, core: str) -> None:
    random = np.random.default_rng(1)
    rounds = random.integers(0, 40, 50).tolist()
    found = made(memory, rounds, core=core)
    assert found.windows is not None and found.windows.cycles is not None and found.cycles is not None
    assert found.windows.instructions.sum() == pytest.approx(found.instructions * 50)
    assert found.windows.cycles.sum() == pytest.approx(found.cycles * 50)
    assert found.windows.instructions[:, 0].sum() == pytest.approx(found.layers[0].instructions * 50)
    assert whole(found.windows.instructions).tolist() == [2 * n + 7 if n else 1 for n in rounds]


def test_equal_inputs_have_a_flat_spread(memory: CodeMemory) -> None:
    found = made(memory, [4] * 3)
    assert found.spread.cycles is not None and found.spread.cycles.is_flat
    assert found.spread.cycles.maximum == found.cycles


def test_one_input_has_no_spread(memory: CodeMemory) -> None:
    found = made(memory, [4])
    assert found.spread.instructions is None and found.layer_spreads[0].cycles is None


def test_a_window_of_many_inferences_counts_with_their_mean(memory: CodeMemory) -> None:
    recorder_windows = [inference(5) * 10, inference(3)]
    ran = execution(memory, recorder_windows)
    found = profile(ran, PROGRAM, ["layer_0"], board(), [10, 1])
    assert found.spread.instructions == Spread(13, 15, 17)
    assert found.instructions == (170 + 13) / 11


def test_without_a_cycle_table_instructions_still_have_a_spread(memory: CodeMemory) -> None:
    found = made(memory, [1, 2], core="cortex-m23")
    assert found.spread.cycles is None and found.layer_spreads[0].cycles is None
    assert found.spread.instructions == Spread(9, 10, 11)
    assert worst_figures(found, board("cortex-m23"), UNICORN)[1].origin.startswith("not measured: no cycle model")


def test_a_run_that_only_counted_has_the_spread_of_the_whole(memory: CodeMemory) -> None:
    ran = replace(execution(memory, [inference(1), inference(9)]), blocks=None)
    found = profile(ran, PROGRAM, ["layer_0"], board())
    assert found.spread.instructions == Spread(9, 17, 25)
    assert found.layer_spreads == ()


def test_inputs_that_were_not_told_apart_leave_only_the_whole(memory: CodeMemory) -> None:
    ran = execution(memory, [inference(1), inference(9)])
    assert ran.blocks is not None
    found = profile(replace(ran, blocks=replace(ran.blocks, window_counts=None)), PROGRAM, ["layer_0"], board())
    assert found.spread.instructions == Spread(9, 17, 25) and found.spread.cycles is None
    instructions, cycles, latency = worst_figures(found, board(), UNICORN)
    assert instructions.value == 25
    assert (cycles.value, latency.value) == (None, None)
    assert "too many inputs" in cycles.origin and "too many inputs" in latency.origin


def test_a_window_that_never_closed_is_in_no_figure(memory: CodeMemory) -> None:
    recorder = BlockRecorder(memory.read, functions=[(s.address, s.address + s.size) for s in PROGRAM.symbols])
    for blocks in (inference(2), inference(4), inference(30)[:20]):
        recorder.begin(blocks[0][0])
        recorder.add(np.array(blocks, np.uint32))
        if len(blocks) < 20:
            recorder.end()
    ran = replace(execution(memory, [inference(2), inference(4)]), blocks=recorder.counts())
    found = profile(ran, PROGRAM, ["layer_0"], board())
    complete = made(memory, [2, 4])
    assert found.instructions == complete.instructions == 13
    assert found.cycles == complete.cycles
    assert found.functions == complete.functions
    assert found.spread == complete.spread


def test_a_window_left_in_the_middle_of_a_block_counts_what_completed(memory: CodeMemory) -> None:
    recorder = BlockRecorder(memory.read, functions=[(s.address, s.address + s.size) for s in PROGRAM.symbols])
    instructions = []
    for blocks, pc in ((ONE_INFERENCE[:2], LAYER + 2), (ONE_INFERENCE[:2], None)):
        before = recorder.instructions
        recorder.begin(MAIN)
        recorder.add(np.array(blocks, np.uint32))
        if pc is not None:
            recorder.leave_early(pc)
        recorder.end()
        instructions.append(recorder.instructions - before)
    ran = replace(execution(memory, [inference(1)]), blocks=recorder.counts(), window_instructions=tuple(instructions))
    found = profile(ran, PROGRAM, ["layer_0"], board())
    assert instructions == [2, 3]
    assert found.spread.instructions == Spread(2, 2.5, 3)
    assert found.layer_spreads[0].instructions == Spread(1, 1.5, 2)


def test_the_worst_input_is_named_and_can_be_limited(memory: CodeMemory) -> None:
    found = made(memory, [3, 10, 1])
    parts = [CodeRegion("00 LOOP", "LOOP", ())]
    figures = {figure.name: figure for figure in worst_figures(found, board(), UNICORN)}
    assert figures["instructions_max"] == Measurement(
        "instructions_max",
        27,
        "instructions",
        "counted: unicorn 2.1.4; the most of 3 inputs: input 1",
        OriginKind.COUNTED,
    )
    cycles = figures["cycles_max"].value
    assert found.spread.cycles is not None and cycles == found.spread.cycles.maximum
    assert figures["latency_max_s"].value == pytest.approx((cycles or 0) / 16e6)
    contributors = worst_contributors(found, parts, board())
    assert [(c.name, c.value) for c in contributors["instructions_max"]] == [
        ("layer 00 LOOP", 24),
        ("outside of layers", 3),
    ]
    budgets = {key: Budget(key, limit) for key, limit in (("instructions_max", 26), ("latency_max", 1.0))}
    (finding,) = check_budgets(budgets, figures, contributors)
    assert (finding.code, finding.measured, finding.limit) == ("budget.instructions_max", 27, 26)
    assert finding.contributors == contributors["instructions_max"]


def test_the_worst_of_one_input_is_that_input(memory: CodeMemory) -> None:
    found = made(memory, [3])
    figures = worst_figures(found, board(), UNICORN)
    assert [figure.value for figure in figures[:2]] == [found.instructions, found.cycles]
    assert figures[0].origin.endswith("there was one input")
