"""How much stack functions take for themselves, read from the code of them that ran.

Counted is what a function pushes and what it takes off the stack pointer by a constant: encodings T1 to T3 of PUSH,
VPUSH, SUB (SP minus immediate) and STR with write-back (Armv7-M ARM, DDI 0403, A7.7). What is taken by a register
(arrays of variable length, and large frames on an M0) is not seen; each place counts once, as though all were reached.
"""

from __future__ import annotations

from collections.abc import Iterator

from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.hardware.arm.thumb import instruction_size
from mcu_harness.image.program import Program


def frame_bytes(code: bytes) -> int:
    """What the instructions of `code` take off the stack pointer, in bytes."""
    return sum(taken for _, taken in _steps(code))


def _steps(code: bytes) -> Iterator[tuple[int, int]]:
    """(offset, bytes) of the instructions of `code` that take stack."""
    at = 0
    while at + 2 <= len(code):
        first = int.from_bytes(code[at : at + 2], "little")
        size = instruction_size(first)
        taken = 0
        if size == 2:
            taken = _narrow(first)
        elif at + 4 <= len(code):
            taken = _wide(first, int.from_bytes(code[at + 2 : at + 4], "little"))
        if taken:
            yield at, taken
        at += size


def frames(counts: BlockCounts, program: Program) -> dict[int, int]:
    """Bytes of stack by function address, of all functions that ran."""
    places: dict[int, int] = {}  # by instruction: blocks overlap
    for address, code in zip(counts.block_address.tolist(), counts.block_code, strict=True):
        places |= {address + at: taken for at, taken in _steps(code)}
    sums: dict[int, int] = {}
    for address, taken in places.items():
        function = program.function_at(address)
        if function is not None:
            sums[function.address] = sums.get(function.address, 0) + taken
    return sums


def deepest_path(counts: BlockCounts, program: Program) -> list[tuple[int, int]]:
    """The call path that took most stack by `frames`: (function address, bytes), outermost first."""
    sizes = frames(counts, program)
    starts = [program.function_at(int(entry)) for entry in counts.context_entry]
    own = [sizes.get(start.address, 0) if start else 0 for start in starts]
    depth: list[int] = []
    for context, parent in enumerate(counts.context_parent.tolist()):  # parents come first
        depth.append(own[context] + (depth[parent] if parent >= 0 else 0))
    context = max(range(len(depth)), key=depth.__getitem__, default=-1)
    path: list[tuple[int, int]] = []
    while context >= 0:
        start = starts[context]
        path.insert(0, (start.address if start else int(counts.context_entry[context]), own[context]))
        context = int(counts.context_parent[context])
    return path


def _narrow(first: int) -> int:
    if first & 0xFE00 == 0xB400:  # PUSH
        return 4 * (first & 0x1FF).bit_count()
    if first & 0xFF80 == 0xB080:  # SUB SP, SP, #imm7
        return 4 * (first & 0x7F)
    return 0


def _wide(first: int, second: int) -> int:
    if first == 0xE92D:  # PUSH.W
        return 4 * second.bit_count()
    if first & 0xFFF0 == 0xF840 and first & 0xF == 0xD and second & 0xF00 == 0xD00:  # STR Rt, [SP, #-imm8]!
        return second & 0xFF
    if first & 0xFFBF == 0xED2D and second & 0xE00 == 0xA00:  # VPUSH
        return 4 * (second & 0xFF)
    if first & 0xFBFF == 0xF2AD and not second & 0x8000 and second >> 8 & 0xF == 0xD:  # SUBW SP, SP, #imm12
        return (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF
    if first & 0xFBEF == 0xF1AD and second >> 8 & 0xF == 0xD:  # SUB.W SP, SP, #const
        return expanded((first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF)
    return 0


def expanded(value: int) -> int:
    """A modified immediate constant of 12 bits, as its 32 (ThumbExpandImm, DDI 0403, A5.3.2)."""
    byte = value & 0xFF
    if value >> 10 == 0:
        return byte * (1, 0x00010001, 0x01000100, 0x01010101)[value >> 8 & 3]
    rotation, rotated = value >> 7, 0x80 | value & 0x7F
    return (rotated >> rotation | rotated << 32 - rotation) & 0xFFFFFFFF
