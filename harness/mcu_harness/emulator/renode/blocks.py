"""Begun blocks as Renode streams them, brought into the form that the block recorder takes.

An entry is (address, instructions executed before it): how many a block has executed is known from the entry after it,
whether it came to its end or not. What happens between blocks is two entries: an address, with bit 0 set, and one of
the events below; then 0 and the stack pointer there, or at the end of all the number of instructions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.recorder.block_recorder import BlockRecorder

Entries = npt.NDArray[np.uint32]

ENTER, ENTER_WITH_FLOATS, LEAVE, CLOSE = range(4)
_KIND_BYTES = 4
_EVENT_MARK = 1


class BlockIntake:
    """Feeds one recorder, blocks by `record`."""

    def __init__(self, recorder: BlockRecorder) -> None:
        self._recorder = recorder
        self.record: Callable[[Entries], object] = recorder.add
        self.settled: Callable[[], None] = lambda: None  # an exception comes: all blocks so far have ended
        self._unended: Entries = np.empty((0, 2), np.uint32)  # the last block, and the events since
        self._entering: list[tuple[int, int, bool]] = []  # exceptions of which no block has run yet

    def add(self, frame: bytearray) -> None:
        """Record the blocks of a frame and the exceptions between them, in the order in which they came.

        The last block, and what comes after it, is recorded when it is known how far it came.
        """
        came: Entries = np.frombuffer(frame, np.uint32, offset=_KIND_BYTES).reshape(-1, 2)
        entries = np.concatenate([self._unended, came])
        heads = np.flatnonzero(entries[:, 0] & _EVENT_MARK)
        if len(heads):
            self._add_with_events(entries, heads)
        else:
            entries[:-1, 1] = np.diff(entries[:, 1])  # modulo 2**32
            self._add_blocks(entries[:-1])
            self._unended = entries[-1:].copy()

    def _add_with_events(self, entries: Entries, heads: npt.NDArray[np.int64]) -> None:
        is_block = np.ones(len(entries), bool)
        is_block[heads] = is_block[heads + 1] = False
        places = np.flatnonzero(is_block)
        closes = int(entries[heads[-1], 1]) == CLOSE
        known = len(entries) if closes or not len(places) else int(places[-1])
        self._unended = entries[known:].copy()
        before = entries[places, 1]
        entries[places[:-1], 1] = np.diff(before)
        if closes and len(places):
            entries[places[-1], 1] = entries[heads[-1] + 1, 1] - before[-1]
        done = 0
        for row in heads[heads < known].tolist():
            self._add_blocks(entries[done:row])
            self._add_event(int(entries[row, 0]), int(entries[row, 1]), int(entries[row + 1, 1]))
            done = row + 2
        self._add_blocks(entries[done:known])

    def settle(self, handler: int) -> None:
        """Enter the exceptions that were taken: their handler's first block begins at `handler`, or no block comes."""
        for pc, stack, floats in self._entering:
            self._recorder.exceptions.enter(handler, pc, stack, floats)
        self._entering.clear()

    def _add_event(self, marked: int, event: int, stack: int) -> None:
        pc = marked & ~_EVENT_MARK
        if event == CLOSE:
            return
        self.settled()
        if event == LEAVE:
            self.settle(pc)  # of a handler that left without any block: what it returns to stands for it
            self._recorder.exceptions.leave(pc, stack)
        else:
            self._entering.append((pc, stack, event == ENTER_WITH_FLOATS))

    def _add_blocks(self, blocks: Entries) -> None:
        if not blocks[:, 1].all():
            blocks = blocks[blocks[:, 1] != 0]  # Renode begins some that it does not get to
        if len(blocks):
            self.settle(int(blocks[0, 0]))
            self.record(blocks)
