"""Whatever goes wrong in firmware in the embedded emulator is named as Renode names it, with its cause and place."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_firmware import firmware, plan_for
from test_renode_mishaps import MISHAPS, body

from mcu_harness.emulator.contract import ExitReason
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board_file import find_board

# Where the embedded emulator knows more or less than Renode.
DIFFERENT = {
    "write-to-flash": (ExitReason.FAULT, "mcu_test_here", "it writes 4 B at 0x08010000, which is flash"),
}


@pytest.mark.parametrize("profile", [True, False], ids=["profile", "count"])
@pytest.mark.parametrize("name", MISHAPS)
def test_mishap_is_named_with_cause_and_place(name: str, profile: bool, firmware_cache: Path) -> None:
    assembly, reason, at, detail = MISHAPS[name]
    reason, at, detail = DIFFERENT.get(name, (reason, at, detail))
    board = find_board("stm32f4_discovery")
    program = firmware(board, body(assembly), firmware_cache)
    execution = UnicornEmulator().run(program, board, plan_for(program, profile=profile, max_instructions=3_000_000))
    assert execution.reason is reason
    assert execution.detail.startswith(detail)
    where = at if isinstance(at, int) else program.symbol(at).address
    assert where <= execution.pc <= where + 2
    assert execution.console == "mcu-harness: start\r\n"
    assert execution.window_instructions == ()
