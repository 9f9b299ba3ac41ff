"""The oracle for memory traces counts what a program of known accesses does."""

from __future__ import annotations

from pathlib import Path

import pytest
from renode_accesses import accesses
from small_firmware import firmware, plan_for

from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.hardware.board_file import find_board

pytestmark = pytest.mark.renode

CODE = """
volatile uint32_t from[8], to[8];
volatile uint8_t bytes[4];
void mcu_infer(void) {
    for (uint32_t i = 0; i < 8; i++) { to[i] = from[i] + from[7]; }
    for (uint32_t i = 0; i < 3; i++) { bytes[i]++; }
}
"""


def test_reads_and_writes_are_counted_by_address(renode: RenodeEmulator, tmp_path: Path, firmware_cache: Path) -> None:
    board = find_board("stm32f4_discovery")
    program = firmware(board, CODE, firmware_cache)
    counted = accesses(renode, program, board, plan_for(program), tmp_path)
    source, target, bytes_ = (program.symbol(name).address for name in ("from", "to", "bytes"))
    assert [counted[source + 4 * i] for i in range(8)] == [(1, 0)] * 7 + [(9, 0)]
    assert [counted[target + 4 * i] for i in range(8)] == [(0, 1)] * 8
    assert [counted.get(bytes_ + i) for i in range(4)] == [(1, 1)] * 3 + [None]
