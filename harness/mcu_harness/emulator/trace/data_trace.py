"""The memory trace: which data every executed load and store went to, counted while the program runs.

What it answers is a table, `mcu_harness.emulator.contract.DataTrace`: how often each instruction, in each calling context, accessed
each object; how often a line of memory had to be brought in for that; and which reads were of bytes that nothing had
written. It sees addresses before each instruction executes (see `access_hook`), so it changes nothing in the program.

For each edge of the block recorder there is a step: the descriptors of its block's halfwords (0: no access), and as many rows
of counters. An access to several words (LDM, LDRD, VLDM, ...) that are of different objects is an access to each of these, by
as many words as it holds.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from mcu_harness.emulator.contract import DataTrace
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.recorder.counted import Mark
from mcu_harness.emulator.recorder.layout import Edge, State
from mcu_harness.emulator.recorder.rows import Table, Words
from mcu_harness.emulator.trace import access_log
from mcu_harness.emulator.trace.access_filter import filtered
from mcu_harness.emulator.trace.access_hook import compiled
from mcu_harness.emulator.trace.access_log import AccessLog
from mcu_harness.emulator.trace.layout import (
    COUNTERS_STEP,
    DESCRIPTOR_STEP,
    ENTRY,
    HALFWORD,
    Step,
    TraceState,
    descriptor,
)
from mcu_harness.emulator.trace.timed_memories import TimedMemories
from mcu_harness.hardware.arm.alignment import unaligned
from mcu_harness.hardware.arm.data_access import Access, accesses
from mcu_harness.hardware.board import Board

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)


class MemoryTracer:
    """Traces one run.

    `registers` is where the core's registers are, or with `addresses_known`, in their place, where the instruction at hand
    accesses memory; `cuts` are addresses at which objects begin, memories' bounds included.
    """

    def __init__(
        self,
        board: Board,
        recorder: BlockRecorder,
        registers: int,
        cuts: Sequence[int],
        addresses_known: bool = False,
    ) -> None:
        self.error: BaseException | None = None
        self._recorder = recorder
        self._addresses_known = addresses_known
        self._core = board.core
        self._memories = TimedMemories(board, cuts)
        self._steps = Table(Step, 1 << 12)
        self._log = AccessLog(len(self._memories.cuts))
        self._descriptors: dict[int, Words] = {}
        self._writes: dict[tuple[int, int], bool] = {}  # whether the access is one, by block and halfword
        self._state = state = TraceState.new()
        self._callbacks = [_CALLBACK(self._prepare), _CALLBACK(self._compact)]
        state.prepare, state.compact = (ctypes.cast(each, ctypes.c_void_p).value or 0 for each in self._callbacks)
        state.edge = recorder.state_address + State.offset("edge")
        state.edge_shift = Edge.nbytes.bit_length() - 1
        state.registers = registers
        state.cuts, state.cut_count = int(self._memories.cuts.ctypes.data), len(self._memories.cuts)
        state.objects = self._memories.objects.address
        state.log, state.log_room = self._log.table.address, access_log.ROOM
        state.last_edge = -1
        self._point_at_steps()

    @property
    def hook_address(self) -> int:
        """C address of a UC_HOOK_CODE callback."""
        return filtered(compiled())

    @property
    def state_address(self) -> int:
        """User data of the hook."""
        return self._state.address

    def written(self, address: int, size: int) -> None:
        """Something other than the program wrote `size` bytes: they count as written from now on."""
        self._memories.written(address, size)

    def result(self, since: Mark | None = None) -> DataTrace:
        """What was traced so far. `since` is when that began, None for the start of the run."""
        sums = self._log.sums(self._state.log_count)
        self._state.log_count = 0
        steps = self._recorder.steps()
        block = steps.edge_block[sums["edge"]]
        write = [self._writes[key] for key in zip(block.tolist(), sums["halfword"].tolist(), strict=True)]
        cuts = self._memories.cuts
        counts = steps.edge_count
        if since is not None:
            counts[: len(since.counts)] -= since.counts
        ran = np.flatnonzero(counts > 0)
        parents, entries = steps.context_tree()
        return DataTrace(
            context=steps.edge_context[sums["edge"]].astype(np.int32),
            instruction=(steps.addresses[block] + HALFWORD * sums["halfword"]).astype(np.uint32),
            low=cuts[sums["object"]],
            high=cuts[sums["object"] + 1],
            size=sums["size"].astype(np.int32),
            write=np.array(write, np.bool_),
            count=sums["count"].copy(),
            misses=sums["misses"].copy(),
            unwritten=sums["unwritten"].copy(),
            first_unwritten=sums["first_unwritten"].astype(np.uint32),
            unaligned=sums["unaligned"].copy(),
            block_context=steps.edge_context[ran].astype(np.int32),
            block_address=steps.addresses[steps.edge_block[ran]].astype(np.uint32),
            block_bytes=np.array(steps.block_bytes, np.int32)[steps.edge_block[ran]],
            block_count=counts[ran],
            block_source=steps.edge_source[ran],
            first_misses=self._of_edges("first_misses", len(counts))[ran],
            next_misses=self._of_edges("next_misses", len(counts))[ran],
            context_parent=parents,
            context_entry=entries,
        )

    def _of_edges(self, name: str, edges: int) -> Words:
        """A word of the steps of all edges, 0 for those that were not traced."""
        found = np.zeros(edges, np.int64)
        known = min(edges, len(self._steps))
        found[:known] = self._steps.rows[name][:known]
        return found

    # Callbacks of the compiled code. They must not raise: ctypes would print and go on.

    def _prepare(self, edge: int) -> int:
        try:
            while edge >= len(self._steps):
                self._steps.grow()
                self._point_at_steps()
            block, address, code = self._recorder.steps().block_of_edge(edge)
            descriptors = self._descriptors_of(block, address, code)
            step = self._steps.row(edge)
            step.descriptors = int(descriptors.ctypes.data) - address * DESCRIPTOR_STEP
            step.counters = self._log.new_counters(edge, len(code) // HALFWORD) - address * COUNTERS_STEP
            step.start, step.end = address, address + len(code)
            step.code_cache, step.code_shift = self._memories.code_cache(address)
        except BaseException as error:
            self.error = self.error or error
            empty = self._descriptors.setdefault(-1, np.zeros(1 << 12, np.int64))
            self._steps.row(edge).descriptors = int(empty.ctypes.data)
        return 0

    def _compact(self, _unused: int) -> int:
        try:
            self._log.compact(self._state.log_count)
        except BaseException as error:
            self.error = self.error or error
        self._state.log_count = 0
        return 0

    def _descriptors_of(self, block: int, address: int, code: bytes) -> Words:
        if block not in self._descriptors:
            words = np.zeros(max(1, len(code) // HALFWORD), np.int64)
            for offset, access in accesses(code, address):
                must_be_aligned = unaligned(1, access.size, self._core, code[offset : offset + 4])
                from_registers = Access(0, 0, access.size, access.write) if self._addresses_known else access
                words[offset // HALFWORD] = descriptor(from_registers, access.alignment if must_be_aligned else 1)
                self._writes[block, offset // HALFWORD] = access.write
            words[0] |= ENTRY
            self._descriptors[block] = words
        return self._descriptors[block]

    def _point_at_steps(self) -> None:
        self._state.steps = self._steps.address
        self._state.step_room = len(self._steps)
