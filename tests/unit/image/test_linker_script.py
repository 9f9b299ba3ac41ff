"""What the linker script carries from the board file to the console's driver."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.hardware.board import RegisterStep
from mcu_harness.image.linker_script import render
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
