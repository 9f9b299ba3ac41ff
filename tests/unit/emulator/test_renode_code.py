"""What is known of code that a program has in RAM, from the pieces that Renode sends of it."""

from __future__ import annotations

from mcu_harness.emulator.renode.image import LoadedProgram
from sample_boards import SRAM, board
from thumb_code import program

PLACE = SRAM + 0x100


def test_a_block_that_ends_behind_the_one_that_it_begins_in_is_known_whole() -> None:
    loaded = LoadedProgram(program({}), board())
    loaded.add_code(PLACE, b"aabbccdd")
    loaded.add_code(PLACE, b"aabb")
    assert loaded.code(PLACE + 2, 6) == b"bbccdd"
    assert loaded.code(PLACE + 6, 6) == b"dd"
    assert loaded.code(PLACE + 8, 2) == b""


def test_the_newest_code_holds() -> None:
    loaded = LoadedProgram(program({}), board())
    loaded.add_code(PLACE, b"old!")
    loaded.add_code(PLACE, b"new!")
    assert loaded.code(PLACE, 4) == b"new!"
