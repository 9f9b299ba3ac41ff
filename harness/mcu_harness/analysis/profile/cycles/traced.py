"""What memories add, from a memory trace: lines brought in for code and data, times what one costs.

The trace (`mcu_harness.emulator.contract.DataTrace`) has run the board's caches. What one line costs is in the board file where it was
measured (`code_miss_cycles`, `data_miss_cycles`), and follows from the wait states otherwise: a cache line takes as many
reads of the memory as it is wide, each of them the wait states; without a cache, every read of data waits. Code that
goes on in sequence waits for what is left of that after the line before it, where the flash reads a line ahead.

A trace covers a part of a run, its first window. What it found is kept per instruction and calling context and per
execution, so that it can be applied to all windows, and to another emulator's count of the same program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from mcu_harness.analysis.profile.instructions import Instruction
from mcu_harness.emulator.contract import BlockCounts, DataTrace
from mcu_harness.hardware.board import Board, Memory

Real = npt.NDArray[np.float64]
Path = tuple[int, ...]
Key = tuple[Path, int]  # a calling context, and the address of an instruction

_PARTS = 1 << 20
_AHEAD = ("prefetch", "art", "nvm-cache")  # flash interfaces that read the next line before it is asked for


class TracedWaits:
    """Wait cycles by calling context and instruction. `cycles` are the core's own cycles by address of instruction."""

    def __init__(self, trace: DataTrace, board: Board, cycles: Mapping[int, float]) -> None:
        self._board = board
        self._cycles = cycles
        paths = context_paths(trace.context_parent, trace.context_entry)
        self._waits: dict[Key, float] = defaultdict(float)
        self.data_waits: dict[int, float] = defaultdict(float)  # of all reads of what begins there (a cut of the trace)
        self.code_waits: dict[int, float] = defaultdict(float)  # of the block that begins there
        self._add_data(trace, paths)
        self._add_code(trace, paths)
        self._executed: dict[Key, int] = defaultdict(int)
        self._count_executions(trace, paths)
        self._average = self._averages()

    def of(self, path: Path, address: int) -> float:
        """Wait cycles of one execution; in a context that was not traced, those of the average one."""
        executed = self._executed.get((path, address), 0)
        if executed:
            return _exact(self._waits.get((path, address), 0.0) / executed)
        return self._average.get(address, 0.0)

    def edge_cycles(self, counts: BlockCounts, blocks: Sequence[Sequence[Instruction]]) -> Real:
        """Wait cycles of one execution of each edge; `blocks` are the instructions of each block of `counts`."""
        paths = context_paths(counts.context_parent, counts.context_entry)
        known: dict[tuple[int, int], float] = {}
        found = np.zeros(len(counts.edge_count), np.float64)
        for edge, key in enumerate(zip(counts.edge_context.tolist(), counts.edge_current.tolist(), strict=True)):
            if key not in known:
                path = paths[key[0]]
                known[key] = sum(self.of(path, instruction.address) for instruction in blocks[key[1]])
            found[edge] = known[key]
        return found

    def _add_data(self, trace: DataTrace, paths: list[Path]) -> None:
        """Reads of data. Writes are taken to be buffered."""
        costs: dict[int, tuple[float, float]] = {}
        inside = np.flatnonzero((trace.context >= 0) & ~trace.write)
        for row in inside.tolist():
            low = int(trace.low[row])
            if low not in costs:
                costs[low] = self._data_costs(low)
            per_word, per_miss = costs[low]
            words = -(-int(trace.size[row]) // 4) * int(trace.count[row])
            waits = per_word * words + per_miss * int(trace.misses[row])
            if waits:
                self._waits[paths[trace.context[row]], int(trace.instruction[row])] += waits
                self.data_waits[low] += waits

    def _data_costs(self, address: int) -> tuple[float, float]:
        """What every word costs, and every miss."""
        memory = self._board.region_of(address)
        if memory is None:
            return 0.0, 0.0
        waits = float(memory.wait_states)
        cached = bool(memory.data_cache_bytes) or self._board.has_unified_cache(memory)
        if not cached:
            return waits, 0.0
        return 0.0, self._miss_cycles(memory, memory.data_miss_cycles, data=True)

    def _add_code(self, trace: DataTrace, paths: list[Path]) -> None:
        inside = np.flatnonzero((trace.block_context >= 0) & ((trace.first_misses > 0) | (trace.next_misses > 0)))
        for row in inside.tolist():
            address = int(trace.block_address[row])
            memory = self._board.region_of(address)
            if memory is None:
                continue
            miss = self._miss_cycles(memory, memory.code_miss_cycles)
            in_sequence = max(0.0, miss - self._hidden(memory, address, int(trace.block_bytes[row])))
            first = in_sequence if int(trace.block_source[row]) == address else miss
            waits = first * int(trace.first_misses[row]) + in_sequence * int(trace.next_misses[row])
            self._waits[paths[trace.block_context[row]], address] += waits
            self.code_waits[address] += waits

    def _hidden(self, memory: Memory, address: int, size: int) -> float:
        """How much of a read is over when the line before it is through: what that takes to execute, on average."""
        if memory.cache not in _AHEAD or (memory.cache_line_bytes or memory.fetch_bytes) > memory.fetch_bytes:
            return 0.0
        spent = sum(self._cycles.get(at, 0.0) for at in range(address, address + size, 2))
        return spent / size * memory.fetch_bytes - 1

    @staticmethod
    def _miss_cycles(memory: Memory, measured: float | None, data: bool = False) -> float:
        return line_reads(memory, data) * float(memory.wait_states) if measured is None else measured

    def _count_executions(self, trace: DataTrace, paths: list[Path]) -> None:
        """How often each instruction that waited anywhere was executed while it was traced, in every context."""
        waiting = np.array(sorted({address for _, address in self._waits}), np.int64)
        columns = (trace.block_context, trace.block_address, trace.block_bytes, trace.block_count)
        for context, start, size, count in zip(*(column.tolist() for column in columns), strict=True):
            if context >= 0:
                first, last = np.searchsorted(waiting, (start, start + size))
                for address in waiting[first:last].tolist():
                    self._executed[paths[context], address] += count

    def _averages(self) -> dict[int, float]:
        waits: dict[int, float] = defaultdict(float)
        executed: dict[int, int] = defaultdict(int)
        for key, count in self._executed.items():
            waits[key[1]] += self._waits.get(key, 0.0)
            executed[key[1]] += count
        return {at: _exact(cycles / executed[at]) for at, cycles in waits.items() if executed[at]}


def _exact(cycles: float) -> float:
    """Rounded to a millionth, as a binary fraction: sums are then exact, in whatever order they are made."""
    return round(cycles * _PARTS) / _PARTS


def line_reads(memory: Memory, data: bool = False) -> float:
    """How many reads of `memory` bring in a line of the cache for its code, or for its data; 1 without one."""
    cached = (data and memory.data_cache_bytes) or memory.cache not in ("none", "prefetch")
    if not cached or not memory.fetch_bytes:
        return 1.0
    return max(1.0, (memory.cache_line_bytes or memory.fetch_bytes) / memory.fetch_bytes)


def context_paths(parents: npt.NDArray[np.int32], entries: npt.NDArray[np.uint32]) -> list[Path]:
    """The entries that lead to each context, from the root; parents come before their children."""
    paths: list[Path] = []
    for parent, entry in zip(parents.tolist(), entries.tolist(), strict=True):
        paths.append((*paths[parent], entry) if parent >= 0 else (entry,))
    return paths
