"""A board's memories for the embedded emulator: buffers of this process that the emulated core sees at their addresses.

All memory is zero at reset, flash that the image does not fill too, as in Renode: runs are repeatable, and both
emulators start from the same state.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from unicorn import unicorn_const as const
from unicorn.unicorn_py3.unicorn import Uc

from mcu_harness.base.errors import EmulatorError
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

PAGE = 1024  # the emulator's unit of mapping for M-profile cores


@dataclass(frozen=True, slots=True)
class _Region:
    name: str
    origin: int
    size: int
    writable: bool
    access: int  # UC_PROT_*
    buffer: mmap.mmap

    def holds(self, address: int, size: int) -> bool:
        return self.origin <= address and address + size <= self.origin + self.size


def unmappable(board: Board) -> str:
    """Why `board` has a memory that cannot be mapped exactly, "" when all can."""
    for memory in board.memories:
        if memory.origin % PAGE or memory.size % PAGE:
            return f"memory {memory.name!r} does not begin and end at multiples of {PAGE} B, which the embedded emulator needs"
    return ""


class BoardMemory:
    """The memories of one run. An alias shares its memory's buffer; flash cannot be written by the program."""

    def __init__(self, board: Board, core: Uc) -> None:
        self.on_write: Callable[[int, int], None] = lambda _address, _size: None  # told of later writes from outside
        self._regions: list[_Region] = []
        self._flash_written: set[str] = set()
        self._core = core
        self._unlocked = False
        buffers: dict[str, mmap.mmap] = {}
        for memory in board.memories:
            buffer = buffers.get(memory.alias_of) or mmap.mmap(-1, memory.size)
            buffers[memory.name] = buffer
            writable, size = memory.kind == "ram", min(memory.size, len(buffer))
            access = const.UC_PROT_READ | (const.UC_PROT_WRITE if writable else 0)
            access |= const.UC_PROT_EXEC if memory.has_code else 0
            region = _Region(memory.name, memory.origin, size, writable, access, buffer)
            self._regions.append(region)
            start = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
            core.mem_map_ptr(region.origin, region.size, access, start)

    def close(self) -> None:
        """Let the buffers go; call it when nothing runs in them any more."""
        self._regions.clear()
        del self._core

    def load(self, program: Program) -> None:
        """Put every segment where its bytes are stored; raises EmulatorError when the board has no memory there."""
        for segment in program.segments:
            if not segment.data:
                continue
            region = self._region(segment.load_address, len(segment.data))
            if region is None:
                last = segment.load_address + len(segment.data) - 1
                raise EmulatorError(
                    f"{program.path}: a segment at {segment.load_address:#010x}..{last:#010x} "
                    "does not lie in one memory of the board",
                    hint=f"memories: {self.describe()}; link for this board, or choose the one it was linked for",
                )
            self._put(region, segment.load_address, segment.data)

    def peek(self, address: int, size: int) -> bytes | None:
        """`size` bytes, all from one memory; None elsewhere."""
        region = self._region(address, size)
        if region is None:
            return None
        at = address - region.origin
        return region.buffer[at : at + size]

    def read(self, address: int, size: int) -> bytes:
        """As `peek`; raises EmulatorError where there is no memory."""
        data = self.peek(address, size)
        if data is None:
            raise EmulatorError(f"no memory at {address:#010x}..{address + size - 1:#010x}")
        return data

    def write(self, address: int, data: bytes) -> None:
        """Write from outside, flash included; raises EmulatorError where there is no memory."""
        region = self._region(address, len(data))
        if region is None:
            raise EmulatorError(f"no memory at {address:#010x}..{address + len(data) - 1:#010x}")
        self._put(region, address, data)
        if not region.writable:
            self._flash_written.add(region.name)
        self.on_write(address, len(data))

    def contents(self) -> dict[str, bytes]:
        """The bytes of every memory that can have changed, by name: RAM, and flash that was written from outside."""
        changed = (region for region in self._regions if region.writable or region.name in self._flash_written)
        return {region.name: region.buffer[: region.size] for region in changed}

    def set_contents(self, contents: Mapping[str, bytes]) -> list[tuple[int, int]]:
        """Put back what `contents` gave; returns the [start, end) of memories that were other than that."""
        regions = [r for r in self._regions if r.name in contents and r.buffer[: r.size] != contents[r.name]]
        for region in regions:
            region.buffer[: region.size] = contents[region.name]
        return [(region.origin, region.origin + region.size) for region in regions]

    def word(self, address: int) -> int | None:
        """The 32-bit word at `address`, None outside memory."""
        data = self.peek(address, 4)
        return None if data is None else int.from_bytes(data, "little")

    def text(self, address: int, most: int) -> bytes:
        """The bytes from `address` up to a zero, at most `most` or to the end of the memory."""
        region = self._region(address, 1)
        if region is None:
            return b""
        at = address - region.origin
        end = min(at + most, region.size)
        zero = region.buffer.find(b"\0", at, end)
        return region.buffer[at : end if zero < 0 else zero]

    def is_start(self, address: int) -> bool:
        """Whether a memory begins at `address`."""
        return any(region.origin == address for region in self._regions)

    def unlock_flash(self, unlocked: bool) -> None:
        """Whether the program can write to flash from now on; it cannot at first."""
        if unlocked == self._unlocked:
            return
        self._unlocked = unlocked
        for region in self._regions:
            if not region.writable:
                access = region.access | (const.UC_PROT_WRITE if unlocked else 0)
                self._core.mem_protect(region.origin, region.size, access)
                self._flash_written.add(region.name)

    def writable_at(self, address: int) -> bool | None:
        """Whether the program may write at `address`; None when no memory is there."""
        region = self._region(address, 1)
        return region.writable if region else None

    def name_at(self, address: int) -> str:
        """The memory at `address`, "" where there is none."""
        region = self._region(address, 1)
        return region.name if region else ""

    def describe(self) -> str:
        """The memories, for people."""
        return ", ".join(f"{r.name} {r.origin:#010x}..{r.origin + r.size - 1:#010x}" for r in self._regions)

    def spans(self) -> Iterator[tuple[int, int]]:
        """(start, end) of every memory."""
        return ((r.origin, r.origin + r.size) for r in self._regions)

    def _region(self, address: int, size: int) -> _Region | None:
        return next((r for r in self._regions if r.holds(address, size)), None)

    @staticmethod
    def _put(region: _Region, address: int, data: bytes) -> None:
        at = address - region.origin
        region.buffer[at : at + len(data)] = data
