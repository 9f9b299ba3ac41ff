"""What a call was given, as far as the code before it says so: constants in registers, and texts in the image.

After the run the registers hold something else. But arguments such as __assert_func's are constants, put into r0 to r3
by the straight line of code that ends with the call.
"""

from __future__ import annotations

from typing import Any

from capstone import arm

from mcu_harness.base.text import one_line
from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.hardware.arm.decoder import decoded
from mcu_harness.image.program import Program

_MOST_TEXT_BYTES = 200
_ARGUMENTS = (arm.ARM_REG_R0, arm.ARM_REG_R1, arm.ARM_REG_R2, arm.ARM_REG_R3)
_MOVES = (arm.ARM_INS_MOV, arm.ARM_INS_MOVS, arm.ARM_INS_MOVW)


def arguments(counts: BlockCounts, program: Program, returns_to: int) -> tuple[int | None, ...]:
    """r0 to r3 at the call that returns to `returns_to`; None for each that is no constant there."""
    for address, code in zip(counts.block_address.tolist(), counts.block_code, strict=True):
        if address + len(code) == returns_to:
            known = _constants(address, code, program)
            return tuple(known.get(register) for register in _ARGUMENTS)
    return (None,) * len(_ARGUMENTS)


def text_at(program: Program, address: int | None) -> str:
    """The C string at `address` in the image, "" where there is none; harmless for a terminal, and not long."""
    data = program.bytes_at(address, _MOST_TEXT_BYTES) if address else b""
    text, zero, _ = data.partition(b"\0")
    return one_line(text.decode("utf-8", "replace")) if zero else ""


def _constants(address: int, code: bytes, program: Program) -> dict[int, int]:
    """Registers with a known value after the straight line `code`."""
    known: dict[int, int] = {}
    for one in decoded(code, address):
        next_constants(one, known, program)
    return known


def next_constants(one: Any, known: dict[int, int], program: Program) -> None:
    """What is `known` of registers, after the instruction `one`."""
    value = _value(one, known, program)
    for register in one.regs_access()[1]:
        known.pop(register, None)
    if value is not None:
        known[one.operands[0].reg] = value & 0xFFFFFFFF


def _value(one: Any, known: dict[int, int], program: Program) -> int | None:
    """What `one` puts into its first operand, None unless that is a constant."""
    operands = one.operands
    if one.cc not in (arm.ARM_CC_AL, arm.ARM_CC_INVALID) or len(operands) < 2:
        return None
    here = one.address + 4 & ~3
    first, last = operands[0], operands[-1]
    if first.type != arm.ARM_OP_REG:
        return None
    if one.id == arm.ARM_INS_LDR and last.type == arm.ARM_OP_MEM and last.mem.base == arm.ARM_REG_PC:
        return program.word_at(here + last.mem.disp)
    if one.id == arm.ARM_INS_ADR and last.type == arm.ARM_OP_IMM:
        return int(here + last.imm)
    if one.id in _MOVES:
        return int(last.imm) if last.type == arm.ARM_OP_IMM else known.get(last.reg)
    if one.id == arm.ARM_INS_MOVT and first.reg in known:
        return known[first.reg] & 0xFFFF | int(last.imm) << 16
    if one.id == arm.ARM_INS_ADD and last.type == arm.ARM_OP_IMM:
        base = operands[-2].reg
        start = here if base == arm.ARM_REG_PC else known.get(base)
        return None if start is None else int(start + last.imm)
    return None
