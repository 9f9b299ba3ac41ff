"""Executed code as the cycle models see it: what each instruction is, what it reads and what it writes.

Decoded with capstone, once per run, from the machine code of the executed blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import capstone
from capstone import arm

from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.hardware.arm.decoder import decoded
from mcu_harness.hardware.arm.instruction_kinds import KIND_OF_NAME, Kind
from mcu_harness.hardware.arm.thumb import ItBlocks, instruction_size

Registers = frozenset[int]
_NONE: Registers = frozenset()
_PC: int = arm.ARM_REG_PC
_WORDS_OF_DOUBLE = 2
_KEPT_STRETCHES = 4096  # an image of a model has some hundreds, of a kilobyte or so decoded each


@dataclass(frozen=True, slots=True)
class Instruction:
    """`reads`, `writes` and `address_registers` are sets of capstone's register numbers.

    `words` is how many 32-bit words a load or store moves; `conditional`, that it can be skipped (by an IT block) or
    not taken (a branch); `needs_flags`, that it depends on the flags; `literal`, that it loads from next to the code.
    `accumulates` are registers that a multiplication adds to, `early` those that go through a shifter before the ALU;
    `narrow`, that a load brings less than a word; `shifted_constant`, that an operand is a constant of shifted bits.
    """

    address: int
    size: int
    kind: Kind
    words: int = 1
    reads: Registers = _NONE
    writes: Registers = _NONE
    address_registers: Registers = _NONE
    sets_flags: bool = False
    needs_flags: bool = False
    conditional: bool = False
    register_offset: bool = False
    literal: bool = False
    writeback: bool = False
    accumulates: Registers = _NONE
    early: Registers = _NONE
    narrow: bool = False
    shifted_constant: bool = False
    displacement: int = 0

    @property
    def results(self) -> Registers:
        """What it computes or loads, without an address that it updates on the way."""
        return self.writes - self.address_registers if self.writeback else self.writes

    @property
    def end(self) -> int:
        return self.address + self.size

    @property
    def loads_pc(self) -> bool:
        """Whether it loads the program counter from memory: POP {.., pc}, LDR pc."""
        return _PC in self.writes and self.kind in (Kind.LOAD, Kind.LOAD_MULTIPLE)


def _numbers() -> Iterator[tuple[int, Kind]]:
    for name, kind in KIND_OF_NAME.items():
        number = getattr(arm, f"ARM_INS_{name}", None)
        if number is not None:
            yield number, kind


_KINDS = dict(_numbers())
_MULTIPLES = (Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE, Kind.FLOAT_LOAD_MULTIPLE, Kind.FLOAT_STORE_MULTIPLE)
_DOUBLE_WORD = (arm.ARM_INS_LDRD, arm.ARM_INS_STRD)
_ON_STACK = ("push", "pop", "vpush", "vpop")
_COMPARES = (arm.ARM_INS_CMP, arm.ARM_INS_CMN, arm.ARM_INS_TST, arm.ARM_INS_TEQ)
_NARROW_LOADS = tuple(
    getattr(arm, f"ARM_INS_{name}")
    for name in ["LDRB", "LDRH", "LDRSB", "LDRSH", "LDRBT", "LDRHT", "LDRSBT", "LDRSHT", "LDREXB", "LDREXH"]
)
_EARLY_BITS = tuple(
    getattr(arm, f"ARM_INS_{name}") for name in ["SBFX", "UBFX", "BFI", "RBIT", "REV", "REV16", "REVSH"]
)
_ON_ZERO = (arm.ARM_INS_CBZ, arm.ARM_INS_CBNZ)
_ALWAYS = (arm.ARM_CC_INVALID, arm.ARM_CC_AL)
_DOUBLES = range(arm.ARM_REG_D0, arm.ARM_REG_D31 + 1)


def decode(counts: BlockCounts) -> dict[int, Instruction]:
    """Every executed instruction by address."""
    found = decode_stretches(_stretches(counts))
    for start, code in zip(counts.block_address.tolist(), counts.block_code, strict=True):
        _add_overlapping(found, start, code)
    return found


def decode_stretches(stretches: Iterable[tuple[int, bytes]]) -> dict[int, Instruction]:
    """Every instruction of (address, code) by address. What capstone does not know counts as ALU."""
    found: dict[int, Instruction] = {}
    for start, code in stretches:
        for one in _decoded_code(code):
            found[start + one.address] = replace(one, address=start + one.address)
    return found


@lru_cache(maxsize=_KEPT_STRETCHES)
def _decoded_code(code: bytes) -> tuple[Instruction, ...]:
    """The instructions of `code` as if it lay at 0: nothing else of an `Instruction` depends on where it is.

    Kept, because boards with the same core run the same code, at other addresses.
    """
    found: list[Instruction] = []
    at = 0
    it_blocks = ItBlocks()
    while at < len(code):
        for one in decoded(code[at:], at):
            found.append(_instruction(one, it_blocks.is_skippable(int.from_bytes(code[at : at + 2], "little"))))
            at += one.size
        if at < len(code):
            first = int.from_bytes(code[at : at + 2], "little")
            it_blocks.is_skippable(first)
            found.append(Instruction(at, instruction_size(first), Kind.ALU))
            at += instruction_size(first)
    return tuple(found)


def _add_overlapping(found: dict[int, Instruction], start: int, code: bytes) -> None:
    """Instructions of a block that was entered in the middle of another instruction: they are none of the stretch."""
    at = start
    while at < start + len(code):
        if at not in found:
            one = next(decoded(code[at - start :], at, 1), None)
            size = instruction_size(int.from_bytes(code[at - start : at - start + 2], "little"))
            found[at] = _instruction(one, False) if one is not None else Instruction(at, size, Kind.ALU)
        at += found[at].size


def _stretches(counts: BlockCounts) -> list[tuple[int, bytes]]:
    """(address, code) of executed code, joined where blocks touch or overlap: an IT block may be cut in two."""
    joined: list[tuple[int, bytearray]] = []
    for address, code in sorted(zip(counts.block_address.tolist(), counts.block_code, strict=True)):
        if joined and address <= joined[-1][0] + len(joined[-1][1]):
            start, known = joined[-1]
            known += code[start + len(known) - address :]
        else:
            joined.append((address, bytearray(code)))
    return [(start, bytes(code)) for start, code in joined]


def _instruction(one: Any, skippable: bool) -> Instruction:
    kind = _KINDS.get(one.id, Kind.ALU)
    reads: set[int] = set()
    writes: set[int] = set()
    address: set[int] = set()
    listed: list[int] = []
    register_offset = literal = False
    displacement = 0
    for operand in one.operands:
        if operand.type == arm.ARM_OP_REG:
            listed.append(operand.reg)
            if operand.access & capstone.CS_AC_WRITE:
                writes.add(operand.reg)
            if operand.access & capstone.CS_AC_READ or not operand.access:
                reads.add(operand.reg)
        elif operand.type == arm.ARM_OP_MEM:
            address |= {register for register in (operand.mem.base, operand.mem.index) if register}
            register_offset = operand.mem.index != 0
            literal = operand.mem.base == _PC
            displacement = operand.mem.disp
    if kind in _MULTIPLES and one.id not in _DOUBLE_WORD:
        if one.mnemonic.partition(".")[0] not in _ON_STACK:
            base = listed.pop(0)
            address.add(base)
            writes.discard(base)
        if (
            kind is Kind.FLOAT_LOAD_MULTIPLE or kind is Kind.LOAD_MULTIPLE
        ):  # capstone does not say that these are written
            writes |= set(listed)
    if one.writeback:
        writes |= address
    if kind is Kind.ALU and _PC in writes:
        kind = Kind.INDIRECT_BRANCH
    accumulates, early = _stages(one, kind, listed)
    condition = one.cc not in _ALWAYS and one.id != arm.ARM_INS_IT
    return Instruction(
        address=one.address,
        size=one.size,
        kind=kind,
        words=_words(one.id, kind, listed),
        reads=frozenset(reads | address),
        writes=frozenset(writes),
        address_registers=frozenset(address),
        sets_flags=bool(one.update_flags) or one.id in _COMPARES,
        needs_flags=condition or skippable or one.id == arm.ARM_INS_IT,
        conditional=condition or skippable or one.id in _ON_ZERO,
        register_offset=register_offset,
        literal=literal,
        writeback=bool(one.writeback),
        accumulates=frozenset(accumulates),
        early=frozenset(early),
        narrow=one.id in _NARROW_LOADS,
        displacement=displacement,
        shifted_constant=kind is Kind.ALU and one.size == 4 and _is_shifted_constant(one),
    )


def _stages(one: Any, kind: Kind, listed: list[int]) -> tuple[set[int], set[int]]:
    """Registers that are added to last, and those that are needed first (shifted or extended)."""
    early = {o.reg for o in one.operands if o.type == arm.ARM_OP_REG and o.shift.type and o.shift.value}
    if kind is Kind.BITS:
        early = {listed[-1]} if len(listed) > 2 or one.id in _EARLY_BITS else set()
    if kind is Kind.MULTIPLY_ADD and len(listed) > 3:
        return {listed[3]}, early
    if kind is Kind.LONG_MULTIPLY_ADD:
        return set(listed[:2]), early
    return set(), early


def _is_shifted_constant(one: Any) -> bool:
    """Whether the last operand is a constant of eight bits shifted left (Armv7-M ARM, A5.3.2), not a plain or repeated one."""
    last = one.operands[-1] if one.operands else None
    if last is None or last.type != arm.ARM_OP_IMM or one.id in (arm.ARM_INS_MOVW, arm.ARM_INS_MOVT):
        return False
    value = last.imm & 0xFFFFFFFF
    if value < 1 << 12 or value & 0xFFFF == value >> 16:
        return False
    return bool(value >> ((value & -value).bit_length() - 1) < 1 << 8)


def _words(number: int, kind: Kind, registers: list[int]) -> int:
    """How many words go to or from memory, 1 where none do."""
    if number in _DOUBLE_WORD:
        return 2
    if kind in _MULTIPLES or kind in (Kind.FLOAT_LOAD, Kind.FLOAT_STORE):
        return max(1, sum(_WORDS_OF_DOUBLE if register in _DOUBLES else 1 for register in registers))
    return 1
