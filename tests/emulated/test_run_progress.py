"""A run tells how far it is, in both emulators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from small_firmware import SUM_OF_SQUARES, firmware, plan_for

from mcu_harness.emulator import progress
from mcu_harness.emulator.contract import ExitReason, Window
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board_file import find_board


@pytest.mark.parametrize("name", ["unicorn", pytest.param("renode", marks=pytest.mark.renode)])
def test_a_run_tells_instructions_and_its_last_window(
    name: str, request: pytest.FixtureRequest, firmware_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_EVERY_S", 0.0)
    board = find_board("stm32f4_discovery")
    emulator = UnicornEmulator() if name == "unicorn" else request.getfixturevalue("renode")
    program = firmware(board, SUM_OF_SQUARES, firmware_cache)
    told: list[progress.Underway] = []
    plan = replace(plan_for(program, [Window()] * 500), tell=told.append)
    execution = emulator.run(program, board, plan)
    assert execution.reason is ExitReason.FINISHED
    assert [one.windows for one in told] == sorted(one.windows for one in told)
    last = told[-1]
    assert 0 < last.windows <= 500
    assert last.last_window == execution.window_instructions[last.windows - 1]
    assert last.instructions >= sum(execution.window_instructions[: last.windows])
