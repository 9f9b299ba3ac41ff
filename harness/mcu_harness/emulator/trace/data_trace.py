"""The memory trace: which data every executed load and store went to, counted while the program runs.

What it answers is a table, `mcu_harness.emulator.contract.DataTrace`: how often each instruction, in each calling context, accessed
each object; how often a line of memory had to be brought in for that; and which reads were of bytes that nothing had
written. It sees addresses before each instruction executes (see `access_hook`), so it changes nothing in the program.

Tables, all reached by address from compiled code: a row of `_steps` for each edge of the block recorder, with the
descriptors of its block's halfwords (0: no access) and as many rows of counters. Counters are kept until an instruction
goes to another object, then they are written to the log, which is summed up whenever it is full. An access to several
words (LDM, LDRD, VLDM, ...) that are of different objects is an access to each of these, by as many words as it holds.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.contract import DataTrace
from mcu_harness.emulator.recorder import block_hook
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.recorder.counted import Mark
from mcu_harness.emulator.recorder.tables import Table, aligned
from mcu_harness.emulator.trace import access_hook
from mcu_harness.emulator.trace.access_filter import filtered
from mcu_harness.hardware.arm.alignment import unaligned
from mcu_harness.hardware.arm.data_access import Access, accesses
from mcu_harness.hardware.board import Board, Memory

Words = npt.NDArray[np.int64]

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
_ADDRESS_SPACE = 1 << 32
_LOG_ROOM = 1 << 16
_CHUNK_ROWS = 1 << 14
_KEYS = 4  # columns of the log that tell rows apart: edge, halfword, object, size
_SIZES = 256  # above every size
_NEVER_USED = -1


@cache
def _compiled() -> Any:
    """The compiled part: a second the first time, then a fraction of one from numba's cache."""
    try:
        return access_hook.compiled(cache=True)
    except RuntimeError:  # no directory for numba's cache can be written
        return access_hook.compiled(cache=False)


class MemoryTracer:
    """Traces one run.

    `registers` is where the core's registers are; `cuts` are addresses at which objects begin, memories' bounds included.
    """

    def __init__(self, board: Board, recorder: BlockRecorder, registers: int, cuts: Sequence[int]) -> None:
        self.error: BaseException | None = None
        self._recorder = recorder
        self._board = board
        memories = [edge for memory in board.memories for edge in (memory.origin, memory.end)]
        moved = [edge for one in board.moved for edge in (one.low, one.high)]
        self._cuts = sorted({0, _ADDRESS_SPACE, *cuts, *memories, *moved})
        self._cut_words = np.array(self._cuts, np.int64)
        self._shadows: dict[str, npt.NDArray[np.uint8]] = {}
        self._caches: dict[str, Words] = {}
        self._objects = Table(len(self._cuts), access_hook.OBJECT_ROW)
        self._steps = Table(1 << 12, access_hook.STEP_ROW)
        self._chunks: list[Words] = []
        self._owners: list[tuple[int, int]] = []  # (edge, halfword) of every row of counters, in order
        self._chunk_used = _CHUNK_ROWS
        self._chunk_sizes: list[int] = []
        self._descriptors: dict[int, Words] = {}
        self._accesses: dict[tuple[int, int], Access] = {}  # by block and halfword
        self._log = aligned(_LOG_ROOM * access_hook.LOG_ROW // 8).reshape(_LOG_ROOM, access_hook.LOG_ROW // 8)
        self._sums: list[Words] = []
        self._state = aligned(access_hook.STATE_WORDS)
        self._callbacks = [_CALLBACK(self._prepare), _CALLBACK(self._compact)]
        self._describe_objects()
        for word, value in (
            (access_hook.EDGE, recorder.state_address + block_hook.EDGE),
            (access_hook.EDGE_SHIFT, block_hook.EDGE_ROW.bit_length() - 1),
            (access_hook.REGISTERS, registers),
            (access_hook.PREPARE, ctypes.cast(self._callbacks[0], ctypes.c_void_p).value or 0),
            (access_hook.COMPACT, ctypes.cast(self._callbacks[1], ctypes.c_void_p).value or 0),
            (access_hook.CUTS, self._cut_words.ctypes.data),
            (access_hook.CUT_COUNT, len(self._cuts)),
            (access_hook.OBJECTS, self._objects.address),
            (access_hook.LOG, self._log.ctypes.data),
            (access_hook.LOG_ROOM, _LOG_ROOM),
            (access_hook.LAST_EDGE, -1),
        ):
            self._set(word, int(value))
        self._point_at_steps()

    @property
    def hook_address(self) -> int:
        """C address of a UC_HOOK_CODE callback."""
        return filtered(int(_compiled().address))

    @property
    def state_address(self) -> int:
        """User data of the hook."""
        return int(self._state.ctypes.data)

    def written(self, address: int, size: int) -> None:
        """Something other than the program wrote `size` bytes: they count as written from now on."""
        for memory in self._board.memories:
            shadow = self._shadows.get(memory.alias_of or memory.name)
            if shadow is not None and memory.holds(address):
                at = address - memory.origin
                shadow[at : at + size] = 1

    def result(self, since: Mark | None = None) -> DataTrace:
        """What was traced so far. `since` is when that began, None for the start of the run."""
        self._flush()
        self._compact(0)
        (sums,) = self._sums
        steps = self._recorder.steps()
        block = steps.edge_block[sums[:, 0]]
        access = [self._accesses[key] for key in zip(block.tolist(), sums[:, 1].tolist(), strict=True)]
        cuts = np.array(self._cuts, np.int64)
        counts = steps.edge_count
        if since is not None:
            counts[: len(since.counts)] -= since.counts
        ran = np.flatnonzero(counts > 0)
        first, following = (
            self._of_edges(column, len(counts)) for column in (access_hook.FIRST_MISSES, access_hook.NEXT_MISSES)
        )
        parents, entries = steps.context_tree()
        return DataTrace(
            context=steps.edge_context[sums[:, 0]].astype(np.int32),
            instruction=(steps.addresses[block] + access_hook.HALFWORD * sums[:, 1]).astype(np.uint32),
            low=cuts[sums[:, 2]],
            high=cuts[sums[:, 2] + 1],
            size=sums[:, 3].astype(np.int32),
            write=np.array([a.write for a in access], np.bool_),
            count=sums[:, 4],
            misses=sums[:, 5],
            unwritten=sums[:, 6],
            first_unwritten=sums[:, 7].astype(np.uint32),
            unaligned=sums[:, 8],
            block_context=steps.edge_context[ran].astype(np.int32),
            block_address=steps.addresses[steps.edge_block[ran]].astype(np.uint32),
            block_bytes=np.array(steps.block_bytes, np.int32)[steps.edge_block[ran]],
            block_count=counts[ran],
            block_source=steps.edge_source[ran],
            first_misses=first[ran],
            next_misses=following[ran],
            context_parent=parents,
            context_entry=entries,
        )

    def _of_edges(self, column: int, edges: int) -> Words:
        """A column of the steps for all edges, 0 for those that were not traced."""
        found = np.zeros(edges, np.int64)
        known = min(edges, len(self._steps.rows))
        found[:known] = self._steps.rows[:known, column // 8]
        return found

    # Objects, memories, caches.

    def _describe_objects(self) -> None:
        for index, start in enumerate(self._cuts[:-1]):
            memory = self._board.memory_at(start)
            if memory is None:
                continue
            row = self._objects.rows[index]
            if memory.kind == "ram":
                row[access_hook.SHADOW_OF // 8] = self._shadow(memory).ctypes.data - memory.origin
            memory = self._seen(start) or memory
            if memory.wait_states or memory.data_cache_bytes:
                row[access_hook.SHIFT_OF // 8], row[access_hook.CACHE_OF // 8] = self._data_cache(memory)

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
        """(binary logarithm of the line's size, address of the cache) for data accesses to `memory`."""
        if self._board.has_unified_cache(memory):
            return self._cache("code and data", memory.cache_bytes, memory)
        if memory.data_cache_bytes:
            return self._cache("data", memory.data_cache_bytes, memory)
        return self._cache(f"data of {memory.alias_of or memory.name}", 0, memory)

    def _code_cache(self, address: int) -> tuple[int, int]:
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
        return self._cache(kind, bytes_, memory)[::-1]

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
            words = aligned((access_hook.LINES + lines * access_hook.LINE_ROW) // 8)
            words[access_hook.SETS // 8], words[access_hook.WAYS // 8] = lines // ways, ways
            words[access_hook.HINTS // 8 : access_hook.LINES // 8] = words.ctypes.data + access_hook.LINES
            words[access_hook.LINES // 8 :: access_hook.LINE_ROW // 8] = _NEVER_USED
            self._caches[kind] = words
        return size.bit_length() - 1, int(self._caches[kind].ctypes.data)

    # Callbacks of the compiled code. They must not raise: ctypes would print and go on.

    def _prepare(self, edge: int) -> int:
        try:
            while edge >= len(self._steps.rows):
                self._steps.grow()
                self._point_at_steps()
            block, address, code = self._recorder.steps().block_of_edge(edge)
            halfwords = len(code) // 2
            self._steps.rows[edge, : access_hook.FIRST_MISSES // 8] = (
                self._descriptors_of(block, address, code).ctypes.data - address // access_hook.HALFWORD * 8,
                self._rows(edge, halfwords) - address // access_hook.HALFWORD * access_hook.ROW,
                address,
                address + len(code),
                *self._code_cache(address),
            )
        except BaseException as error:
            self.error = self.error or error
            empty = self._descriptors.setdefault(-1, np.zeros(1 << 12, np.int64))
            self._steps.rows[edge, 0] = empty.ctypes.data
        return 0

    def _descriptors_of(self, block: int, address: int, code: bytes) -> Words:
        if block not in self._descriptors:
            words = np.zeros(max(1, len(code) // 2), np.int64)
            for offset, access in accesses(code, address):
                must_be_aligned = unaligned(1, access.size, self._board.core, code[offset : offset + 4])
                words[offset // 2] = _packed(access, access.alignment if must_be_aligned else 1)
                self._accesses[block, offset // 2] = access
            words[0] |= access_hook.ENTRY
            self._descriptors[block] = words
        return self._descriptors[block]

    def _rows(self, edge: int, count: int) -> int:
        """The address of `count` fresh rows of counters."""
        if self._chunk_used + count > _CHUNK_ROWS:
            size = max(_CHUNK_ROWS, count)
            self._chunks.append(aligned(size * access_hook.ROW // 8).reshape(size, access_hook.ROW // 8))
            self._chunk_sizes.append(0)
            self._chunk_used = 0
        address = int(self._chunks[-1].ctypes.data) + self._chunk_used * access_hook.ROW
        self._owners += [(edge, halfword) for halfword in range(count)]
        self._chunk_used += count
        self._chunk_sizes[-1] = self._chunk_used
        return address

    def _flush(self) -> None:
        """Move the counters that are still in rows to the sums."""
        if not self._chunks:
            self._sums.append(np.zeros((0, access_hook.LOG_ROW // 8), np.int64))
            return
        rows = np.concatenate([chunk[:used] for chunk, used in zip(self._chunks, self._chunk_sizes, strict=True)])
        owners = np.array(self._owners, np.int64)
        columns = [
            access_hook.OBJECT,
            access_hook.SIZE,
            access_hook.COUNT,
            access_hook.MISSES,
            access_hook.UNWRITTEN,
            access_hook.FIRST_UNWRITTEN,
            access_hook.UNALIGNED,
        ]
        entries = np.zeros((len(rows), access_hook.LOG_ROW // 8), np.int64)
        entries[:, :2] = owners
        entries[:, 2:9] = rows[:, [column // 8 for column in columns]]
        self._sums.append(entries[entries[:, 4] > 0])
        for chunk in self._chunks:
            chunk[
                :,
                [
                    column // 8
                    for column in (access_hook.COUNT, access_hook.MISSES, access_hook.UNWRITTEN, access_hook.UNALIGNED)
                ],
            ] = 0

    def _compact(self, _unused: int) -> int:
        try:
            entries = np.concatenate([*self._sums, self._log[: self._get(access_hook.LOG_COUNT)]])
            self._sums = [summed_up(entries, len(self._cuts))]
        except BaseException as error:
            self.error = self.error or error
        self._set(access_hook.LOG_COUNT, 0)
        return 0

    def _point_at_steps(self) -> None:
        self._set(access_hook.STEPS, self._steps.address)
        self._set(access_hook.STEP_ROOM, len(self._steps.rows))

    def _get(self, word: int) -> int:
        return int(self._state[word // 8])

    def _set(self, word: int, value: int) -> None:
        self._state[word // 8] = value


def summed_up(entries: Words, objects: int) -> Words:
    """Rows of the log with equal (edge, halfword, object, size) as one, sorted; objects are below `objects`."""
    if not len(entries):
        return entries
    keys = (entries[:, 0] * (int(entries[:, 1].max()) + 1) + entries[:, 1]) * objects + entries[:, 2]
    keys = keys * _SIZES + entries[:, 3]
    order = np.argsort(keys, kind="stable")
    ordered, keys = entries[order], keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    summed: Words = np.add.reduceat(ordered, starts, axis=0)
    summed[:, :_KEYS] = ordered[starts, :_KEYS]
    summed[:, 7] = 0
    row_of = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(ordered))))
    is_unwritten = ordered[:, 6] > 0
    summed[row_of[is_unwritten][::-1], 7] = ordered[is_unwritten, 7][::-1]  # the first of each
    return summed


def _packed(access: Access, alignment: int) -> int:
    word = access.base | access.size << access_hook.SIZE_AT | access_hook.PRESENT
    word |= access_hook.WRITE if access.write else 0
    word |= (alignment - 1) << access_hook.ALIGN_AT
    if access.index >= 0:
        word |= access.index << access_hook.INDEX_AT | access.shift << access_hook.SHIFT_AT | access_hook.INDEXED
    return word | access.disp << 32
