"""Of models on boards: what the cycles of each layer go into is all of its cycles, and none is below its bound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from firmware_runs import SQUARES, run, run_case
from mcu_harness.results.cost_records import LayerResult
from mcu_harness.scenario.firmware_tables import Region
from mcu_harness.scenario.scenario import InputSpec, scenario_for_model
from user_firmware import build

pytestmark = pytest.mark.gnu


def sum_of_parts(layer: LayerResult) -> float:
    found = layer.cycle_parts
    assert found is not None
    return found.waits + found.loads_stores + found.multiplies + found.branches + found.rest


@pytest.mark.parametrize("board", ["nucleo_l4r5zi", "stm32f746g_disco", "nucleo_u575zi_q", "nucleo_g0b1re"])
def test_the_parts_of_a_layer_are_its_cycles(board: str, small_model: Path) -> None:
    result = run_case(replace(scenario_for_model(small_model, (board,)), inputs=InputSpec(count=2)))
    assert [layer.operator for layer in result.layers] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]
    for layer in result.layers:
        assert layer.cycles and sum_of_parts(layer) == pytest.approx(layer.cycles, rel=1e-12)
    for layer in (result.layers[0], result.layers[2]):
        assert layer.cycle_parts is not None and layer.cycle_parts.waits > 0 and layer.cycle_parts.multiplies > 0
        assert layer.bound_cycles and layer.macs / 2 <= layer.bound_cycles < (layer.cycles or 0)
    assert result.layers[1].bound_cycles is None and result.layers[3].bound_cycles is None


def test_regions_of_the_users_own_firmware_have_parts_and_no_bound(tmp_path: Path) -> None:
    result = run(build(tmp_path, SQUARES), regions=(Region("squares", ("square",)), Region("sums", ("sum",))))
    for layer in result.layers:
        assert sum_of_parts(layer) == pytest.approx(layer.cycles, rel=1e-12)
        assert layer.bound_cycles is None
    squares, sums = (layer.cycle_parts for layer in result.layers)
    assert squares and sums and squares.multiplies > 0 and sums.multiplies == 0
