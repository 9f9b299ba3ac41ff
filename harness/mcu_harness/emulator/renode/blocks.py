"""Executed blocks as Renode streams them, brought into the form that the block recorder takes.

A record is (address, instructions). Where Renode left a block in its middle (an exception, SVC, WFI) it names the
address at which it left instead of the one at which the block began; such a record has bit 0 of the address set.
An exception that is taken or returned from is two records: the address at which code goes on and one of the events below, and
the stack pointer of that code.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.hardware.arm.thumb import instruction_size

Records = npt.NDArray[np.uint32]

_ENTER, _ENTER_WITH_FLOATS, _LEAVE = 0xFFFFFFF0, 0xFFFFFFF1, 0xFFFFFFF2
_KIND_BYTES = 4
_LEFT_EARLY = 1
_MOST_BYTES = 4


class BlockIntake:
    """Feeds one recorder, blocks by `record`. `function_start(address)` is where the function begins that holds it, None if unknown."""

    def __init__(
        self,
        recorder: BlockRecorder,
        read_code: Callable[[int, int], bytes],
        function_start: Callable[[int], int | None],
    ) -> None:
        self._recorder = recorder
        self.record: Callable[[Records], object] = recorder.add
        self.settled: Callable[[], None] = lambda: None  # all blocks so far have ended
        self._read_code = read_code
        self._function_start = function_start
        self._begins: dict[tuple[int, int], int] = {}
        self._entering: list[tuple[int, int, bool]] = []  # exceptions of which no block has run yet

    def add(self, frame: bytearray) -> None:
        """Record the blocks of a frame and the exceptions between them, in the order in which they came."""
        records: Records = np.frombuffer(frame, np.uint32, offset=_KIND_BYTES).reshape(-1, 2)
        done = 0
        for row in np.flatnonzero(records[:, 1] >= _ENTER).tolist():
            self._add_blocks(records[done:row])
            self.settled()
            (pc, event), (stack, _) = records[row : row + 2].tolist()
            if event == _LEAVE:
                self.settle(pc)  # of a handler that left without any block: what it returns to stands for it
                self._recorder.exceptions.leave(pc, stack)
            else:
                self._entering.append((pc, stack, event == _ENTER_WITH_FLOATS))
            done = row + 2
        self._add_blocks(records[done:])

    def settle(self, handler: int) -> None:
        """Enter the exceptions that were taken: their handler's first block begins at `handler`, or no block comes."""
        for pc, stack, floats in self._entering:
            self._recorder.exceptions.enter(handler, pc, stack, floats)
        self._entering.clear()

    def _add_blocks(self, records: Records) -> None:
        if not len(records):
            return
        early = np.flatnonzero(records[:, 0] & _LEFT_EARLY)
        if len(early):
            for row in early:
                left, instructions = int(records[row, 0]) & ~_LEFT_EARLY, int(records[row, 1])
                records[row, 0] = self._begin(left, instructions)
        self.settle(int(records[0, 0]))
        self.record(records)

    def _begin(self, left: int, instructions: int) -> int:
        key = left, instructions
        if key not in self._begins:
            start = self._function_start(left - 2)
            self._begins[key] = block_begin(self._read_code, left, instructions, start)
        return self._begins[key]


def block_begin(
    read_code: Callable[[int, int], bytes], left: int, instructions: int, function_start: int | None
) -> int:
    """Where straight-line code began that had executed `instructions` when it was left at `left`.

    Instructions cannot be read backwards: they are counted from the function's start, and without one from the
    nearest place from which so many of them end at `left`.
    """
    candidates = range(left - 2 * instructions, left - _MOST_BYTES * instructions - 1, -2)
    if function_start is not None and function_start < left:
        starts = _boundaries(read_code(function_start, left - function_start), function_start)
        if left in starts and instructions < len(starts):
            return starts[starts.index(left) - instructions]
    for begin in candidates:
        starts = _boundaries(read_code(begin, left - begin), begin)
        if starts[-1] == left and len(starts) == instructions + 1:
            return begin
    return candidates[0]


def _boundaries(code: bytes, address: int) -> list[int]:
    """The addresses of the instructions in `code`, and the address after the last."""
    found = [address]
    at = 0
    while at + 2 <= len(code):
        at += instruction_size(int.from_bytes(code[at : at + 2], "little"))
        found.append(address + at)
    return found
