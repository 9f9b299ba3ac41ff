"""What single Thumb instructions do to the stack pointer and to registers that it is computed from.

Only encodings that compilers use for frames are told apart; of the rest it is enough to know that they leave the stack
pointer alone, which nearly all of Thumb does. Encodings: Armv7-M Architecture Reference Manual (DDI 0403), A5 to A7.
The test suite compares with capstone on every 16-bit encoding and on the 32-bit ones named here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mcu_harness.hardware.arm.thumb import instruction_size

SP, LR, PC = 13, 14, 15
_WORD = 4


class Do(Enum):
    """`Effect.register` is called d, `source` n, `other` m."""

    MOVE = "d = n + amount"
    CONSTANT = "d = amount"
    TOP = "the upper half of d = amount"
    LITERAL = "d = the word at address `amount`"
    SUM = "d = n + (m << amount)"
    DIFFERENCE = "d = n - (m << amount)"
    SHIFT = "d = n << amount"
    NEGATE = "d = -n"
    ALIGN = "d = n without the bits of amount"
    UNKNOWN = "d = something else"


_COMPUTED = (Do.MOVE, Do.SUM, Do.DIFFERENCE)
_FRAME_POINTERS = (7, 11)


@dataclass(frozen=True, slots=True)
class Effect:
    do: Do
    register: int
    source: int = 0
    amount: int = 0
    other: int = 0


def deepest_dip(code: bytes) -> int | None:
    """How far the straight line `code` takes the stack pointer below where it was, at its deepest, in bytes.

    None where it moves it by what is only known at run time (an array of variable length, longjmp); restoring it from a frame
    pointer is no such move, nor is another stack.
    """
    at = depth = deepest = 0
    while at < len(code):
        first = int.from_bytes(code[at : at + 2], "little")
        size = instruction_size(first)
        second = int.from_bytes(code[at + 2 : at + 4], "little")
        effect = narrow_effect(first, at) if size == 2 else wide_effect(first, second, at)
        if effect is not None and effect.do is Do.MOVE and effect.register == SP and effect.source == SP:
            depth -= effect.amount
            deepest = max(deepest, depth)
        elif effect is not None and effect.register == SP and effect.do in _COMPUTED:
            restored = effect.do is Do.MOVE and effect.source in _FRAME_POINTERS
            if not restored:
                return None
        at += size
    return deepest


def narrow_effect(code: int, at: int) -> Effect | None:
    """Of the 16-bit instruction `code` at `at`; None where it neither moves the stack pointer nor helps to compute it.

    Of what a frame's registers may be written by, only the forms of `Do` are known: None does not mean that it leaves
    other registers alone.
    """
    if code & 0xFE00 == 0xB400:  # PUSH
        return _moved(-_WORD * (code & 0x1FF).bit_count())
    if code & 0xFE00 == 0xBC00:  # POP
        return _moved(_WORD * (code & 0x1FF).bit_count())
    if code & 0xFF00 == 0xB000:  # ADD, SUB sp, #imm7
        amount = _WORD * (code & 0x7F)
        return _moved(-amount if code & 0x80 else amount)
    if code & 0xF800 == 0xA800:  # ADD Rd, sp, #imm8
        return Effect(Do.MOVE, code >> 8 & 7, SP, _WORD * (code & 0xFF))
    if code & 0xFF00 == 0x4600:  # MOV, any registers
        return Effect(Do.MOVE, code >> 4 & 8 | code & 7, code >> 3 & 15)
    if code & 0xFF00 == 0x4400:  # ADD, any registers
        d = code >> 4 & 8 | code & 7
        return Effect(Do.SUM, d, d, 0, code >> 3 & 15)
    if code & 0xF800 == 0x4800:
        return Effect(Do.LITERAL, code >> 8 & 7, amount=(at + 4 & ~3) + _WORD * (code & 0xFF))
    return _low_effect(code)


def _low_effect(code: int) -> Effect | None:
    """Arithmetic on r0 to r7."""
    d, n, m = code & 7, code >> 3 & 7, code >> 6 & 7
    eight = code >> 8 & 7
    if code & 0xF800 == 0x2000:  # MOVS Rd, #imm8
        return Effect(Do.CONSTANT, eight, amount=code & 0xFF)
    if code & 0xF800 == 0x3000:  # ADDS Rd, #imm8
        return Effect(Do.MOVE, eight, eight, code & 0xFF)
    if code & 0xF800 == 0x3800:  # SUBS Rd, #imm8
        return Effect(Do.MOVE, eight, eight, -(code & 0xFF))
    if code & 0xFE00 == 0x1C00:
        return Effect(Do.MOVE, d, n, m)
    if code & 0xFE00 == 0x1E00:
        return Effect(Do.MOVE, d, n, -m)
    if code & 0xFE00 == 0x1800:
        return Effect(Do.SUM, d, n, 0, m)
    if code & 0xFE00 == 0x1A00:
        return Effect(Do.DIFFERENCE, d, n, 0, m)
    if code & 0xF800 == 0x0000:  # LSLS, or MOVS for 0
        return Effect(Do.SHIFT, d, n, code >> 6 & 31)
    if code & 0xFFC0 == 0x4240:
        return Effect(Do.NEGATE, d, n)
    return None


def wide_effect(first: int, second: int, at: int) -> Effect | None:
    """Of the 32-bit instruction in these halfwords; see `narrow_effect`."""
    if first == 0xE92D:  # PUSH.W
        return _moved(-_WORD * second.bit_count())
    if first == 0xE8BD:  # POP.W
        return _moved(_WORD * second.bit_count())
    if first & 0xFFBF in (0xED2D, 0xECBD) and second & 0x0E00 == 0x0A00:  # VPUSH, VPOP
        words = second & (0xFE if second & 0x100 else 0xFF)  # FLDMX, FSTMX move as much
        return _moved(_WORD * words * (-1 if first & 0xFFBF == 0xED2D else 1))
    if first & 0xFE8F == 0xF80D and second & 0x0900 == 0x0900:  # LDR, STR and the like on sp, with writeback
        amount = second & 0xFF
        return _moved(amount if second & 0x0200 else -amount)
    if first & 0xFE2F == 0xE82D and first & 0x0040:  # LDRD, STRD on sp, with writeback
        amount = _WORD * (second & 0xFF)
        return _moved(amount if first & 0x0080 else -amount)
    if first & 0xFF7F == 0xF85F and second >> 12 != PC:  # LDR Rt, [pc, #imm12]
        offset = second & 0xFFF
        return Effect(Do.LITERAL, second >> 12, amount=(at + 4 & ~3) + (offset if first & 0x80 else -offset))
    if first & 0xFFE0 == 0xF380 and second & 0xFFFE == 0x8808:  # MSR msp, psp
        return Effect(Do.UNKNOWN, SP)
    if first >> 11 == 0b11110 and not second & 0x8000:
        return _immediate_effect(first, second)
    if first & 0xFE00 == 0xEA00:
        return _register_effect(first, second)
    if first & 0xFF70 == 0xF850 and second >> 12 == SP:  # LDR sp, [...]
        return Effect(Do.UNKNOWN, SP)
    return None


def _immediate_effect(first: int, second: int) -> Effect | None:
    """Data processing with an immediate, A5.3.1 and A5.3.3."""
    d, n = second >> 8 & 15, first & 15
    twelve = (first & 0x400) << 1 | second >> 4 & 0x700 | second & 0xFF
    operation = first & 0xFBE0
    if first & 0xFBF0 == 0xF200:  # ADDW
        return Effect(Do.MOVE, d, n, twelve)
    if first & 0xFBF0 == 0xF2A0:  # SUBW
        return Effect(Do.MOVE, d, n, -twelve)
    if first & 0xFBF0 in (0xF240, 0xF2C0):  # MOVW, MOVT
        return Effect(Do.CONSTANT if first & 0xFBF0 == 0xF240 else Do.TOP, d, amount=n << 12 | twelve)
    if d == PC:  # CMP and the like
        return None
    if operation == 0xF100:
        return Effect(Do.MOVE, d, n, _expanded(twelve))
    if operation == 0xF1A0:
        return Effect(Do.MOVE, d, n, -_expanded(twelve))
    if operation == 0xF020:  # BIC
        return Effect(Do.ALIGN, d, n, _expanded(twelve))
    if first & 0xFBEF == 0xF04F:  # MOV.W
        return Effect(Do.CONSTANT, d, amount=_expanded(twelve))
    return Effect(Do.UNKNOWN, d) if d == SP else None


def _register_effect(first: int, second: int) -> Effect | None:
    """Data processing with a shifted register, A5.3.11."""
    d, n, m = second >> 8 & 15, first & 15, second & 15
    shift = second >> 10 & 0x1C | second >> 6 & 3
    is_left = second & 0x0030 == 0
    if d == PC:
        return None
    if first & 0xFFE0 in (0xEB00, 0xEBA0) and is_left:
        return Effect(Do.SUM if first & 0xFFE0 == 0xEB00 else Do.DIFFERENCE, d, n, shift, m)
    if first & 0xFFEF == 0xEA4F and is_left:
        return Effect(Do.SHIFT, d, m, shift)
    return Effect(Do.UNKNOWN, d) if d == SP else None


def _moved(amount: int) -> Effect:
    return Effect(Do.MOVE, SP, SP, amount)


def _expanded(twelve: int) -> int:
    """ThumbExpandImm (A5.3.2)."""
    low = twelve & 0xFF
    kind = twelve >> 8
    if kind < 4:
        return (low, low * 0x00010001, low * 0x01000100, low * 0x01010101)[kind]
    value, rotation = 0x80 | low & 0x7F, twelve >> 7
    return (value >> rotation | value << 32 - rotation) & 0xFFFFFFFF
