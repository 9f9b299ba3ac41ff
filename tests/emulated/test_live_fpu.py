"""The FPU used while it is off, on a live board: the same finding as in scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import run
from live_boards import live_board
from mcu_harness.app.live.failures import BoardFailure
from user_firmware import START, build

pytestmark = pytest.mark.gnu

BOARD = "stm32f4_discovery"
FLOATS = ("-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
ENABLES = "*(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;"
CODE = """
volatile float gain = 1.5f;
__attribute__((noinline)) float scaled(float x) { return x * gain; }
volatile float result;
int main(void) { result = scaled(2.0f); for (;;) { } }
"""


def firmware(folder: Path, start: str) -> Path:
    return build(folder, CODE, flags=FLOATS, start=start)


def test_fpu_that_is_off_is_the_finding_of_scenarios(tmp_path: Path) -> None:
    elf = firmware(tmp_path, START.replace(ENABLES, ""))
    with live_board(elf, BOARD) as board, pytest.raises(BoardFailure) as failure:
        board.run_for("1 ms")
    (finding,) = [finding for finding in run(elf, BOARD).findings if finding.code == "law.fpu-off"]
    assert "law.fpu-off" in str(failure.value)
    assert finding.message in str(failure.value)
    assert finding.advice in str(failure.value)
    assert "CFSR 0x00080000 (NOCP)" in str(failure.value)


def test_fpu_that_is_enabled_in_time_is_used(tmp_path: Path) -> None:
    with live_board(firmware(tmp_path, START), BOARD) as board:
        board.run_for("1 ms")
        assert board.read("result", "f32") == 3.0


def test_fpu_may_be_enabled_in_the_block_that_uses_it(tmp_path: Path) -> None:
    uses = ENABLES + ' __asm__ volatile("dsb\\n\\tisb\\n\\tvmov.f32 s0, #1.0");'
    with live_board(firmware(tmp_path, START.replace(ENABLES, uses)), BOARD) as board:
        board.run_for("1 ms")
        assert board.read("result", "f32") == 3.0
