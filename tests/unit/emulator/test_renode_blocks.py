"""Blocks that Renode has begun become blocks with the instructions that they executed, wherever the stream is cut."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from mcu_harness.emulator.renode.blocks import CLOSE, ENTER, ENTER_WITH_FLOATS, LEAVE, BlockIntake, Entries

Recorded = list[tuple[object, ...]]


class Recorder:
    """Notes what it is told, in order."""

    def __init__(self) -> None:
        self.told: Recorded = []
        self.exceptions = self

    def add(self, blocks: Entries) -> None:
        self.told += [("block", *row) for row in blocks.tolist()]

    def enter(self, handler: int, pc: int, stack: int, floats: bool) -> None:
        self.told.append(("enter", handler, pc, stack, floats))

    def leave(self, pc: int, stack: int) -> None:
        self.told.append(("leave", pc, stack))


def event(what: int, address: int, known: int) -> list[tuple[int, int]]:
    return [(address | 1, what), (0, known)]


def fed(frames: Iterable[list[tuple[int, int]]]) -> Recorded:
    recorder = Recorder()
    intake = BlockIntake(recorder)  # type: ignore[arg-type]
    for entries in frames:
        intake.add(bytearray(b"B\0\0\0" + np.array(entries, np.uint32).tobytes()))
    return recorder.told


BLOCKS_AND_EXCEPTIONS = [
    (0x100, 1000),
    (0x110, 1004),
    (0x110, 1004),  # begun, and begun again: nothing of it was executed
    (0x120, 1010),
    *event(ENTER, 0x128, 0x2000),  # left in its middle, by an exception
    (0x200, 1013),
    *event(ENTER_WITH_FLOATS, 0x210, 0x1FE0),
    *event(LEAVE, 0x210, 0x1FE0),  # of a handler of which no block was executed
    *event(LEAVE, 0x128, 0x2000),
    (0x128, 1020),
    *event(CLOSE, 0, 1021),
]
EXPECTED = [
    ("block", 0x100, 4),
    ("block", 0x110, 6),
    ("block", 0x120, 3),
    ("enter", 0x200, 0x128, 0x2000, False),
    ("block", 0x200, 7),
    ("enter", 0x210, 0x210, 0x1FE0, True),
    ("leave", 0x210, 0x1FE0),
    ("leave", 0x128, 0x2000),
    ("block", 0x128, 1),
]


@pytest.mark.parametrize("cut", [row for row in range(len(BLOCKS_AND_EXCEPTIONS)) if BLOCKS_AND_EXCEPTIONS[row][0]])
def test_executed_instructions_follow_from_the_next_entry_however_frames_are_cut(cut: int) -> None:
    frames = [part for part in (BLOCKS_AND_EXCEPTIONS[:cut], BLOCKS_AND_EXCEPTIONS[cut:]) if part]
    assert fed(frames) == EXPECTED


def test_the_number_of_instructions_may_pass_what_a_word_holds() -> None:
    entries = [(0x100, 0xFFFFFFFE), (0x104, 2), *event(CLOSE, 0, 5)]
    assert fed([entries]) == [("block", 0x100, 4), ("block", 0x104, 3)]


def test_what_is_recorded_next_has_nothing_to_do_with_the_time_in_between() -> None:
    first = [(0x100, 10), *event(CLOSE, 0, 12)]
    second = [*event(ENTER, 0x300, 0x2000), *event(LEAVE, 0x300, 0x2000), (0x100, 90), *event(CLOSE, 0, 91)]
    assert fed([first, second]) == [
        ("block", 0x100, 2),
        ("enter", 0x300, 0x300, 0x2000, False),
        ("leave", 0x300, 0x2000),
        ("block", 0x100, 1),
    ]
