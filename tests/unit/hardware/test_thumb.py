"""How blocks end, against capstone as the second opinion."""

from __future__ import annotations

import capstone
import pytest
from capstone import arm

from mcu_harness.hardware.arm.thumb import (
    CALL,
    PLAIN,
    RETURN,
    UNKNOWN_TARGET,
    block_end,
    instruction_size,
    is_conditional_branch,
)
from thumb_code import BX_LR, NOP, call

AT = 0x0800_0000
_PC = arm.ARM_REG_PC


@pytest.fixture(scope="module")
def disassembler() -> capstone.Cs:
    engine = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8)
    engine.detail = True
    return engine


def opinion(engine: capstone.Cs, code: bytes) -> tuple[int, int] | None:
    """(kind, target) as capstone's decoding implies them; None where it knows no instruction."""
    decoded = next(engine.disasm(code, AT), None)
    if decoded is None or decoded.id == arm.ARM_INS_MRS:  # MRS to the program counter is unpredictable
        return None
    immediate = [operand.imm for operand in decoded.operands if operand.type == arm.ARM_OP_IMM]
    if decoded.id in (arm.ARM_INS_B, arm.ARM_INS_CBZ, arm.ARM_INS_CBNZ):
        return PLAIN, immediate[-1]
    if decoded.id == arm.ARM_INS_BL:
        return CALL, immediate[-1]
    if decoded.id in (arm.ARM_INS_BLX, getattr(arm, "ARM_INS_BLXNS", -1)):
        return CALL, UNKNOWN_TARGET
    if decoded.id in (arm.ARM_INS_TBB, arm.ARM_INS_TBH):
        return PLAIN, UNKNOWN_TARGET
    if decoded.id in (arm.ARM_INS_BX, getattr(arm, "ARM_INS_BXNS", -1)):
        return RETURN, UNKNOWN_TARGET
    written = {o.reg for o in decoded.operands if o.type == arm.ARM_OP_REG and o.access & capstone.CS_AC_WRITE}
    return (RETURN if _PC in written else PLAIN), UNKNOWN_TARGET


def test_every_16_bit_instruction_ends_as_capstone_says(disassembler: capstone.Cs) -> None:
    compared = 0
    for first in range(1 << 16):
        if instruction_size(first) != 2:
            continue
        code = first.to_bytes(2, "little")
        expected = opinion(disassembler, code)
        if expected is None:
            continue
        end = block_end(code, AT)
        assert (end.kind, end.target & 0xFFFFFFFF) == (expected[0], expected[1] & 0xFFFFFFFF), hex(first)
        compared += 1
    assert compared > 55_000


def test_32_bit_branches_end_as_capstone_says(disassembler: capstone.Cs) -> None:
    compared = 0
    for first in range(0xF000, 0xF800, 7):
        for second in range(0x8000, 0x10000, 61):
            code = first.to_bytes(2, "little") + second.to_bytes(2, "little")
            expected = opinion(disassembler, code)
            if expected is None:
                continue
            end = block_end(code, AT)
            assert (end.kind, end.target & 0xFFFFFFFF) == (expected[0], expected[1] & 0xFFFFFFFF), code.hex()
            compared += 1
    assert compared > 40_000


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("dff800f0", RETURN),  # ldr.w pc, [pc]
        ("51f823f0", RETURN),  # ldr.w pc, [r1, r3, lsl #2]
        ("bde8f081", RETURN),  # pop.w {r4-r8, pc}
        ("bde8f041", PLAIN),  # pop.w {r4-r8, lr}
        ("10e90280", RETURN),  # ldmdb r0, {r1, pc}
        ("dfe800f0", PLAIN),  # tbb [pc, r0]
        ("dfe810f0", PLAIN),  # tbh [pc, r0, lsl #1]
        ("bff34f8f", PLAIN),  # dsb
        ("eff31083", PLAIN),  # mrs r3, primask
    ],
)
def test_indirect_jumps_and_what_looks_like_them(code: str, kind: int) -> None:
    assert block_end(bytes.fromhex(code), AT).kind == kind


def test_instructions_of_both_sizes_are_counted() -> None:
    end = block_end(NOP + call(AT + 2, AT + 100) + NOP, AT)
    assert (end.instructions, end.size, end.branch_address) == (3, 8, AT + 6)


def test_a_number_of_instructions_is_taken_from_longer_code() -> None:
    end = block_end(NOP + call(AT + 2, AT - 64) + BX_LR, AT, instructions=2)
    assert (end.instructions, end.size, end.kind, end.target) == (2, 6, CALL, AT - 64)


def test_a_branch_to_itself_is_endless() -> None:
    assert block_end(bytes.fromhex("fee7"), AT).endless
    assert not block_end(bytes.fromhex("fde7"), AT).endless


@pytest.mark.parametrize("code", ["", "00", "00f0"])
def test_code_that_ends_inside_an_instruction_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="no whole instructions"):
        block_end(bytes.fromhex(code), AT)


def is_conditional(engine: capstone.Cs, code: bytes) -> bool:
    decoded = next(engine.disasm(code, AT), None)
    if decoded is None or decoded.size != len(code):
        return False
    always = (arm.ARM_CC_INVALID, arm.ARM_CC_AL)
    return decoded.id in (arm.ARM_INS_CBZ, arm.ARM_INS_CBNZ) or (
        decoded.id == arm.ARM_INS_B and decoded.cc not in always
    )


def test_conditional_branches_are_those_of_capstone(disassembler: capstone.Cs) -> None:
    narrow = [first.to_bytes(2, "little") for first in range(1 << 16) if instruction_size(first) == 2]
    wide = [
        (first | second << 16).to_bytes(4, "little")
        for first in range(0xF000, 0xF800, 5)
        for second in (0x8000, 0x8801, 0x9000, 0xA005, 0xB000, 0xB801, 0xC000, 0xD000, 0xF800, 0x0000)
    ]
    found = [is_conditional_branch(code) for code in (*narrow, *wide)]
    assert found == [is_conditional(disassembler, code) for code in (*narrow, *wide)]
    assert found.count(True) > 4000
