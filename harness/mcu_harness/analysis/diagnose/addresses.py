"""What an address gives away about the pointer that it came from."""

from __future__ import annotations

from mcu_harness.emulator.contract import STACK_PAINT
from mcu_harness.hardware.board import Board

_NULL_BYTES = 0x1000  # a member or element of an object at address 0
_NEAR_BYTES = 0x1000
_PAINT = STACK_PAINT * 0x01010101
_BIT_BAND = {"cortex-m3", "cortex-m4"}  # as far as a part has it (Armv7-M cores' manuals; not in the architecture)
_BIT_BANDS = ((0x22000000, 0x24000000), (0x42000000, 0x44000000))
_DEVICES = ((0x40000000, 0x60000000), (0xA0000000, 0xE0000000))
_SYSTEM = 0xE0000000


def about(address: int, board: Board) -> str:
    """One clause on what stands at `address`, or on how a pointer came to have it; "" where nothing can be said."""
    if address < _NULL_BYTES:
        offset = f" (with an offset of {address:#x})" if address else ""
        return f"a null pointer{offset}"
    if abs(address - _PAINT) < _NEAR_BYTES:
        return "memory of the stack that was never written, used as a pointer: a local variable without a value"
    if address >= (1 << 32) - _NEAR_BYTES:
        return f"-{(1 << 32) - address} as a pointer: an error code that was not checked, or memory that was never set"
    text = (address | 1).to_bytes(4, "little")
    if all(0x20 <= byte < 0x7F for byte in text) and board.region_of(address) is None:
        return f"the bytes are text, {text.decode()!r}: a string was written over it"
    if board.core.name in _BIT_BAND and any(start <= address < end for start, end in _BIT_BANDS):
        return "the bit-band alias, which this emulator does not have; many parts with this core do"
    for memory in board.memories:
        if memory.end <= address < memory.end + _NEAR_BYTES:
            return f"{address - memory.end:,} B behind the end of {memory.name}"
        if memory.origin - _NEAR_BYTES <= address < memory.origin:
            return f"{memory.origin - address:,} B below the start of {memory.name}"
    if any(start <= address < end for start, end in _DEVICES):
        return "the space of devices"
    if address >= _SYSTEM:
        return "reserved: the core's own registers end at 0xe00fffff"
    return ""


def memories(board: Board) -> str:
    """The board's memories, for people."""
    return ", ".join(f"{m.name} {m.origin:#010x}..{m.end - 1:#010x}" for m in board.memories)
