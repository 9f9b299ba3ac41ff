"""Which instruction made an access, from the block that Renode names.

Renode 1.15 leaves the program counter at the start of the block when an access that is not aligned finds no memory; newer versions
have it at the instruction. Registers are right in each, and so is what the access touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcu_harness.hardware.arm.data_access import PC, Access, accesses
from mcu_harness.hardware.arm.thumb import PLAIN, UNKNOWN_TARGET, block_end, instruction_size

_WORD = 4
_NUMBERED = (*(f"r{i}" for i in range(13)), "sp", "lr", "pc")
MOST_BYTES = 512  # of a block in which the instruction is looked for


def numbered(registers: Mapping[str, int]) -> list[int]:
    """r0 to pc."""
    return [registers[name] for name in _NUMBERED]


def address_of(access: Access, at: int, registers: Sequence[int]) -> int:
    """Where the instruction at `at` accesses memory, by the registers r0 to pc before it."""
    base = at if access.base == PC else registers[access.base]
    index = registers[access.index] << access.shift if access.index >= 0 else 0
    return base + access.disp + index & 0xFFFFFFFF


def accessing(code: bytes, pc: int, touched: int, write: bool, registers: Sequence[int]) -> int:
    """The instruction that touched `touched`, from `pc` on in `code` to the end of its block; `pc` where none is seen to."""
    end = _block_size(code, pc)
    for offset, access in accesses(code[:end], pc):
        address = address_of(access, pc + offset, registers)
        if access.write == write and address & -_WORD <= touched < address + access.size:
            return pc + offset
    return pc


def _block_size(code: bytes, pc: int) -> int:
    """Bytes of `code` up to its first branch."""
    at = 0
    while at + 2 <= len(code):
        size = instruction_size(int.from_bytes(code[at : at + 2], "little"))
        if at + size > len(code):
            break
        one = block_end(code[at : at + size], pc + at)
        at += size
        if one.kind != PLAIN or one.target != UNKNOWN_TARGET:
            break
    return at
