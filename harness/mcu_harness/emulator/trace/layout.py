"""The memory trace's state and tables, which its compiled part works on: rows of 64-bit words (`recorder.rows`)."""

from __future__ import annotations

from mcu_harness.emulator.recorder.rows import WORD_BYTES, Row, row
from mcu_harness.hardware.arm.data_access import Access


@row()
class TraceState(Row):
    """What there is once."""

    edge: int  # the address of the block recorder's word that says which edge it is at, by offset
    edge_shift: int  # how far to shift that offset for the edge's number
    registers: int  # the address of the core's registers, 32-bit words
    steps: int
    step_room: int
    prepare: int  # a callback: make ready the step of a new edge
    cuts: int  # addresses, in order: between each two lies an object
    cut_count: int
    objects: int
    log: int
    log_count: int
    log_room: int
    compact: int  # a callback: sum up the log, which is full
    now: int  # counts up with every use of a cache
    # Where the last instruction was: its edge (by offset) and step, and the two tables of that.
    last_edge: int
    step: int
    descriptors: int
    counters: int


@row(8)
class Step(Row):
    """What belongs to an edge of the recorder: its block's `start` and `end`; where descriptors and counters of the block's
    halfwords would begin, were it at address 0; the cache that its code comes through (0: none), and what was not there: the
    block's first line, and further ones.
    """

    descriptors: int
    counters: int
    start: int
    end: int
    code_cache: int
    code_shift: int
    first_misses: int
    next_misses: int


@row(12)
class Counters(Row):
    """Of one instruction in one step, since it last went to another object.

    Its accesses of `size` bytes lie in the object whole when they begin in [`low`, `high`). `shadow`, `line_shift` and
    `cache` are those of the object.
    """

    count: int
    low: int
    high: int
    object: int
    misses: int
    unwritten: int
    first_unwritten: int
    shadow: int
    line_shift: int
    cache: int
    unaligned: int
    size: int


@row()
class LogEntry(Row):
    """Counters that were done with: of which instruction, in which step, and which object."""

    edge: int
    halfword: int
    object: int
    size: int
    count: int
    misses: int
    unwritten: int
    first_unwritten: int
    unaligned: int


@row(4)
class Object(Row):
    """A stretch of addresses. `shadow` + address is the byte that says whether that address was written; 0: none, no RAM."""

    shadow: int
    line_shift: int
    cache: int


@row()
class Cache(Row):
    """The head of a cache of `sets` x `ways` lines; a memory without one has a single line, what was read last.

    Behind it are HINTS words, which tell where a line may be, by its lower bits, and then its lines.
    """

    sets: int
    ways: int


@row()
class Line(Row):
    """A line of a cache: its number, and when it was last used."""

    number: int
    used: int


HINTS = 256
HINTS_AT = Cache.nbytes
LINES_AT = HINTS_AT + WORD_BYTES * HINTS
NEVER_USED = -1  # the number of a line that holds nothing

HALFWORD = 2
DESCRIPTOR_STEP, COUNTERS_STEP = WORD_BYTES // HALFWORD, Counters.nbytes // HALFWORD  # per byte of code

# A descriptor of an access is one word: base, index, shift, size and flags, and the displacement in its upper half.
BASE_BITS, INDEX_AT, SHIFT_AT, SIZE_AT = 15, 4, 8, 10
WRITE, INDEXED, PRESENT, ENTRY = (1 << bit for bit in (18, 19, 20, 21))
ALIGN_AT = 22  # two bits: those that have to be clear in an address


def descriptor(access: Access, alignment: int) -> int:
    """The word for an access that faults unless it is aligned to so many bytes."""
    word = access.base | access.size << SIZE_AT | PRESENT
    word |= WRITE if access.write else 0
    word |= (alignment - 1) << ALIGN_AT
    if access.index >= 0:
        word |= access.index << INDEX_AT | access.shift << SHIFT_AT | INDEXED
    return word | access.disp << 32
