"""The part of the memory trace that runs before every instruction, compiled by numba.

It is a code hook (UC_HOOK_CODE), which Unicorn calls with the registers as they are and not for instructions that an IT
block skips. Its memory hooks are not used: they corrupt the program when they fire inside an IT block.

State is plain memory of 64-bit words, as in `recorder.block_hook`; `trace.MemoryTracer` owns it and explains the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba import types

from mcu_harness.emulator.recorder.words import call, peek, peek8, peek32, poke, poke8, poke32

# Words of the state. EDGE is the address of the block recorder's word that says where it is.
EDGE, EDGE_SHIFT, REGISTERS, STEPS, STEP_ROOM, PREPARE = (8 * i for i in range(6))
CUTS, CUT_COUNT, OBJECTS, LOG, LOG_COUNT, LOG_ROOM, COMPACT, NOW = (8 * i for i in range(6, 14))
# Where the last instruction was: its edge, and from that edge's row the two tables.
LAST_EDGE, STEP, DESCRIPTORS, ROWS = (8 * i for i in range(14, 18))
STATE_WORDS = 18

# One row per edge of the recorder: where descriptors and counters of its block's halfwords would begin, were the block at
# address 0; the block's bounds; the cache that its code comes through, and what was not there: the block's first line, and
# further ones.
STEP_ROW = 64
HALFWORD = 2
STEP_DESCRIPTORS, STEP_ROWS, START, END, CODE_CACHE, CODE_SHIFT, FIRST_MISSES, NEXT_MISSES = (8 * i for i in range(8))
# Counters of one instruction of one edge, since it last went to another object: see `MemoryTracer`. Its accesses of SIZE
# bytes lie in the object whole when they begin in [LOW, HIGH).
ROW = 96
COUNT, LOW, HIGH, OBJECT, MISSES, UNWRITTEN, FIRST_UNWRITTEN, SHADOW, LINE_SHIFT, CACHE, UNALIGNED, SIZE = (
    8 * i for i in range(12)
)
# An object is a stretch of addresses. SHADOW_OF + address is the byte that says whether that address was written.
OBJECT_ROW = 32
SHADOW_OF, SHIFT_OF, CACHE_OF = 0, 8, 16
# A cache: sets x ways of (line, time of last use); a memory without one has a single line, what was read last. HINTS tell
# where a line may be, by its lower bits.
SETS, WAYS, HINTS = 0, 8, 16
HINT_MASK = 255
LINES = HINTS + 8 * (HINT_MASK + 1)
LINE_ROW = 16
USED = 8
LOG_ROW = 72  # edge, halfword, object, size, count, misses, unwritten, first unwritten, unaligned

# Descriptors: base, index, shift, size, and flags below the displacement, which is the upper half.
WORD = 4  # bytes: what registers are moved by one after the other
WRITTEN = 0x01010101  # four bytes of a shadow
BASE_BITS, INDEX_AT, SHIFT_AT, SIZE_AT, WRITE, INDEXED, PRESENT, ENTRY = (
    15,
    4,
    8,
    10,
    1 << 18,
    1 << 19,
    1 << 20,
    1 << 21,
)
ALIGN_AT = 22  # two bits: those that have to be clear in an address

_F = TypeVar("_F", bound=Callable[..., object])
_numba: Any = numba
_inner: Callable[[_F], _F] = _numba.njit(nogil=True)
_inlined: Callable[[_F], _F] = _numba.njit(nogil=True, forceinline=True)


@_inner
def _log(s: int, row: int, address: int) -> None:
    """Write the counters of `row`, of the instruction at that address, to the log."""
    at = peek(s + LOG_COUNT)
    if at >= peek(s + LOG_ROOM):
        call(peek(s + COMPACT), 0, 0, 0)
        at = peek(s + LOG_COUNT)
    entry = peek(s + LOG) + at * LOG_ROW
    edge = peek(s + LAST_EDGE) >> peek(s + EDGE_SHIFT)
    poke(entry, edge)
    poke(entry + 8, (address - peek(peek(s + STEPS) + edge * STEP_ROW + START)) // HALFWORD)
    poke(entry + 16, peek(row + OBJECT))
    poke(entry + 24, peek(row + SIZE))
    poke(entry + 32, peek(row + COUNT))
    poke(entry + 40, peek(row + MISSES))
    poke(entry + 48, peek(row + UNWRITTEN))
    poke(entry + 56, peek(row + FIRST_UNWRITTEN))
    poke(entry + 64, peek(row + UNALIGNED))
    poke(s + LOG_COUNT, at + 1)


@_inner
def _clear(row: int) -> None:
    poke(row + COUNT, 0)
    poke(row + MISSES, 0)
    poke(row + UNWRITTEN, 0)
    poke(row + UNALIGNED, 0)


@_inner
def _enter_object(s: int, row: int, at: int, size: int) -> int:
    """`row` is of accesses of `size` bytes to the object that holds the address `at`; gives where that object ends."""
    cuts = peek(s + CUTS)
    low, high = 0, peek(s + CUT_COUNT) - 1  # cuts[low] <= at < cuts[high]
    while high - low > 1:
        middle = (low + high) >> 1
        if peek(cuts + middle * 8) <= at:
            low = middle
        else:
            high = middle
    entry = peek(s + OBJECTS) + low * OBJECT_ROW
    end = peek(cuts + low * 8 + 8)
    poke(row + OBJECT, low)
    poke(row + LOW, peek(cuts + low * 8))
    poke(row + HIGH, end - max(0, size - WORD))  # a word is of the object that it begins in
    poke(row + SIZE, size)
    poke(row + SHADOW, peek(entry + SHADOW_OF))
    poke(row + LINE_SHIFT, peek(entry + SHIFT_OF))
    poke(row + CACHE, peek(entry + CACHE_OF))
    return end


@_inner
def _bring(s: int, cache: int, line: int) -> int:
    """Bring a line that its hint does not lead to into its set; 1 when it was not there."""
    ways = peek(cache + WAYS)
    first = cache + LINES + (line % peek(cache + SETS)) * ways * LINE_ROW
    slot = oldest = first
    missed = 1
    for way in range(ways):
        slot = first + way * LINE_ROW
        if peek(slot) == line:
            missed = 0
            break
        if peek(slot + USED) < peek(oldest + USED):
            oldest = slot
    if missed:
        slot = oldest
        poke(slot, line)
    poke(slot + USED, peek(s + NOW))
    poke(cache + HINTS + (line & HINT_MASK) * 8, slot)
    return missed


@_inlined
def _misses(s: int, cache: int, line: int) -> int:
    """Use a line of memory: 0 when it is in the cache, 1 when it had to be brought there."""
    now = peek(s + NOW) + 1
    poke(s + NOW, now)
    slot = peek(cache + HINTS + (line & HINT_MASK) * 8)
    if peek(slot) != line:
        return _bring(s, cache, line)
    poke(slot + USED, now)
    return 0


@_inner
def _fetch(s: int, step: int) -> None:
    """The block of `step` is entered: use the lines of code that it lies in."""
    cache = peek(step + CODE_CACHE)
    if cache == 0:
        return
    shift = peek(step + CODE_SHIFT)
    line = peek(step + START) >> shift
    last = (peek(step + END) - 1) >> shift
    poke(step + FIRST_MISSES, peek(step + FIRST_MISSES) + _misses(s, cache, line))
    while line < last:
        line += 1
        poke(step + NEXT_MISSES, peek(step + NEXT_MISSES) + _misses(s, cache, line))


@_inlined
def _write(shadow: int, size: int) -> None:
    if size == 4:
        poke32(shadow, WRITTEN)
    elif size == 1:
        poke8(shadow, 1)
    else:
        for i in range(size):
            poke8(shadow + i, 1)


@_inner
def _look(row: int, address: int, size: int) -> None:
    """Count a read of bytes that were never written."""
    shadow = peek(row + SHADOW)
    for i in range(size):
        if peek8(shadow + address + i) == 0:
            if peek(row + UNWRITTEN) == 0:
                poke(row + FIRST_UNWRITTEN, address + i)
            poke(row + UNWRITTEN, peek(row + UNWRITTEN) + 1)
            return


@_inner
def _on_edge(s: int) -> None:
    """Point at the tables of the edge that the recorder is in now."""
    edge = peek(peek(s + EDGE)) >> peek(s + EDGE_SHIFT)
    if edge >= peek(s + STEP_ROOM):
        call(peek(s + PREPARE), edge, 0, 0)
    step = peek(s + STEPS) + edge * STEP_ROW
    if peek(step + STEP_DESCRIPTORS) == 0:
        call(peek(s + PREPARE), edge, 0, 0)
        step = peek(s + STEPS) + edge * STEP_ROW
    poke(s + LAST_EDGE, peek(peek(s + EDGE)))
    poke(s + STEP, step)
    poke(s + DESCRIPTORS, peek(step + STEP_DESCRIPTORS))
    poke(s + ROWS, peek(step + STEP_ROWS))


@_inlined
def _on_access(s: int, address: int, descriptor: int) -> None:
    """The instruction at `address` is a load or store, and about to execute."""
    registers = peek(s + REGISTERS)
    at = peek32(registers + ((descriptor & BASE_BITS) << 2)) + (descriptor >> 32)
    if descriptor & INDEXED:
        at += peek32(registers + (((descriptor >> INDEX_AT) & 15) << 2)) << ((descriptor >> SHIFT_AT) & 3)
    at &= 0xFFFFFFFF
    length = (descriptor >> SIZE_AT) & 255
    row = peek(s + ROWS) + address * (ROW // HALFWORD)
    if at < peek(row + LOW) or at >= peek(row + HIGH):
        if peek(row + COUNT) != 0:
            _log(s, row, address)
            _clear(row)
        end = _enter_object(s, row, at, length)
        if at >= peek(row + HIGH):
            _on_parts(s, row, address, at, length, end, descriptor)
            return
    _count(s, row, at, length, descriptor)


@_inlined
def _count(s: int, row: int, at: int, length: int, descriptor: int) -> None:
    """Count an access to `length` bytes at `at`, all of the object that `row` is of."""
    poke(row + COUNT, peek(row + COUNT) + 1)
    if at & ((descriptor >> ALIGN_AT) & 3):
        poke(row + UNALIGNED, peek(row + UNALIGNED) + 1)
    shadow = peek(row + SHADOW)
    if shadow != 0:
        if descriptor & WRITE:
            _write(shadow + at, length)
        elif length == 1:
            if peek8(shadow + at) == 0:
                _look(row, at, length)
        elif length != 4 or peek32(shadow + at) != WRITTEN:
            _look(row, at, length)
    cache = peek(row + CACHE)
    if cache != 0:
        shift = peek(row + LINE_SHIFT)
        line = at >> shift
        missed = _misses(s, cache, line)
        last = (at + length - 1) >> shift
        while line != last:
            line += 1
            missed += _misses(s, cache, line)
        if missed:
            poke(row + MISSES, peek(row + MISSES) + missed)


@_inner
def _on_parts(s: int, row: int, address: int, at: int, length: int, end: int, descriptor: int) -> None:
    """Count an access to several words that goes on beyond `end`, where its object ends: in parts, one for each object."""
    while True:
        part = min(length, (end - at + WORD - 1) // WORD * WORD)
        poke(row + SIZE, part)
        _count(s, row, at, part, descriptor)
        _log(s, row, address)
        _clear(row)
        length -= part
        if length == 0:
            poke(row + HIGH, 0)  # `row` is of no object again
            return
        at = (at + part) & 0xFFFFFFFF
        descriptor &= ~(3 << ALIGN_AT)  # the first part has told
        end = _enter_object(s, row, at, length)


def on_instruction(engine: int, address: int, size: int, s: int) -> None:
    """UC_HOOK_CODE: the engine, the instruction's address and size, and the state as user data."""
    if peek(peek(s + EDGE)) != peek(s + LAST_EDGE):
        _on_edge(s)
    descriptor = peek(peek(s + DESCRIPTORS) + address * (8 // HALFWORD))
    if descriptor != 0:
        if descriptor & ENTRY:
            _fetch(s, peek(s + STEP))
        if descriptor & PRESENT:
            _on_access(s, address, descriptor)


def compiled(cache: bool) -> Any:
    """`on_instruction` as a C callback, compiled or, with `cache`, loaded from disk; RuntimeError without a directory for it."""
    word = types.int64
    return numba.cfunc(types.void(word, types.uint64, types.uint32, word), cache=cache)(on_instruction)
