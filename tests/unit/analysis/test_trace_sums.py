"""The log of a memory trace, summed up, against the same in plain Python."""

from __future__ import annotations

import numpy as np

from mcu_harness.emulator.trace.access_log import AccessLog, summed_up
from mcu_harness.emulator.trace.layout import Counters, LogEntry

BELOW = {
    "edge": 40,
    "halfword": 9,
    "object": 7,
    "size": 3,
    "count": 100,
    "misses": 50,
    "unwritten": 2,
    "first_unwritten": 1 << 32,
    "unaligned": 3,
}


def test_rows_of_the_same_instruction_and_object_become_one() -> None:
    random = np.random.default_rng(1)
    entries = np.zeros(5000, LogEntry.dtype)
    assert entries.dtype.names == tuple(BELOW)
    for name, below in BELOW.items():
        entries[name] = random.integers(0, below, len(entries))
    entries["edge"] *= 1 << 20  # edges of a large program
    expected: dict[tuple[int, ...], list[int]] = {}
    for edge, halfword, found, size, count, misses, unwritten, first, unaligned in entries.tolist():
        row = expected.setdefault((edge, halfword, found, size), [0, 0, 0, 0, 0])
        row[3] = first if unwritten and not row[2] else row[3]
        for column, value in ((0, count), (1, misses), (2, unwritten), (4, unaligned)):
            row[column] += value
    summed = summed_up(entries, objects=7).tolist()
    assert [row[:4] for row in summed] == sorted(expected)
    assert {row[:4]: list(row[4:]) for row in summed} == expected


def test_nothing_sums_up_to_nothing() -> None:
    assert len(summed_up(np.zeros(0, LogEntry.dtype), objects=3)) == 0


def test_counters_of_many_blocks_and_the_log_are_summed_up_together_and_only_once() -> None:
    log = AccessLog(objects=5)
    sizes = [3, 20_000, 7, 16_380, 5]  # halfwords: in one chunk, larger than a chunk, at the end of one
    for edge, halfwords in enumerate(sizes):
        at = log.new_counters(edge, halfwords)
        last = Counters.from_address(at + (halfwords - 1) * Counters.nbytes)
        assert last.count == 0
        last.count, last.object, last.size, last.misses = 10 + edge, edge % 5, 4, edge
    entry = log.table.row(0)
    entry.edge, entry.halfword, entry.object, entry.size, entry.count = 2, 6, 2, 4, 100
    sums = log.sums(logged=1)
    found = list(zip(*(sums[name].tolist() for name in ("edge", "halfword", "object", "count", "misses")), strict=True))
    assert found == [(edge, size - 1, edge % 5, 10 + edge + 100 * (edge == 2), edge) for edge, size in enumerate(sizes)]
    assert log.sums(logged=0).tolist() == sums.tolist()
