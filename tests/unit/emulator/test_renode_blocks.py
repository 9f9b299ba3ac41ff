"""Blocks that Renode left in their middle are put back to where they began."""

from __future__ import annotations

import itertools

import pytest

from mcu_harness.emulator.renode.blocks import block_begin

START = 0x08000100
# movs r0, #1; movw r1, #0x1234; adds r0, #1; bl .+4; svc #1; nop
CODE = bytes.fromhex("0120 41f23421 0130 00f000f8 01df 00bf".replace(" ", ""))
BOUNDARIES = [0, 2, 6, 8, 12, 14, 16]


def read(address: int, size: int) -> bytes:
    offset = address - START
    return CODE[max(0, offset) : max(0, offset + size)]


@pytest.mark.parametrize(("begin", "left"), list(itertools.combinations(range(len(BOUNDARIES)), 2)))
def test_block_begins_so_many_instructions_before_it_was_left(begin: int, left: int) -> None:
    found = block_begin(read, START + BOUNDARIES[left], left - begin, START)
    assert found == START + BOUNDARIES[begin]


def test_without_a_function_the_nearest_place_that_fits_is_taken() -> None:
    assert block_begin(read, START + 14, 1, None) == START + 12
    assert block_begin(read, START + 8, 1, None) == START + 6


def test_second_half_of_an_instruction_is_never_taken_for_one_where_the_function_is_known() -> None:
    # At the second half of `bl` there is something that looks like one more instruction.
    assert block_begin(read, START + 12, 1, START) == START + 8
