"""What cycles go into, counted by hand, and the least cycles that a layer needs, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_cycles import AT, record
from test_traced_waits import slow, trace

from mcu_harness.analysis.profile.cycles.bound import CoreLimits, bound_cycles, core_limits
from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
from mcu_harness.analysis.profile.cycles.parts import Part
from mcu_harness.analysis.profile.cycles.pricing import price
from mcu_harness.hardware.board import Board
from mcu_harness.model.layer_work import LayerWork, layer_work
from mcu_harness.model.samples import model_graph
from model_builder import ModelBuilder
from sample_boards import board
from thumb_code import CodeMemory, branch_if_not_equal

LDR, MULS, ADDS = bytes.fromhex("0868"), bytes.fromhex("5043"), bytes.fromhex("401c")  # r0 from [r1], times r2, plus 1
LOOP = LDR + MULS + ADDS + branch_if_not_equal(AT + 6, AT)


def parts(on: Board, rounds: int = 1) -> tuple[list[float], float]:
    """Cycles of so many rounds of LOOP by `Part`, and all of them."""
    memory = CodeMemory()
    memory.put(AT, LOOP)
    counts = record(memory, [(AT, len(LOOP))] * rounds)
    prices = price(counts, on)
    assert prices is not None
    cycles = (counts.edge_count[:, None] * prices.edge_parts).sum(axis=0)
    return cycles.tolist(), float((counts.edge_count * prices.edge_cycles).sum())


def test_instructions_go_to_their_kind_and_jumps_to_branches() -> None:
    waits, memory, multiply, branch, rest = parts(board("cortex-m4"), rounds=3)[0]
    assert (waits, memory, multiply, rest) == (0, 3 * 2, 3, 3)
    assert branch == 3 + 2  # each of two jumps refills


def test_waiting_for_a_result_belongs_to_what_makes_it() -> None:
    # The load's result is there two cycles after its start, and so is the product's.
    assert parts(board("cortex-m33"))[0] == [0, 2, 2, 0, 1]


def test_waits_of_memories_are_a_part_of_their_own() -> None:
    memory = CodeMemory()
    memory.put(AT, LDR, ADDS)
    counts = record(memory, [(AT, 4)] * 10)
    prices = price(counts, slow(), trace())
    assert prices is not None
    assert (counts.edge_count[:, None] * prices.edge_parts).sum(axis=0).tolist() == [20, 20, 0, 0, 10]


@pytest.mark.parametrize("core", sorted(CYCLE_TABLES))
def test_the_parts_are_all_of_the_cycles(core: str) -> None:
    for rounds in (1, 2, 7):
        found, cycles = parts(board(core), rounds)
        assert len(found) == len(Part) and sum(found) == cycles > 0


M4, M0PLUS = core_limits(board("cortex-m4")), core_limits(board("cortex-m0+"))
WORK = LayerWork(macs=9000, input_uses=1, weight_uses=1, outer=True, input_bytes=1, stored_bytes=40)


def bound(limits: CoreLimits | None, **changes: object) -> float:
    assert limits is not None
    return bound_cycles(replace(WORK, **changes), limits)  # type: ignore[arg-type]


def test_the_bound_is_multiplications_loads_and_stores() -> None:
    # Two products a multiplication, four bytes a load: an input and a weight for each product, as nothing is shared.
    assert bound(M4) == 9000 / 2 + 2 * 9000 / 4 + 40 / 4
    # Without the DSP extension there is an addition besides.
    assert bound(M0PLUS) == 2 * 9000 / 2 + 2 * 9000 / 4 + 40 / 4


def test_operands_are_shared_as_far_as_registers_reach() -> None:
    # 14 registers: 9 sums of 3 channels and 3 positions, with 3 operands of one kind and 1 of the other.
    assert bound(M4, input_uses=64, weight_uses=64) == 9000 / 2 + 9000 / 4 * (1 / 3 + 1 / 3) + 10
    # A dense layer has one position: every weight is loaded once, an input is for 12 channels at most.
    assert bound(M4, input_uses=64) == 9000 / 2 + 9000 / 4 * (1 + 1 / 12) + 10
    assert bound(M4, input_uses=2) == 9000 / 2 + 9000 / 4 * (1 + 1 / 2) + 10


def test_loads_beside_multiplications_cost_a_core_that_starts_two_at_once_nothing() -> None:
    limits = core_limits(board("cortex-m7"))
    assert bound(limits, input_uses=64, weight_uses=64) == 9000 / 2


def test_wide_inputs_take_more_loads_and_more_multiplications_without_the_extension() -> None:
    assert bound(M4, input_bytes=2) == 9000 / 2 + 9000 / 4 * (2 + 1) + 10
    assert bound(M0PLUS, input_bytes=2) == 2 * 9000 + 9000 / 4 * (2 + 1) + 10


def test_a_core_without_cycles_has_no_bound() -> None:
    assert core_limits(board("cortex-m23")) is None


def test_what_layers_share_follows_from_their_shapes(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=3)
    x = builder.conv_2d(builder.input((1, 8, 6, 3)), channels=4, kernel=(3, 3), padding="SAME")
    x = builder.depthwise_conv_2d(x, kernel=(3, 3), padding="SAME")
    x = builder.fully_connected(builder.reshape(x, (1, -1)), units=5)
    builder.output(builder.softmax(x))
    graph = model_graph(builder.write(tmp_path / "layers.tflite"))
    works = {layer.operator: layer_work(graph, layer) for layer in graph.layers}
    positions = 8 * 6
    assert works["CONV_2D"] == LayerWork(positions * 4 * 27, 4, positions, True, 1, positions * 4)
    assert works["DEPTHWISE_CONV_2D"] == LayerWork(positions * 4 * 9, 9, positions, False, 1, positions * 4)
    assert works["FULLY_CONNECTED"] == LayerWork(5 * positions * 4, 5, 1, True, 1, 5)
    assert works["SOFTMAX"] is None and works["RESHAPE"] is None


def test_a_transposed_convolution_shares_weights_over_positions_of_its_input(tmp_path: Path) -> None:
    builder = ModelBuilder(seed=3)
    image = builder.conv_2d(builder.input((1, 4, 5, 2)), channels=3, kernel=(1, 1))
    builder.output(builder.transpose_conv(image, channels=6, size=(8, 10), kernel=(2, 2), padding="VALID"))
    graph = model_graph(builder.write(tmp_path / "transposed.tflite"))
    (layer,) = [layer for layer in graph.layers if layer.operator == "TRANSPOSE_CONV"]
    assert layer_work(graph, layer) == LayerWork(4 * 5 * 3 * 6 * 4, 6, 4 * 5, True, 1, 8 * 10 * 6)
