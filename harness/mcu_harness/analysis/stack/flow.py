"""Where execution goes behind a Thumb instruction: on, elsewhere, or both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from mcu_harness.hardware.arm.stack_effect import LR, PC
from mcu_harness.hardware.arm.thumb import UNKNOWN_TARGET, block_end


class Flow(Enum):
    CALL = auto()
    INDIRECT_CALL = auto()
    JUMP = auto()
    BRANCH = auto()  # or on
    INDIRECT_JUMP = auto()  # through a register: to a function
    LITERAL_JUMP = auto()  # to the address in the word at the target
    TABLE_JUMP = auto()  # to one of several places
    RETURN = auto()
    END = auto()  # execution goes no further


@dataclass(frozen=True, slots=True)
class Leaves:
    """`target` is known for calls, jumps and branches whose instruction says it."""

    flow: Flow
    target: int | None = None


_RETURN, _TABLE, _END = Leaves(Flow.RETURN), Leaves(Flow.TABLE_JUMP), Leaves(Flow.END)


def flow(first: int, second: int, code: bytes, at: int) -> Leaves | None:
    """What the instruction with these halfwords, with which `code` at `at` begins, does; None where execution goes on.

    Encodings: Armv7-M Architecture Reference Manual (DDI 0403), A5.2.6, A5.3.4 to A5.3.7.
    """
    return _narrow(first, code[:2], at) if first < 0xE800 else _wide(first, second, code[:4], at)


def _narrow(code: int, encoded: bytes, at: int) -> Leaves | None:
    if code >> 12 == 0b1101:
        condition = code >> 8 & 15
        if condition == 14:  # UDF
            return _END
        return None if condition == 15 else Leaves(Flow.BRANCH, _target(encoded, at))
    if code >> 11 == 0b11100:
        return Leaves(Flow.JUMP, _target(encoded, at))
    if code & 0xF500 == 0xB100:  # CBZ, CBNZ
        return Leaves(Flow.BRANCH, _target(encoded, at))
    if code & 0xFF00 == 0xBD00:
        return _RETURN
    register = code >> 3 & 15
    if code & 0xFF80 == 0x4780:
        return Leaves(Flow.INDIRECT_CALL)
    if code & 0xFF80 == 0x4700 or (code & 0xFF87 == 0x4687 and register == LR):
        return _RETURN if register == LR else Leaves(Flow.INDIRECT_JUMP)
    return _TABLE if code & 0xFF87 in (0x4687, 0x4487) else None


def _wide(first: int, second: int, encoded: bytes, at: int) -> Leaves | None:
    if first >> 11 == 0b11110 and second & 0x8000:
        target = _target(encoded, at)
        if second & 0x5000 == 0x5000:
            return Leaves(Flow.CALL, target)
        if second & 0x5000 == 0x1000:
            return Leaves(Flow.JUMP, target)
        if second & 0x5000 == 0 and target is not None:
            return Leaves(Flow.BRANCH, target)
        return _END if first & 0xFFF0 == 0xF7F0 and second & 0xF000 == 0xA000 else None  # UDF.W
    if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000:  # TBB, TBH
        return _TABLE
    if first & 0xFF70 == 0xF850 and second >> 12 == PC:  # LDR pc, [...]
        if first == 0xF85D and second & 0x0F00 == 0x0B00:  # a POP
            return _RETURN
        if first & 0xFF7F == 0xF85F:
            offset = second & 0xFFF
            return Leaves(Flow.LITERAL_JUMP, (at + 4 & ~3) + (offset if first & 0x80 else -offset))
        return _TABLE
    return _RETURN if first & 0xFFD0 in (0xE890, 0xE910) and second & 0x8000 else None


def _target(code: bytes, at: int) -> int | None:
    target = block_end(code, at).target
    return None if target == UNKNOWN_TARGET else target & 0xFFFFFFFF
