"""Where the counters of a memory trace live, and what they sum up to.

Counters are kept until an instruction goes to another object, then they are written to the log, which is summed up whenever
it is full.
"""

from __future__ import annotations

import numpy as np

from mcu_harness.emulator.recorder.rows import WORD_BYTES, Rows, Table, aligned
from mcu_harness.emulator.trace.layout import Counters, LogEntry

ROOM = 1 << 16
_CHUNK_ROWS = 1 << 14
_KEYS = ("edge", "halfword", "object", "size")  # of entries that are summed up as one
_SUMS = ("count", "misses", "unwritten", "unaligned")
_SIZES = 256  # above every size


class AccessLog:
    """Counters in chunks, whose addresses stay; `table` is the log that compiled code writes to."""

    def __init__(self, objects: int) -> None:
        self.table = Table(LogEntry, ROOM)
        self._objects = objects
        self._sums: list[Rows] = []
        self._chunks: list[Rows] = []
        self._chunk_sizes: list[int] = []
        self._owners: list[tuple[int, int]] = []  # (edge, halfword) of every row of counters, in order

    def new_counters(self, edge: int, count: int) -> int:
        """The address of fresh counters for so many halfwords of the block of an edge."""
        if not self._chunks or self._chunk_sizes[-1] + count > len(self._chunks[-1]):
            words = aligned(max(_CHUNK_ROWS, count) * Counters.nbytes // WORD_BYTES)
            self._chunks.append(words.view(Counters.dtype))
            self._chunk_sizes.append(0)
        address = int(self._chunks[-1].ctypes.data) + self._chunk_sizes[-1] * Counters.nbytes
        self._owners += [(edge, halfword) for halfword in range(count)]
        self._chunk_sizes[-1] += count
        return address

    def compact(self, logged: int) -> None:
        """Add the first `logged` entries of the log to the sums."""
        parts = [part.view(np.int64) for part in (*self._sums, self.table.rows[:logged])]  # ten times as fast as rows
        self._sums = [summed_up(np.concatenate(parts).view(LogEntry.dtype), self._objects)]

    def sums(self, logged: int) -> Rows:
        """All entries so far, equal keys as one, sorted; `logged` of them are in the log, and the counters are cleared."""
        for chunk, used, owners in zip(self._chunks, self._chunk_sizes, self._owners_of_chunks(), strict=True):
            self._take(chunk[:used], owners)
        self.compact(logged)
        return self._sums[0]

    def _owners_of_chunks(self) -> list[list[tuple[int, int]]]:
        ends = np.cumsum(self._chunk_sizes).tolist()
        return [self._owners[end - size : end] for end, size in zip(ends, self._chunk_sizes, strict=True)]

    def _take(self, counters: Rows, owners: list[tuple[int, int]]) -> None:
        """Move what is in counters to the sums."""
        used = np.flatnonzero(counters["count"])
        entries = np.zeros(len(used), LogEntry.dtype)
        entries["edge"], entries["halfword"] = np.array(owners, np.int64).reshape(-1, 2)[used].T
        for name in ("object", "size", "first_unwritten", *_SUMS):
            entries[name] = counters[name][used]
        for name in _SUMS:
            counters[name] = 0
        self._sums.append(entries)


def summed_up(entries: Rows, objects: int) -> Rows:
    """Entries with equal (edge, halfword, object, size) as one, sorted; objects are below `objects`."""
    if not len(entries):
        return entries
    keys = (entries["edge"] * (int(entries["halfword"].max()) + 1) + entries["halfword"]) * objects + entries["object"]
    keys = keys * _SIZES + entries["size"]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    summed = np.zeros(len(starts), LogEntry.dtype)
    for name in _KEYS:
        summed[name] = entries[name][order[starts]]
    for name in _SUMS:
        summed[name] = np.add.reduceat(entries[name][order], starts)
    # The first address of each, of those that have one: backwards, so that the first is what stays.
    row_of = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(order))))
    is_unwritten = np.flatnonzero(entries["unwritten"][order])[::-1]
    summed["first_unwritten"][row_of[is_unwritten]] = entries["first_unwritten"][order[is_unwritten]]
    return summed
