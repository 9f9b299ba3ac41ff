"""From executed blocks to executed instructions, and to the ways that conditional branches took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.hardware.arm.thumb import instruction_size, is_conditional_branch


@dataclass(frozen=True, slots=True)
class Executed:
    """How often each instruction ran, by its address, and how often each conditional branch was taken, and was not.

    Of `elsewhere`, code of which only that it ran is known, each instruction counts once.
    """

    instructions: dict[int, int]
    taken: dict[int, int]
    not_taken: dict[int, int]


def executed(counts: BlockCounts | None, elsewhere: Iterable[tuple[int, bytes]] = ()) -> Executed:
    """What ran."""
    instructions: dict[int, int] = defaultdict(int)
    taken: dict[int, int] = defaultdict(int)
    not_taken: dict[int, int] = defaultdict(int)
    for address, code in elsewhere:
        for at, _ in walk(address, code):
            instructions[at] += 1
    if counts is not None:
        _count(counts, instructions)
        _follow(counts, taken, not_taken)
    return Executed(dict(instructions), dict(taken), dict(not_taken))


def walk(address: int, code: bytes) -> Iterator[tuple[int, bytes]]:
    """(address, bytes) of each instruction of `code`."""
    at = 0
    while at + 2 <= len(code):
        size = instruction_size(int.from_bytes(code[at : at + 2], "little"))
        yield address + at, code[at : at + size]
        at += size


def _count(counts: BlockCounts, instructions: dict[int, int]) -> None:
    runs = np.zeros(len(counts.block_address), np.int64)
    np.add.at(runs, counts.edge_current, counts.edge_count)
    for address, code, times in zip(counts.block_address.tolist(), counts.block_code, runs.tolist(), strict=True):
        if times:
            for at, _ in walk(address, code):
                instructions[at] += times


def _follow(counts: BlockCounts, taken: dict[int, int], not_taken: dict[int, int]) -> None:
    branches: dict[int, tuple[int, int]] = {}  # by block: its conditional branch, and where it ends
    for block, (address, code) in enumerate(zip(counts.block_address.tolist(), counts.block_code, strict=True)):
        last = None
        for last in walk(address, code):  # noqa: B007 - the last one counts
            pass
        if last is not None and is_conditional_branch(last[1]):
            branches[block] = last[0], address + len(code)
    edges = zip(counts.edge_previous.tolist(), counts.edge_current.tolist(), counts.edge_count.tolist(), strict=True)
    for previous, current, times in edges:
        if previous in branches:
            at, end = branches[previous]
            ways = not_taken if int(counts.block_address[current]) == end else taken
            ways[at] += times
