"""What an address gives away about the pointer that it came from."""

from __future__ import annotations

from mcu_harness.emulator.contract import PAINT_AS_POINTER
from mcu_harness.hardware.arm.address_map import ADDRESS_SPACE, BIT_BANDS, PRIVATE_BUS, VENDOR_SYSTEM, is_device
from mcu_harness.hardware.board import Board

_NULL_BYTES = 0x1000  # a member or element of an object at address 0
_NEAR_BYTES = 0x1000


def about(address: int, board: Board) -> str:
    """One clause on what stands at `address`, or on how a pointer came to have it; "" where nothing can be said."""
    if address < _NULL_BYTES:
        offset = f" (with an offset of {address:#x})" if address else ""
        return f"a null pointer{offset}"
    if PAINT_AS_POINTER.holds(address):
        return "memory of the stack that was never written, used as a pointer: a local variable without a value"
    if address >= ADDRESS_SPACE.high - _NEAR_BYTES:
        return f"-{(1 << 32) - address} as a pointer: an error code that was not checked, or memory that was never set"
    text = (address | 1).to_bytes(4, "little")
    if all(0x20 <= byte < 0x7F for byte in text) and board.region_of(address) is None:
        return f"the bytes are text, {text.decode()!r}: a string was written over it"
    if board.core.bit_band and any(band.holds(address) for band in BIT_BANDS):
        return "the bit-band alias, which this emulator does not have; many parts with this core do"
    for memory in board.memories:
        if memory.end <= address < memory.end + _NEAR_BYTES:
            return f"{address - memory.end:,} B behind the end of {memory.name}"
        if memory.origin - _NEAR_BYTES <= address < memory.origin:
            return f"{memory.origin - address:,} B below the start of {memory.name}"
    if VENDOR_SYSTEM.holds(address):
        return "reserved: the core's own registers end at 0xe00fffff"
    if is_device(address):
        return "the space of devices"
    if PRIVATE_BUS.holds(address):
        return "the core's own registers"
    return ""


def memories(board: Board) -> str:
    """The board's memories, for people."""
    return ", ".join(f"{m.name} {m.origin:#010x}..{m.end - 1:#010x}" for m in board.memories)
