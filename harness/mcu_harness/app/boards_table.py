"""The boards that come with the harness, as a table."""

from __future__ import annotations

from mcu_harness.base import units
from mcu_harness.hardware.board_file import board_names, find_board


def boards_table() -> str:
    """A row per board: core, clock, memories, console, who can run it."""
    from tabulate import tabulate

    from mcu_harness.emulator.select import EMULATORS

    rows = []
    for board in map(find_board, board_names()):
        rows.append(
            [
                board.name,
                board.title,
                board.core.name + ("" if board.fpu == "none" else f" + {board.fpu}"),
                units.format_hertz(board.clock_hz),
                units.format_bytes(board.code_memory.size),
                units.format_bytes(board.data_memory.size),
                ", ".join(entry.name for entry in EMULATORS if not entry.supports(board)),
            ]
        )
    titles = ["name", "board", "core", "clock", "flash", "RAM", "emulators"]
    return str(
        tabulate(rows, headers=titles, colalign=("left", "left", "left", *["right"] * 3, "left"), disable_numparse=True)
    )
