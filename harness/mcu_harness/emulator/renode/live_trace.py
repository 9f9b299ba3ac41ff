"""The memory trace of a stretch of a live run in Renode, from its blocks and accesses: counted as the embedded emulator counts.

While it is traced, Renode executes blocks of one instruction and names the instruction of each access. The blocks are put together
here as they are without a trace, and the compiled part of a trace is called for each instruction that made an access, with the address
that Renode has told.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import DataTrace
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.recorder.counted import Mark
from mcu_harness.emulator.trace.access_hook import compiled
from mcu_harness.emulator.trace.data_trace import MemoryTracer
from mcu_harness.hardware.arm.data_access import accesses
from mcu_harness.hardware.arm.thumb import PLAIN, UNKNOWN_TARGET, block_end, instruction_size
from mcu_harness.hardware.board import Board

_KIND_BYTES = 4
_MOST_BYTES = 4  # of an instruction
_WRITES = 1
_ENOUGH = 2_000_000  # instructions
_LOOKED_THROUGH = 64  # accesses that no instruction made, as of an exception's entry, between two that one did
_HOOK = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_int64)

Records = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class _Instruction:
    """`moved` are the bytes that it accesses, 0 for none."""

    size: int
    ends_block: bool
    moved: int


class RenodeTrace:
    """One trace, from what was counted at `since` on. It takes what Renode tells: accesses before the blocks that made them."""

    def __init__(
        self, board: Board, recorder: BlockRecorder, read_code: Callable[[int, int], bytes], since: Mark
    ) -> None:
        self._since = since
        self._traced = 0
        self._recorder = recorder
        self._read_code = read_code
        self._address = np.zeros(16, np.uint32)
        self._tracer = MemoryTracer(board, recorder, int(self._address.ctypes.data), (), addresses_known=True)
        self._on_instruction = _HOOK(compiled())
        self._instructions: dict[int, _Instruction] = {}
        self._events: list[tuple[int, int]] = []
        self._next = 0
        self._block: list[int] = []  # the instructions of the one under way
        self._after = 0

    def accessed(self, frame: bytearray) -> None:
        """A frame of accesses."""
        told: Records = np.frombuffer(frame, np.uint32, offset=_KIND_BYTES).reshape(-1, 2)
        del self._events[: self._next]
        self._next = 0
        self._events += zip(told[:, 0].tolist(), told[:, 1].tolist(), strict=True)

    @property
    def has_enough(self) -> bool:
        """Whether what was found can go for what is executed further on: a trace costs a hundred times the run."""
        return self._traced >= _ENOUGH

    @property
    def is_inside_block(self) -> bool:
        """Whether the instruction that was executed last is not the last one of its block."""
        return bool(self._block)

    def add(self, records: Records) -> None:
        """Record blocks, and what each of their instructions accessed; one that has not ended yet waits for the rest of it."""
        for address, count in records.tolist():
            for _ in range(count):
                if self._block and address != self._after:
                    self.settle()
                instruction = self._at(address)
                self._block.append(address)
                address = self._after = address + instruction.size
                if instruction.ends_block:
                    self.settle()

    def settle(self) -> None:
        """The block under way ends here."""
        if self._block:
            block, self._block = self._block, []
            self._add_block(block)

    def result(self) -> DataTrace:
        """What was traced."""
        self.settle()
        if self._tracer.error is not None:
            raise EmulatorError(f"the memory trace failed: {self._tracer.error}") from self._tracer.error
        return self._tracer.result(self._since)

    def _add_block(self, block: list[int]) -> None:
        self._traced += len(block)
        self._recorder.add(np.array([[block[0], len(block)]], np.uint32))
        self._address[0] = self._taken(block[0]) or 0
        self._call(block[0])
        for address in block[1:]:
            if self._instructions[address].moved:
                at = self._taken(address)
                if at is not None:
                    self._address[0] = at
                    self._call(address)

    def _taken(self, instruction: int) -> int | None:
        """Where that instruction's next access begins, which is taken; None when it made none: a condition kept it from it."""
        moved, events = self._instructions[instruction].moved, self._events
        if not moved:
            return None
        for at in range(self._next, min(len(events), self._next + _LOOKED_THROUGH)):
            if events[at][0] & ~_WRITES == instruction:
                low = last = events[at][1]
                self._next = at + 1
                while self._next < len(events):
                    by, address = events[self._next]
                    if by & ~_WRITES != instruction or not last < address < low + moved:
                        break
                    last = address
                    self._next += 1
                return low
        return None

    def _call(self, instruction: int) -> None:
        self._on_instruction(0, instruction, 0, self._tracer.state_address)

    def _at(self, address: int) -> _Instruction:
        known = self._instructions.get(address)
        if known is None:
            code = self._read_code(address, _MOST_BYTES)
            size = instruction_size(int.from_bytes(code[:2], "little"))
            end = block_end(code[:size], address)
            moved = next((access.size for offset, access in accesses(code[:size], address) if offset == 0), 0)
            ends = end.kind != PLAIN or end.target != UNKNOWN_TARGET
            known = self._instructions[address] = _Instruction(size, ends, moved)
        return known
