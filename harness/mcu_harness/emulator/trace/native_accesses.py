"""Compiled: counting one access, with the lines of memory that it brings in and the bytes that nothing has written."""

from __future__ import annotations

from mcu_harness.emulator.recorder.native import (
    call,
    inlined,
    inner,
    peek,
    peek8,
    peek32,
    pointer_to,
    poke,
    poke8,
    poke32,
)
from mcu_harness.emulator.recorder.rows import WORD_BYTES
from mcu_harness.emulator.trace.layout import (
    ALIGN_AT,
    HALFWORD,
    HINTS,
    HINTS_AT,
    LINES_AT,
    WRITE,
    Cache,
    Counters,
    Line,
    LogEntry,
    Object,
    Step,
    TraceState,
)

STEP_BYTES = Step.nbytes
_LINE_BYTES, _LOG_BYTES, _OBJECT_BYTES = Line.nbytes, LogEntry.nbytes, Object.nbytes
_HINT_MASK = HINTS - 1
_WORD = 4  # bytes: what registers are moved by one after the other
_WRITTEN = 0x01010101  # four bytes of a shadow

state_at = pointer_to(TraceState)
step_at = pointer_to(Step)
counters_at = pointer_to(Counters)
_log_at = pointer_to(LogEntry)
_object_at = pointer_to(Object)
_cache_at = pointer_to(Cache)
_line_at = pointer_to(Line)


@inner
def write_log(s: TraceState, row: Counters, address: int) -> None:
    """Write the counters of `row`, of the instruction at that address, to the log, and clear them."""
    at = s.log_count
    if at >= s.log_room:
        call(s.compact, 0, 0, 0)
        at = s.log_count
    entry = _log_at(s.log + at * _LOG_BYTES)
    edge = s.last_edge >> s.edge_shift
    entry.edge = edge
    entry.halfword = (address - step_at(s.steps + edge * STEP_BYTES).start) // HALFWORD
    entry.object = row.object
    entry.size = row.size
    entry.count = row.count
    entry.misses = row.misses
    entry.unwritten = row.unwritten
    entry.first_unwritten = row.first_unwritten
    entry.unaligned = row.unaligned
    s.log_count = at + 1
    row.count = row.misses = row.unwritten = row.unaligned = 0


@inner
def enter_object(s: TraceState, row: Counters, at: int, size: int) -> int:
    """`row` is of accesses of `size` bytes to the object that holds the address `at`; gives where that object ends."""
    cuts = s.cuts
    low, high = 0, s.cut_count - 1  # cuts[low] <= at < cuts[high]
    while high - low > 1:
        middle = (low + high) >> 1
        if peek(cuts + middle * WORD_BYTES) <= at:
            low = middle
        else:
            high = middle
    found = _object_at(s.objects + low * _OBJECT_BYTES)
    end = peek(cuts + (low + 1) * WORD_BYTES)
    row.object = low
    row.low = peek(cuts + low * WORD_BYTES)
    row.high = end - max(0, size - _WORD)  # a word is of the object that it begins in
    row.size = size
    row.shadow = found.shadow
    row.line_shift = found.line_shift
    row.cache = found.cache
    return end


@inner
def _bring(s: TraceState, cache: int, number: int) -> int:
    """Bring a line that its hint does not lead to into its set; 1 when it was not there."""
    head = _cache_at(cache)
    ways = head.ways
    first = cache + LINES_AT + (number % head.sets) * ways * _LINE_BYTES
    slot = oldest = first
    missed = 1
    for way in range(ways):
        slot = first + way * _LINE_BYTES
        line = _line_at(slot)
        if line.number == number:
            missed = 0
            break
        if line.used < _line_at(oldest).used:
            oldest = slot
    if missed:
        slot = oldest
        _line_at(slot).number = number
    _line_at(slot).used = s.now
    poke(cache + HINTS_AT + (number & _HINT_MASK) * WORD_BYTES, slot)
    return missed


@inlined
def _misses(s: TraceState, cache: int, number: int) -> int:
    """Use a line of memory: 0 when it is in the cache, 1 when it had to be brought there."""
    now = s.now + 1
    s.now = now
    line = _line_at(peek(cache + HINTS_AT + (number & _HINT_MASK) * WORD_BYTES))
    if line.number != number:
        return _bring(s, cache, number)
    line.used = now
    return 0


@inner
def fetch(s: TraceState, step: Step) -> None:
    """The block of `step` is entered: use the lines of code that it lies in."""
    cache = step.code_cache
    if cache == 0:
        return
    shift = step.code_shift
    line = step.start >> shift
    last = (step.end - 1) >> shift
    step.first_misses += _misses(s, cache, line)
    while line < last:
        line += 1
        step.next_misses += _misses(s, cache, line)


@inlined
def _write(shadow: int, size: int) -> None:
    if size == 4:
        poke32(shadow, _WRITTEN)
    elif size == 1:
        poke8(shadow, 1)
    else:
        for i in range(size):
            poke8(shadow + i, 1)


@inner
def _look(row: Counters, address: int, size: int) -> None:
    """Count a read of bytes that were never written."""
    shadow = row.shadow
    for i in range(size):
        if peek8(shadow + address + i) == 0:
            if row.unwritten == 0:
                row.first_unwritten = address + i
            row.unwritten += 1
            return


@inlined
def count(s: TraceState, row: Counters, at: int, length: int, descriptor: int) -> None:
    """Count an access to `length` bytes at `at`, all of the object that `row` is of."""
    row.count += 1
    if at & ((descriptor >> ALIGN_AT) & 3):
        row.unaligned += 1
    shadow = row.shadow
    if shadow != 0:
        if descriptor & WRITE:
            _write(shadow + at, length)
        elif length == 1:
            if peek8(shadow + at) == 0:
                _look(row, at, length)
        elif length != 4 or peek32(shadow + at) != _WRITTEN:
            _look(row, at, length)
    cache = row.cache
    if cache != 0:
        shift = row.line_shift
        line = at >> shift
        missed = _misses(s, cache, line)
        last = (at + length - 1) >> shift
        while line != last:
            line += 1
            missed += _misses(s, cache, line)
        if missed:
            row.misses += missed


@inner
def count_parts(s: TraceState, row: Counters, address: int, at: int, length: int, end: int, descriptor: int) -> None:
    """Count an access to several words that goes on beyond `end`, where its object ends: in parts, one for each object."""
    while True:
        part = min(length, (end - at + _WORD - 1) // _WORD * _WORD)
        row.size = part
        count(s, row, at, part, descriptor)
        write_log(s, row, address)
        length -= part
        if length == 0:
            row.high = 0  # `row` is of no object again
            return
        at = (at + part) & 0xFFFFFFFF
        descriptor &= ~(3 << ALIGN_AT)  # the first part has told
        end = enter_object(s, row, at, length)
