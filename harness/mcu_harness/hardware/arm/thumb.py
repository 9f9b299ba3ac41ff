"""How a block of Thumb code ends: what the block recorder must know to follow calls and returns.

Only the last instruction of a block matters here, and of that only where it can go. Encodings: Armv7-M Architecture
Reference Manual (DDI 0403), sections A5.2, A5.3 and A7.7. The test suite compares this with capstone on every 16-bit
encoding and on the 32-bit branches.
"""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = 0  # falls through, branches to a known address, or jumps through a table (TBB, TBH)
CALL = 1  # BL, BLX: the address after it is a return address
RETURN = 2  # an indirect jump: BX, POP {pc}, LDR pc, ...: a return when it goes to a return address

UNKNOWN_TARGET = -1


@dataclass(frozen=True, slots=True)
class BlockEnd:
    """`target` is where a direct branch or call goes, else UNKNOWN_TARGET; `branch_address` is the last instruction."""

    instructions: int
    size: int
    kind: int
    target: int
    branch_address: int

    @property
    def endless(self) -> bool:
        """Whether the last instruction is a direct branch to itself."""
        return self.target == self.branch_address


def instruction_size(first_halfword: int) -> int:
    """2 or 4: how long the instruction is that starts with this halfword (A5.1)."""
    return 4 if first_halfword >> 11 in (0b11101, 0b11110, 0b11111) else 2


class ItBlocks:
    """Follows a straight stretch of code through IT blocks (A7.7.38): which of its instructions may be skipped."""

    def __init__(self) -> None:
        self._left = 0

    def is_skippable(self, first_halfword: int) -> bool:
        """Whether the next instruction, which starts with this halfword, stands in an IT block; asked once for each, in order."""
        skippable = self._left > 0
        self._left = it_length(first_halfword) or max(0, self._left - 1)
        return skippable


def it_length(first_halfword: int) -> int:
    """How many instructions an IT makes conditional; 0 for what is no IT."""
    if first_halfword & 0xFF00 != 0xBF00 or not first_halfword & 0xF:
        return 0
    return 5 - (first_halfword & -first_halfword).bit_length()


def is_conditional_branch(instruction: bytes) -> bool:
    """Whether it branches or falls through: B<c> (A7.7.12), CBZ and CBNZ (A7.7.21)."""
    first = int.from_bytes(instruction[:2], "little")
    if len(instruction) == 2:
        return (first >> 12 == 0b1101 and (first >> 8 & 0xF) < 0xE) or first & 0xF500 == 0xB100
    second = int.from_bytes(instruction[2:4], "little")
    return first >> 11 == 0b11110 and second & 0xD000 == 0x8000 and (first >> 6 & 0xF) < 0xE


def unmasks(instruction: bytes) -> bool:
    """Whether it may let exceptions through that were masked: CPSIE, or MSR to PRIMASK, BASEPRI(_MAX) or FAULTMASK."""
    first, second = (int.from_bytes(instruction[i : i + 2], "little") for i in (0, 2))
    if len(instruction) == 2:
        return first & 0xFFF0 == 0xB660
    return first & 0xFFF0 == 0xF380 and second & 0xF300 == 0x8000 and 16 <= second & 0xFF <= 19


def block_end(code: bytes, address: int, instructions: int | None = None) -> BlockEnd:
    """How the block at `address` ends: it is all of `code`, or its first `instructions` instructions.

    Raises ValueError when `code` is empty, ends inside an instruction, or holds fewer than `instructions`.
    """
    count = 0
    last = end = 0
    while end < len(code) if instructions is None else count < instructions:
        last = end
        end += instruction_size(int.from_bytes(code[end : end + 2], "little"))
        count += 1
    if count == 0 or end > len(code):
        raise ValueError(f"no whole instructions in {code.hex()!r}")
    first = int.from_bytes(code[last : last + 2], "little")
    at = address + last
    kind, target = (
        _wide_end(first, int.from_bytes(code[last + 2 : last + 4], "little"), at)
        if end - last == 4
        else _narrow_end(first, at)
    )
    return BlockEnd(count, end, kind, target, at)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _narrow_end(code: int, at: int) -> tuple[int, int]:
    if code >> 12 == 0b1101 and (code >> 8 & 0xF) < 0xE:  # B<c>
        return PLAIN, at + 4 + 2 * _signed(code & 0xFF, 8)
    if code >> 11 == 0b11100:  # B
        return PLAIN, at + 4 + 2 * _signed(code & 0x7FF, 11)
    if code & 0xF500 == 0xB100:  # CBZ, CBNZ
        return PLAIN, at + 4 + ((code >> 9 & 1) << 6 | (code >> 3 & 0x1F) << 1)
    if code & 0xFF80 == 0x4780:  # BLX
        return CALL, UNKNOWN_TARGET
    if code & 0xFF80 == 0x4700 or code & 0xFF00 == 0xBD00:  # BX; POP {.., pc}
        return RETURN, UNKNOWN_TARGET
    if code & 0xFF87 in (0x4687, 0x4487):  # MOV pc, Rm; ADD pc, Rm
        return RETURN, UNKNOWN_TARGET
    return PLAIN, UNKNOWN_TARGET


def _wide_end(first: int, second: int, at: int) -> tuple[int, int]:
    if first >> 11 == 0b11110 and second & 0x8000:
        return _wide_branch(first, second, at)
    if first & 0xFF70 == 0xF850 and second >> 12 == 0xF:  # LDR pc, [...]
        return RETURN, UNKNOWN_TARGET
    if first & 0xFFD0 in (0xE890, 0xE910) and second & 0x8000:  # LDMIA, POP, LDMDB with pc
        return RETURN, UNKNOWN_TARGET
    return PLAIN, UNKNOWN_TARGET


def _wide_branch(first: int, second: int, at: int) -> tuple[int, int]:
    sign, j1, j2 = first >> 10 & 1, second >> 13 & 1, second >> 11 & 1
    if second & 0x5000 == 0:  # B<c>.W (encoding T3), or a system instruction where the condition is 0b111x
        if (first >> 6 & 0xF) >= 0xE:
            return PLAIN, UNKNOWN_TARGET
        offset = sign << 20 | j2 << 19 | j1 << 18 | (first & 0x3F) << 12 | (second & 0x7FF) << 1
        return PLAIN, at + 4 + _signed(offset, 21)
    if second & 0x5000 == 0x4000:  # BLX (immediate): would leave Thumb, which no M core can
        return PLAIN, UNKNOWN_TARGET
    i1, i2 = 1 - (j1 ^ sign), 1 - (j2 ^ sign)
    offset = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3FF) << 12 | (second & 0x7FF) << 1
    return CALL if second & 0x4000 else PLAIN, at + 4 + _signed(offset, 25)
