"""`placement = "auto"`: what is placed lies there, gives what was predicted, and takes no more RAM than there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.hardware.board_file import find_board
from mcu_harness.results.records import RunResult
from mcu_harness.results.report import placement_section
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.scenario import scenario_for_model

MODEL = Path(__file__).parents[2] / "scenarios/models/digits.tflite"
# Of what is predicted: the worst error of the cycle models of these boards on programs that nothing was chosen on.
STATED_ERROR = {"nucleo_l4r5zi": 0.053, "stm32f746g_disco": 0.029, "nucleo_g0b1re": 0.048}


def run(board: str, placement: str = "auto", toolchain: str = "auto", **budgets: float) -> RunResult:
    scenario = scenario_for_model(MODEL, (board,))
    limits = {key: Budget(key, limit) for key, limit in budgets.items()}
    scenario = replace(scenario, inputs=replace(scenario.inputs, count=1), placement=placement, budgets=limits)
    session = Session()
    try:
        (case,) = cases_of(scenario)
        return session.run(case, Options(emulator="unicorn", toolchain=toolchain), gated=False)
    finally:
        session.close()


@pytest.fixture(scope="module", params=sorted(STATED_ERROR))
def placed(request: pytest.FixtureRequest) -> RunResult:
    return run(request.param)


def test_it_gives_what_was_predicted_within_the_stated_error(placed: RunResult) -> None:
    found, measured = placed.placement, placed.value("cycles")
    assert found is not None and found.parts and found.cycles_before and found.cycles_predicted and measured
    assert placed.verdict == "pass" and placed.outputs.mismatches == 0, placed.findings
    assert found.cycles_predicted < found.cycles_before
    assert measured == pytest.approx(found.cycles_predicted, rel=STATED_ERROR[placed.board])
    assert found.cycles_before == run(placed.board, "usual").value("cycles")


def test_everything_lies_where_the_result_says_and_counts_as_ram(placed: RunResult) -> None:
    board, addresses = find_board(placed.board), {symbol.name: symbol for symbol in placed.symbols}
    assert placed.placement is not None
    kinds = {part.what for part in placed.placement.parts}
    assert "constants" in kinds
    assert ("code" in kinds) is (placed.board != "nucleo_l4r5zi"), "code is not fetched over the system bus"
    for part in placed.placement.parts:
        assert {addresses[name].region for name in part.symbols} == {part.memory}
        assert sum(addresses[name].ram_bytes for name in part.symbols) == part.nbytes
        assert board.memory(part.memory).kind == "ram"
    nbytes = sum(part.nbytes for part in placed.placement.parts if part.what != "arena")
    assert placed.value("ram_bytes") >= run(placed.board, "usual").value("ram_bytes") + nbytes
    assert "predicted" in placement_section.summary(placed)


def test_stacks_are_known_through_the_branches_that_linkers_add(placed: RunResult) -> None:
    results = [placed, run(placed.board, toolchain="zig")] if placed.board == "nucleo_g0b1re" else [placed]
    for result in results:
        static, mark = result.value("stack_static_bytes"), result.value("stack_hwm_bytes")
        assert static is not None and mark is not None and static >= mark > 200, result.toolchain


def test_a_budget_of_ram_is_kept() -> None:
    usual = run("nucleo_l4r5zi", "usual").value("ram_bytes")
    assert usual is not None
    result = run("nucleo_l4r5zi", ram=usual + 1200)
    assert result.verdict == "pass" and result.placement is not None and result.placement.parts
    assert usual < result.measurements["ram_bytes"].value <= usual + 1200
    none = run("nucleo_l4r5zi", ram=usual)
    assert none.verdict == "pass" and none.placement is not None
    assert none.placement.reason == "nothing waits enough, or there is no room"
    assert placement_section.lines(none) == [f"Placement: as usual, since {none.placement.reason}."]


def test_without_waits_there_is_nothing_to_place() -> None:
    result = run("nrf5340dk")
    assert result.placement is not None and "no memory of the board makes the core wait" in result.placement.reason
