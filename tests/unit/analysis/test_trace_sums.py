"""The log of a memory trace, summed up, against the same in plain Python."""

from __future__ import annotations

import numpy as np

from mcu_harness.emulator.trace.data_trace import summed_up


def test_rows_of_the_same_instruction_and_object_become_one() -> None:
    random = np.random.default_rng(1)
    entries = np.zeros((5000, 9), np.int64)
    for column, below in enumerate((40, 9, 7, 3, 100, 50, 2, 1 << 32, 3)):
        entries[:, column] = random.integers(0, below, len(entries))
    entries[:, 0] *= 1 << 20  # edges of a large program
    expected: dict[tuple[int, ...], list[int]] = {}
    for edge, halfword, found, size, count, misses, unwritten, first, unaligned in entries.tolist():
        row = expected.setdefault((edge, halfword, found, size), [0, 0, 0, 0, 0])
        row[3] = first if unwritten and not row[2] else row[3]
        for column, value in ((0, count), (1, misses), (2, unwritten), (4, unaligned)):
            row[column] += value
    summed = summed_up(entries, objects=7).tolist()
    assert [tuple(row[:4]) for row in summed] == sorted(expected)
    assert {tuple(row[:4]): row[4:] for row in summed} == expected


def test_nothing_sums_up_to_nothing() -> None:
    assert len(summed_up(np.zeros((0, 9), np.int64), objects=3)) == 0
