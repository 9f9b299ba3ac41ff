"""Which instruction of a block made an access, told from what was touched."""

from __future__ import annotations

import pytest

from mcu_harness.emulator.renode.accessing import accessing

AT, POINTER = 0x0800_0100, 0xA5A5_A5A5
REGISTERS = [*range(13), 0x2000_1000, 0x0800_0001, AT]


@pytest.mark.parametrize(
    ("code", "touched", "write", "offset"),
    [
        ("5868", POINTER + 4 & ~3, False, 0),  # ldr r0, [r3, #4]
        ("4ff0a533 5868", POINTER + 4 & ~3, False, 4),  # mov.w r3, #0xa5a5a5a5; ldr r0, [r3, #4]
        ("9a68 5868", POINTER + 4 & ~3, False, 2),  # ldr r2, [r3, #8] touches other words
        ("5860 5868", POINTER + 4 & ~3, False, 2),  # a load, and not the store before it
        ("5860 5868", POINTER + 4 & ~3, True, 0),  # the store
        ("4ff0a533 d3e90201", (POINTER + 8 & ~3) + 4, False, 4),  # ldrd r0, r1, [r3, #8]: its second word
        ("4ff0a533 83e8c000", POINTER & ~3, True, 4),  # stm.w r3, {r6, r7}
    ],
)
def test_instruction_is_found(code: str, touched: int, write: bool, offset: int) -> None:
    registers = [*REGISTERS]
    registers[3] = POINTER
    assert accessing(bytes.fromhex(code), AT, touched, write, registers) == AT + offset


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("00bf 00bf", "nothing accesses"),
        ("1868", "it touches another place"),
        ("1847 5868", "behind the jump is another block"),
        ("00d0 5868", "behind the branch too"),
        ("5868"[:2], "half an instruction"),
        ("", "no code is known"),
    ],
)
def test_what_cannot_be_told_stays_where_it_was(code: str, why: str) -> None:
    registers = [*REGISTERS]
    registers[3] = POINTER
    assert accessing(bytes.fromhex(code), AT, POINTER + 4 & ~3, False, registers) == AT, why
