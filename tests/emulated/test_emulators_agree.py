"""Renode and the embedded emulator give the same numbers for the same image, bit for bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from small_firmware import SUM_OF_SQUARES, firmware, plan_for

from mcu_harness.analysis.high_water_mark import high_water_mark
from mcu_harness.app.pipeline import run_case
from mcu_harness.emulator.contract import ExitReason, Window
from mcu_harness.emulator.renode import server
from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.renode.find import Install
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board_file import board_names, find_board
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.scenario import load_scenario

pytestmark = pytest.mark.renode

SCENARIOS = sorted((Path(__file__).parent.parent.parent / "scenarios").glob("*.toml"))


def figures(result: RunResult) -> dict[str, object]:
    """All that a run has found out, without the name of who has counted it."""
    plain = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    plain["measurements"] = {name: (m.value, m.unit) for name, m in result.measurements.items()}
    del plain["emulator"], plain["provenance"]
    return plain


def few_cases(path: Path) -> list[Case]:
    """The scenario on one board of each core, or, where its model is large, on the first and on one of another core.

    That boards do not differ in more than their cores is shown with a program that is cheaper to run.
    """
    by_core = {case.board.core.name: case for case in reversed(cases_of(load_scenario(path)))}
    if path.stem == "digits":
        return list(by_core.values())
    cases = cases_of(load_scenario(path))
    return [cases[0], *[case for case in cases if case.board.core.name != cases[0].board.core.name][:1]]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_has_the_same_figures_in_both_emulators(renode: RenodeEmulator, path: Path) -> None:
    unicorn = UnicornEmulator()
    cases = few_cases(path)
    assert len(cases) >= 2
    for case in cases:
        assert not renode.supports(case.board) and not unicorn.supports(case.board)
        one, other = (figures(run_case(case, emulator, "auto", lambda _: None)) for emulator in (renode, unicorn))
        assert {key: (value, other[key]) for key, value in one.items() if value != other[key]} == {}, case.board.name
        assert one["measurements"]["instructions"][0] > 0  # type: ignore[index]


def test_figures_do_not_depend_on_where_renode_cuts_blocks(
    renode_install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = server.csharp_source()
    often = ("StretchInstructions = 100 * 1000 * 1000", "StretchInstructions = 20 * 1000")
    assert often[0] in whole
    monkeypatch.setattr(server, "csharp_source", lambda: whole.replace(*often))
    case = cases_of(load_scenario(SCENARIOS[0].parent / "digits.toml"), ("stm32f4_discovery",))[0]
    cut = RenodeEmulator(renode_install)
    try:
        one, other = (figures(run_case(case, each, "auto", lambda _: None)) for each in (cut, UnicornEmulator()))
    finally:
        cut.close()
    assert one == other


@pytest.mark.parametrize("name", board_names())
def test_board_runs_the_same_in_both_emulators(renode: RenodeEmulator, name: str, firmware_cache: Path) -> None:
    board = find_board(name)
    assert renode.supports(board) == ""
    program = firmware(board, SUM_OF_SQUARES, firmware_cache)
    reads, inputs = ((program.symbol("output").address, 16),), program.symbol("input").address
    plan = plan_for(program, [Window(reads=reads), Window(((inputs, bytes(16)),), reads)])
    one, other = (emulator.run(program, board, plan) for emulator in (renode, UnicornEmulator()))
    assert (one.reason, one.detail, one.status) == (ExitReason.FINISHED, "", 0)
    assert one.console == "mcu-harness: start\r\nmcu-harness: done\r\n"
    for field in ("reason", "detail", "status", "pc", "console", "reads", "window_instructions"):
        assert getattr(one, field) == getattr(other, field), field
    assert high_water_mark(one.stack_bytes) == high_water_mark(other.stack_bytes)
    counted = renode.run(program, board, dataclasses.replace(plan, profile=False))
    assert (counted.window_instructions, counted.reads) == (one.window_instructions, one.reads)
    assert counted.blocks is None
    assert one.blocks is not None and other.blocks is not None
    for array in (field.name for field in dataclasses.fields(one.blocks) if field.name != "block_code"):
        np.testing.assert_array_equal(getattr(one.blocks, array), getattr(other.blocks, array), array)
    assert one.blocks.block_code == other.blocks.block_code
