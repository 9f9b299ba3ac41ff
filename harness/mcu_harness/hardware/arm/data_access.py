"""Which memory an instruction reads or writes, as data for the memory trace: decoded with capstone, once per block.

An access is `base + disp [+ index << shift]`, over registers as they are before the instruction. Encodings: Armv7-M
Architecture Reference Manual (DDI 0403), A7.7; what the fields of an access come from is in the text of each load and
store there. Preloads (PLD) access nothing that a program could see and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from capstone import arm

from mcu_harness.hardware.arm.decoder import decoded
from mcu_harness.hardware.arm.thumb import instruction_size

# What one load or store moves, in bytes, where the registers do not say it.
_BYTES = {
    **dict.fromkeys(
        [
            "LDRB",
            "LDRSB",
            "LDRBT",
            "LDRSBT",
            "STRB",
            "STRBT",
            "LDREXB",
            "STREXB",
            "LDAB",
            "STLB",
            "LDAEXB",
            "STLEXB",
            "TBB",
        ],
        1,
    ),
    **dict.fromkeys(
        [
            "LDRH",
            "LDRSH",
            "LDRHT",
            "LDRSHT",
            "STRH",
            "STRHT",
            "LDREXH",
            "STREXH",
            "LDAH",
            "STLH",
            "LDAEXH",
            "STLEXH",
            "TBH",
        ],
        2,
    ),
    **dict.fromkeys(["LDR", "LDRT", "STR", "STRT", "LDREX", "STREX", "LDA", "STL", "LDAEX", "STLEX"], 4),
    **dict.fromkeys(["LDRD", "STRD"], 8),
}
_SINGLES = {getattr(arm, f"ARM_INS_{name}"): size for name, size in _BYTES.items()}
_STORES = frozenset(
    getattr(arm, f"ARM_INS_{name}")
    for name in [
        "STR",
        "STRB",
        "STRH",
        "STRT",
        "STRBT",
        "STRHT",
        "STRD",
        "STREX",
        "STREXB",
        "STREXH",
        "STL",
        "STLB",
        "STLH",
        "STLEX",
        "STLEXB",
        "STLEXH",
        "STM",
        "STMDB",
        "PUSH",
        "VSTR",
        "VSTMIA",
        "VSTMDB",
        "VPUSH",
    ]
)
_FLOATS = (arm.ARM_INS_VLDR, arm.ARM_INS_VSTR)
_ON_STACK = (arm.ARM_INS_PUSH, arm.ARM_INS_POP, arm.ARM_INS_VPUSH, arm.ARM_INS_VPOP)
_DOWNWARDS = (arm.ARM_INS_LDMDB, arm.ARM_INS_STMDB, arm.ARM_INS_VLDMDB, arm.ARM_INS_VSTMDB)
_UPWARDS = (arm.ARM_INS_LDM, arm.ARM_INS_STM, arm.ARM_INS_VLDMIA, arm.ARM_INS_VSTMIA)
_TABLE_BRANCHES = (arm.ARM_INS_TBB, arm.ARM_INS_TBH)
_NUMBERS = {arm.ARM_REG_R0 + i: i for i in range(13)} | {arm.ARM_REG_SP: 13, arm.ARM_REG_LR: 14, arm.ARM_REG_PC: 15}
_DOUBLES = range(arm.ARM_REG_D0, arm.ARM_REG_D31 + 1)

SP, PC = 13, 15


@dataclass(frozen=True, slots=True)
class Access:
    """`size` bytes at base + disp (+ index << shift); `base` PC means the instruction's own address, `index` -1 none."""

    base: int
    disp: int
    size: int
    write: bool
    index: int = -1
    shift: int = 0

    @property
    def alignment(self) -> int:
        """To how many bytes silicon wants it aligned at most: to words where it moves several."""
        return min(self.size, 4)


def accesses(code: bytes, address: int) -> Iterator[tuple[int, Access]]:
    """(offset, access) of every load and store in the code of a block; what capstone does not know has none."""
    at = 0
    while at < len(code):
        for one in decoded(code[at:], address + at):
            access = _access(one)
            if access is not None:
                yield one.address - address, access
            at = one.address + one.size - address
        if at < len(code):
            at += instruction_size(int.from_bytes(code[at : at + 2], "little"))


def _access(one: Any) -> Access | None:
    write = one.id in _STORES
    if one.id in _ON_STACK:
        size = _moved(one.operands)
        return Access(SP, -size if write else 0, size, write)
    if one.id in _UPWARDS or one.id in _DOWNWARDS:
        size = _moved(one.operands[1:])
        return Access(_NUMBERS[one.operands[0].reg], -size if one.id in _DOWNWARDS else 0, size, write)
    if one.id not in _SINGLES and one.id not in _FLOATS:
        return None
    size = _SINGLES.get(one.id) or _moved(one.operands)
    memory = next((o for o in one.operands if o.type == arm.ARM_OP_MEM), None)
    if memory is None:
        return None
    base, disp = _NUMBERS[memory.mem.base], memory.mem.disp
    if base == PC:  # reads as the address of the instruction after the next, for loads with two zero bits
        disp += (one.address + 4 if one.id in _TABLE_BRANCHES else (one.address + 4) & ~3) - one.address
    index = _NUMBERS[memory.mem.index] if memory.mem.index else -1
    return Access(base, disp, size, write, index, memory.shift.value if index >= 0 else 0)


def _moved(operands: Any) -> int:
    """Bytes of the registers in a list."""
    return sum(8 if operand.reg in _DOUBLES else 4 for operand in operands if operand.type == arm.ARM_OP_REG)
