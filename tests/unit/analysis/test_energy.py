"""Energy: current per MHz times voltage times cycles, an estimate that says so, and whose parts are layers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_profile import execution
from test_spread import PROGRAM, inference, memory

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.measured_figures import contributors, measurements
from mcu_harness.analysis.output_check import unchecked
from mcu_harness.analysis.profile.profile import Profile, profile
from mcu_harness.base import units
from mcu_harness.base.errors import UnitError
from mcu_harness.hardware.board import Board
from mcu_harness.image.footprint import Footprint, read_footprint
from mcu_harness.image.program import Program
from mcu_harness.results.budgets import check_budgets
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Measurement, Results, Tool
from mcu_harness.results.report import markdown, text
from mcu_harness.results.report.html.page import page
from mcu_harness.scenario.limits import parse_limit
from sample_boards import board
from sample_results import PASSING
from thumb_code import CodeMemory

__all__ = ["memory"]  # the fixture
UNICORN = Tool("unicorn", "2.1.4")


def powered(core: str = "cortex-m4", clock_hz: int = 16_000_000) -> Board:
    """100 uA/MHz at 3 V: 300 pJ a cycle."""
    return replace(
        board(core), current_a_per_hz=100e-12, supply_v=3.0, clock_hz=clock_hz, sources=(("current", "a datasheet"),)
    )


def figures(on: Board, memory: CodeMemory) -> tuple[dict[str, Measurement], Profile]:
    ran = execution(memory, [inference(10), inference(20)])
    profiled = profile(ran, PROGRAM, ["layer_0"], on)
    return measurements(on, footprint(on), profiled, unchecked("none"), UNICORN, ()), profiled


def footprint(on: Board) -> Footprint:
    program: Program = PROGRAM
    return read_footprint(program, on)


def test_energy_is_voltage_times_current_times_cycles(memory: CodeMemory) -> None:
    found, profiled = figures(powered(), memory)
    assert profiled.cycles is not None
    assert found["energy_j"].value == pytest.approx(300e-12 * profiled.cycles, rel=1e-12)
    origin = found["energy_j"].origin
    assert origin.startswith("estimated: 100 uA/MHz at 3 V times the cycles; a datasheet")
    assert "error not known" in origin


def test_another_clock_takes_another_time_and_the_same_energy(memory: CodeMemory) -> None:
    slow, _ = figures(powered(clock_hz=16_000_000), memory)
    fast, _ = figures(powered(clock_hz=64_000_000), memory)
    assert slow["energy_j"].value == fast["energy_j"].value
    assert slow["latency_s"].value == pytest.approx((fast["latency_s"].value or 0) * 4)


def test_a_board_without_a_current_says_why_it_has_no_energy(memory: CodeMemory) -> None:
    without = replace(board(), sources=(("current", "not stated here: no figure could be checked"),))
    found, _ = figures(without, memory)
    assert found["energy_j"].value is None
    assert found["energy_j"].origin == (
        "not measured: the board file has no current (not stated here: no figure could be checked)"
    )


def test_a_core_without_cycles_has_no_energy_for_the_same_reason(memory: CodeMemory) -> None:
    found, _ = figures(powered("cortex-m23"), memory)
    assert found["energy_j"].value is None
    assert found["energy_j"].origin == found["latency_s"].origin == "not measured: no cycle model for the cortex-m23"


def test_an_energy_budget_names_the_layers(memory: CodeMemory) -> None:
    on = powered()
    found, profiled = figures(on, memory)
    parts = [CodeRegion("00 LOOP", "LOOP", ())]
    by_figure = contributors(footprint(on), profiled, parts, on)
    (finding,) = check_budgets({"energy": parse_limit("energy", "1 nJ")}, found, by_figure)
    assert finding.code == "budget.energy"
    assert finding.limit == pytest.approx(1e-9)
    layer = profiled.layers[0].cycles
    assert [(c.name, c.value) for c in finding.contributors] == [("layer 00 LOOP", pytest.approx(300e-12 * layer))]
    assert "nJ" in finding.message
    assert check_budgets({"energy": parse_limit("energy", "1 mJ")}, found, by_figure) == []


@pytest.mark.parametrize(
    ("written", "joules"),
    [("23.3 mJ", 0.0233), ("5 uJ", 5e-6), ("5 µJ", 5e-6), ("1.5 J", 1.5), ("7 nJ", 7e-9), ("2 J", 2)],
)
def test_energies_are_read_in_all_their_units(written: object, joules: float) -> None:
    assert units.parse(written, "joules") == pytest.approx(joules)


def test_other_units_are_no_energy() -> None:
    with pytest.raises(UnitError, match="unknown unit 'mW'") as caught:
        units.parse("3 mW", "joules")
    assert "mJ" in caught.value.hint


def test_reports_show_the_energy_of_each_layer() -> None:
    energy = Measurement("energy_j", 26_514e-9, "J", "estimated: 1 nJ a cycle", OriginKind.ESTIMATED)
    run = replace(PASSING, measurements={**PASSING.measurements, "energy_j": energy})
    assert [text.layer_energy_j(run, layer) for layer in run.layers] == [
        pytest.approx(26e-6), pytest.approx(14e-9), None
    ]  # fmt: skip
    written = markdown.board_report(Results((run,)), run.board)
    assert "energy (estimated)" in written and " 26 uJ " in written and " 26.5 uJ " in written
    assert ">26 uJ</td>" in page(Results((run,)))
    assert "energy (estimated)" not in markdown.board_report(Results((PASSING,)), PASSING.board)
