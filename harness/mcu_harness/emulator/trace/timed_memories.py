"""What a memory trace keeps of the board's memories: which bytes were written, and the caches that the core has before them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.recorder.rows import WORD_BYTES, Table, Words, aligned
from mcu_harness.emulator.trace.layout import HINTS_AT, LINES_AT, NEVER_USED, Cache, Line, Object
from mcu_harness.hardware.board import Board, Memory

_ADDRESS_SPACE = 1 << 32


class TimedMemories:
    """`cuts` are the addresses at which objects begin: those given, and the memories' bounds. `objects` has a row for each."""

    def __init__(self, board: Board, cuts: Sequence[int]) -> None:
        self._board = board
        self._shadows: dict[str, npt.NDArray[np.uint8]] = {}
        self._caches: dict[str, Words] = {}
        memories = [edge for memory in board.memories for edge in (memory.origin, memory.end)]
        moved = [edge for one in board.moved for edge in (one.low, one.high)]
        self.cuts: Words = np.array(sorted({0, _ADDRESS_SPACE, *cuts, *memories, *moved}), np.int64)
        self.objects = Table(Object, len(self.cuts))
        for index, start in enumerate(self.cuts[:-1].tolist()):
            self._describe(self.objects.row(index), start)

    def written(self, address: int, size: int) -> None:
        """Bytes from `address` on count as written from now on."""
        for memory in self._board.memories:
            shadow = self._shadows.get(memory.alias_of or memory.name)
            if shadow is not None and memory.holds(address):
                at = address - memory.origin
                shadow[at : at + size] = 1

    def code_cache(self, address: int) -> tuple[int, int]:
        """(address of the cache, binary logarithm of the line's size) for code at `address`; (0, 0) where nothing waits."""
        memory = self._seen(address)
        if memory is None or not memory.wait_states:
            return 0, 0
        if self._board.has_unified_cache(memory):
            kind, bytes_ = "code and data", memory.cache_bytes
        elif memory.cache in ("art", "icache", "nvm-cache"):
            kind, bytes_ = "code", memory.cache_bytes
        else:
            kind, bytes_ = f"code of {memory.alias_of or memory.name}", 0
        return self._cache(kind, bytes_, memory)

    def _describe(self, row: Object, start: int) -> None:
        memory = self._board.memory_at(start)
        if memory is None:
            return
        if memory.kind == "ram":
            row.shadow = self._shadow(memory).ctypes.data - memory.origin
        memory = self._seen(start) or memory
        if memory.wait_states or memory.data_cache_bytes:
            row.cache, row.line_shift = self._data_cache(memory)

    def _seen(self, address: int) -> Memory | None:
        """The memory that is timed for `address`: another than the one that holds it, where that is moved."""
        if any(moved.low <= address < moved.high for moved in self._board.moved):
            return self._board.region_of(address)
        return self._board.memory_at(address)

    def _shadow(self, memory: Memory) -> npt.NDArray[np.uint8]:
        """A byte per byte of a memory, shared by its aliases."""
        name = memory.alias_of or memory.name
        if name not in self._shadows:
            self._shadows[name] = np.zeros(memory.size + 8, np.uint8)
        return self._shadows[name]

    def _data_cache(self, memory: Memory) -> tuple[int, int]:
        """(address of the cache, binary logarithm of the line's size) for data accesses to `memory`."""
        if self._board.has_unified_cache(memory):
            return self._cache("code and data", memory.cache_bytes, memory)
        if memory.data_cache_bytes:
            return self._cache("data", memory.data_cache_bytes, memory)
        return self._cache(f"data of {memory.alias_of or memory.name}", 0, memory)

    def _cache(self, kind: str, bytes_: int, memory: Memory) -> tuple[int, int]:
        """A cache is shared by all memories that are seen through it; 0 bytes are one line of what was read last."""
        size = (memory.cache_line_bytes or memory.fetch_bytes) if bytes_ else memory.fetch_bytes
        l1 = self._board.core.l1 if bytes_ else None
        if l1 is not None:
            size = l1.line_bytes
        lines = max(1, bytes_ // size)
        if kind not in self._caches:
            ways = min(memory.cache_ways or lines, lines)
            if l1 is not None and kind == "data":
                ways = min(l1.data_ways, lines)
            self._caches[kind] = _empty_cache(lines // ways, ways, lines)
        return int(self._caches[kind].ctypes.data), size.bit_length() - 1


def _empty_cache(sets: int, ways: int, lines: int) -> Words:
    words = aligned((LINES_AT + lines * Line.nbytes) // WORD_BYTES)
    address = int(words.ctypes.data)
    head = Cache.from_address(address)
    head.sets, head.ways = sets, ways
    words[HINTS_AT // WORD_BYTES : LINES_AT // WORD_BYTES] = address + LINES_AT
    words[LINES_AT // WORD_BYTES :].view(Line.dtype)["number"] = NEVER_USED
    return words
