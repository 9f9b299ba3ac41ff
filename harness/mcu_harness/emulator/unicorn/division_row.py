"""The row that compiled code reads before a division."""

from __future__ import annotations

from mcu_harness.emulator.recorder.rows import Row, row


@row(8)
class Division(Row):
    """All that compiled code knows of a division: which register to read and how (the C address of uc_reg_read), what was
    read, whether it matters (the address of a word), what to call to stop, and whether it did.
    """

    divisor: int
    traps: int
    reg_read: int
    emu_stop: int
    value: int
    hit: int
