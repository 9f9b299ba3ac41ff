"""A jump to where there is something that is no code is a finding of the firmware, no failure of the harness."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_firmware import SUM_OF_SQUARES, firmware, plan_for

from mcu_harness.emulator.contract import ExitReason, FaultKind
from mcu_harness.emulator.emulators import emulator_entry
from mcu_harness.emulator.recorder import known_blocks
from mcu_harness.hardware.board_file import find_board


def test_block_of_no_whole_instructions_is_a_jump_to_no_code(
    emulator_name: str, firmware_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = find_board("stm32f4_discovery")
    program = firmware(board, SUM_OF_SQUARES, firmware_cache)
    lost = program.symbol("mcu_infer").address
    decode = known_blocks._block_end

    def without(code: bytes, address: int, instructions: int | None) -> object:
        return decode(b"" if address == lost else code, address, instructions)

    monkeypatch.setattr(known_blocks, "_block_end", without)
    emulator = emulator_entry(emulator_name).make()
    try:
        execution = emulator.run(program, board, plan_for(program))
    finally:
        emulator.close()
    assert (execution.reason, execution.pc) == (ExitReason.FAULT, lost)
    assert execution.fault is not None
    assert (execution.fault.kind, execution.fault.address) == (FaultKind.JUMP, lost)
    assert execution.detail == f"it jumps to {lost:#010x}, where no whole instruction is"
