"""Which instructions move the stack pointer, against capstone."""

from __future__ import annotations

import random

import capstone
import pytest
from capstone import arm

from mcu_harness.analysis.stack.flow import Flow, flow
from mcu_harness.hardware.arm.stack_effect import SP, Do, Effect, deepest_dip, narrow_effect, wide_effect

AT = 0x0800_0100


def engine() -> capstone.Cs:
    made = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8)
    made.detail = True
    return made


def encoded(*halfwords: int) -> bytes:
    return b"".join(halfword.to_bytes(2, "little") for halfword in halfwords)


def moves_stack(effect: Effect | None) -> bool:
    return effect is not None and effect.register == SP


def test_every_narrow_instruction_that_writes_the_stack_pointer_is_known() -> None:
    disassembler, wrong = engine(), []
    for code in range(0xE800):
        for decoded in disassembler.disasm(encoded(code), AT):
            if (arm.ARM_REG_SP in decoded.regs_access()[1]) != moves_stack(narrow_effect(code, AT)):
                wrong.append(f"{code:#06x} {decoded.mnemonic} {decoded.op_str}")
    assert wrong == []


# (first, its free bits, second, its free bits): what compilers use, with any operands.
WIDE = {
    "push": (0xE92D, 0, 0x0000, 0x5FFF),
    "pop": (0xE8BD, 0, 0x0000, 0xDFFF),
    "str and ldr with writeback": (0xF84D, 0x0010, 0x0900, 0xE6FF),
    "strd and ldrd with writeback": (0xE96D, 0x0090, 0x0000, 0x7CFF),
    "vpush": (0xED2D, 0x0000, 0x0A00, 0x001F),
    "vpop": (0xECBD, 0x0000, 0x0A00, 0x001F),
    "add and sub of an immediate": (0xF100, 0x04FF, 0x0000, 0x7FFF),
    "sub of an immediate": (0xF1A0, 0x040F, 0x0000, 0x7FFF),
    "addw": (0xF200, 0x040F, 0x0000, 0x7FFF),
    "subw": (0xF2A0, 0x040F, 0x0000, 0x7FFF),
    "add of a register": (0xEB00, 0x000F, 0x0000, 0x7FCF),
    "sub of a register": (0xEBA0, 0x000F, 0x0000, 0x7FCF),
    "mov of an immediate": (0xF04F, 0x0400, 0x0000, 0x7FFF),
    "movw": (0xF240, 0x040F, 0x0000, 0x7FFF),
    "bic": (0xF020, 0x040F, 0x0000, 0x7FFF),
    "ldr of a literal": (0xF85F, 0x0080, 0x0000, 0xFFFF),
}


@pytest.mark.parametrize("name", WIDE)
def test_wide_instructions_move_the_stack_pointer_where_capstone_says_so(name: str) -> None:
    base, free, second_base, second_free = WIDE[name]
    disassembler, source, seen, wrong = engine(), random.Random(name), 0, []
    for _ in range(4000):
        first, second = base | source.getrandbits(16) & free, second_base | source.getrandbits(16) & second_free
        if first == 0xE92D and second & 0x2000:
            continue
        for decoded in disassembler.disasm(encoded(first, second), AT):
            if len(decoded.bytes) != 4 or (second.bit_count() < 2 and name in ("push", "pop")):
                continue
            seen += 1
            # Of these two, capstone does not say that they write it.
            writes = arm.ARM_REG_SP in decoded.regs_access()[1] or decoded.mnemonic in ("vpush", "vpop")
            if writes != moves_stack(wide_effect(first, second, AT)):
                wrong.append(f"{first:04x} {second:04x} {decoded.mnemonic} {decoded.op_str}")
    assert seen > 500
    assert wrong == []


@pytest.mark.parametrize(
    ("halfwords", "effect"),
    [
        ((0xB5F0,), Effect(Do.MOVE, SP, SP, -20)),  # push {r4-r7, lr}
        ((0xB085,), Effect(Do.MOVE, SP, SP, -20)),
        ((0xB07F,), Effect(Do.MOVE, SP, SP, 508)),
        ((0x46BD,), Effect(Do.MOVE, SP, 7)),  # mov sp, r7
        ((0x44A5,), Effect(Do.SUM, SP, SP, 0, 4)),  # add sp, r4
        ((0xE92D, 0x4FF0), Effect(Do.MOVE, SP, SP, -36)),
        ((0xED2D, 0x8B10), Effect(Do.MOVE, SP, SP, -64)),  # vpush {d8-d15}
        ((0xECBD, 0x8A10), Effect(Do.MOVE, SP, SP, 64)),  # vpop {s16-s31}
        ((0xF84D, 0xED04), Effect(Do.MOVE, SP, SP, -4)),  # str lr, [sp, #-4]!
        ((0xF85D, 0xFB04), Effect(Do.MOVE, SP, SP, 4)),  # ldr pc, [sp], #4
        ((0xE96D, 0x2304), Effect(Do.MOVE, SP, SP, -16)),  # strd r2, r3, [sp, #-16]!
        ((0xF5AD, 0x5D9C), Effect(Do.MOVE, SP, SP, -0x1380)),  # sub.w sp, sp, #4992
        ((0xF2AD, 0x4D04), Effect(Do.MOVE, SP, SP, -0x404)),  # subw sp, sp, #1028
        ((0xEBAD, 0x0D03), Effect(Do.DIFFERENCE, SP, SP, 0, 3)),  # sub.w sp, sp, r3
        ((0xF380, 0x8808), Effect(Do.UNKNOWN, SP)),  # msr msp, r0
    ],
)
def test_amounts(halfwords: tuple[int, ...], effect: Effect) -> None:
    found = wide_effect(*halfwords, AT) if len(halfwords) == 2 else narrow_effect(halfwords[0], AT)
    assert found == effect


@pytest.mark.parametrize(
    ("halfwords", "expected", "target"),
    [
        ((0x4770,), Flow.RETURN, None),
        ((0x4718,), Flow.INDIRECT_JUMP, None),
        ((0x4798,), Flow.INDIRECT_CALL, None),
        ((0xBD10,), Flow.RETURN, None),
        ((0xE8BD, 0x8010), Flow.RETURN, None),
        ((0xF85D, 0xFB04), Flow.RETURN, None),
        ((0xF85F, 0xF000), Flow.LITERAL_JUMP, AT + 4),
        ((0xE8DF, 0xF003), Flow.TABLE_JUMP, None),
        ((0x469F,), Flow.TABLE_JUMP, None),
        ((0xE7FE,), Flow.JUMP, AT),
        ((0xD0FE,), Flow.BRANCH, AT),
        ((0xB108,), Flow.BRANCH, AT + 6),
        ((0xF7FF, 0xFFFE), Flow.CALL, AT),
        ((0xF7FF, 0xBFFE), Flow.JUMP, AT),
        ((0xF43F, 0xAFFE), Flow.BRANCH, AT),
        ((0xDE00,), Flow.END, None),
    ],
)
def test_where_execution_goes(halfwords: tuple[int, ...], expected: Flow, target: int | None) -> None:
    found = flow(halfwords[0], halfwords[1] if len(halfwords) == 2 else 0, encoded(*halfwords), AT)
    assert found is not None
    assert (found.flow, found.target) == (expected, target)


@pytest.mark.parametrize(
    ("code", "dip"),
    [
        ("10b5 10bd", 8),  # push {r4,lr}; pop {r4,pc}
        ("10b5 82b0 02b0 10bd", 16),  # and sub sp,#8; add sp,#8
        ("10bd 10b5", 0),  # up before it goes down
        ("adf5007d", 512),  # sub.w sp,sp,#512
        ("70b5 bd46 70bd", 16),  # push; mov sp,r7; pop: restored from a frame pointer
        ("70b5 ddf80cd0", 16),  # ldr.w sp,[sp,#12]: another stack
        ("9d46", None),  # mov sp,r3
        ("adeb030d", None),  # sub.w sp,sp,r3
        ("a5b4 c546", None),  # mov sp,r8
        ("", 0),
    ],
)
def test_how_far_a_straight_line_goes_down(code: str, dip: int | None) -> None:
    assert deepest_dip(bytes.fromhex(code)) == dip


def test_what_follows_an_instruction_is_not_part_of_it() -> None:
    code = bytes.fromhex("fad0 d4f8")  # beq, and the first half of a longer instruction
    leaves = flow(0xD0FA, 0xF8D4, code, 0x0800_0100)
    assert leaves is not None and (leaves.flow, leaves.target) == (Flow.BRANCH, 0x0800_00F8)
