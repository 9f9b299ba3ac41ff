"""Opens a live board: reads the firmware, and makes the machine that runs it."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.analysis.profile.cycles.step_clock import StepClock
from mcu_harness.app.live.board import Keep, LiveBoard
from mcu_harness.app.live.firmware import LiveFirmware, TestPlace, load
from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.live import Listener, LiveMachine


def open_board(image: Path, board: str, test: TestPlace, keep: Keep) -> LiveBoard:
    """`image` on `board`, just after reset; raises HarnessError where it cannot be run."""
    firmware = load(image, board, test)
    return LiveBoard(firmware, lambda listener: _embedded(firmware, listener), test.name, keep)


def _embedded(firmware: LiveFirmware, listener: Listener) -> LiveMachine:
    from mcu_harness.emulator.unicorn.live_run import LiveRun
    from mcu_harness.emulator.unicorn.memory import unmappable

    board = firmware.board
    if reason := unmappable(board):
        raise EmulatorError(f"{board.name} cannot run in the embedded emulator: {reason}")
    return LiveRun(firmware.program, board, firmware.under_test.plan, StepClock(board), listener)
