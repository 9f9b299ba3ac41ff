"""What the linker script carries from the board file to the console's driver."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.hardware.board import RegisterStep
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.build import FIRMWARE
from mcu_harness.image.linker_script import render
from mcu_harness.image.placed import Placed, PlacedKind
from sample_boards import board


def test_steps_clear_before_they_set_and_what_does_nothing_is_left_out() -> None:
    made = board("cortex-m4")
    steps = (RegisterStep(0x40000000, 1), RegisterStep(0x40000004, 2, clear=6), RegisterStep(0x40000008, 0))
    text = render("@CONSOLE_ENABLE@", replace(made, console=replace(made.console, enable=steps)))
    assert [" ".join(line.split()) for line in text.splitlines()] == [
        "LONG(0x40000000) LONG(0x00000001)",
        "LONG(0x40000005) LONG(0x00000006)",  # bit 0 of the address: clear
        "LONG(0x40000004) LONG(0x00000002)",
    ]


def test_what_is_placed_stands_before_what_would_take_it_and_nothing_lies_at_address_0() -> None:
    board = find_board("stm32f746g_disco")
    template = (FIRMWARE / "runtime/board.ld").read_text()
    usual = render(template, board)
    assert "__placed" not in usual and "PLACED" not in usual and "} > CODE : code" in usual
    placement = (
        Placed("itcm", PlacedKind.CODE, ("work",)),
        Placed("sram", PlacedKind.CONSTANTS, ("table",)),
        Placed("dtcm", PlacedKind.ZEROED, ("mcu_arena",)),
    )
    text = render(template, board, placement)
    assert text.index("*(.text.work)") < text.index("*(.text .text.*)")
    assert text.index("*(.rodata.table)") < text.index("*(.rodata .rodata.*)")
    assert text.index("*(.bss.mcu_arena)") < text.index("*(.bss .bss.* COMMON)")
    assert "ORIGIN = 0x00000020, LENGTH = 0x3fe0" in text
    assert text.count("} > DATA AT > CODE : placed_1") == 1 and "@PLACED" not in text
