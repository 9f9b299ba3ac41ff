"""The core's model as a clock of a live run: each block and each step between two is priced once, before it first runs.

A run that is over is priced better (`pricing`): with all of its code known, the branches that were guessed wrong counted,
and caches as they were. Here caches always hit, data is always there at once, and no branch is guessed wrong. What a
clock is asked must not depend on what comes later.
"""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
from mcu_harness.analysis.profile.cycles.cycle_table import HISTORY, CycleTable
from mcu_harness.analysis.profile.cycles.inorder import carried, straight
from mcu_harness.analysis.profile.cycles.memory import FetchModel, Visit
from mcu_harness.analysis.profile.cycles.pricing import CARRIED
from mcu_harness.analysis.profile.instructions import Instruction, decode_stretches
from mcu_harness.hardware.board import Board

_ALWAYS_READ = ("none", "prefetch")  # see `Memory.cache`: nothing is kept of what was fetched


class StepClock:
    """A `Clock` for code on `board`; without a table of its core, a cycle an instruction."""

    ticks = 64  # a cycle: some cores start two instructions in one

    def __init__(self, board: Board) -> None:
        name = board.core.name
        self._table: CycleTable | None = CYCLE_TABLES[name](board.multiplier_cycles) if name in CYCLE_TABLES else None
        memories = tuple(m if m.cache in _ALWAYS_READ else replace(m, wait_states=0) for m in board.memories)
        self._fetches = FetchModel(replace(board, memories=memories), {}, ())
        self._known: dict[int, Instruction] = {}
        self._ends: dict[int, Instruction] = {}
        self._cycles: dict[int, float] = {}
        self._blocks: dict[int, tuple[Instruction, ...]] = {}

    @property
    def model(self) -> str:
        """The core's table and its version, or what stands in for one."""
        return self._table.name if self._table else "a cycle an instruction"

    def block(self, address: int, code: bytes) -> int:
        block = tuple(decode_stretches([(address, code)]).values())
        self._blocks[address] = block
        new = [instruction for instruction in block if instruction.address not in self._known]
        for instruction in new:
            self._known[instruction.address] = self._ends[instruction.end] = instruction
        cycles = self._straight(block)
        self._cycles.update(zip((i.address for i in block), cycles, strict=True))
        self._fetches.add({i.address: self._cycles[i.address] for i in new})
        return round(self.ticks * (sum(cycles) + self._fetches.cost(Visit(block, False, None, 1))))

    def step(self, previous_end: int | None, address: int) -> int:
        if previous_end == address:
            return 0
        block = self._blocks[address]
        last = self._ends.get(previous_end) if previous_end is not None else None
        source = last.address if last else None
        waits = self._fetches.cost(Visit(block, True, source, 1)) - self._fetches.cost(Visit(block, False, None, 1))
        return round(self.ticks * (self._entry(last, block) + waits))

    def _straight(self, block: tuple[Instruction, ...]) -> list[float]:
        if self._table is None:
            return [1.0] * len(block)
        if self._table.pipeline:
            return straight(self._table.pipeline, block)
        return [self._table.fall_through(instruction, self._before(instruction.address)) for instruction in block]

    def _before(self, address: int) -> list[Instruction]:
        """The known instructions right before `address`, nearest first."""
        found: list[Instruction] = []
        while len(found) < HISTORY and address in self._ends:
            found.append(self._ends[address])
            address = found[-1].address
        return found

    def _entry(self, last: Instruction | None, block: tuple[Instruction, ...]) -> float:
        """What the core adds when `block` is reached by a branch."""
        table, first = self._table, block[0]
        if table is None:
            return 0.0
        extra = 0.0 if table.pipeline else table.alone(first) - self._cycles[first.address]
        if last is not None:
            before = self._before(last.address)
            extra += table.taken(last, before, first)
            if table.pipeline:
                extra += carried(table.pipeline, [*reversed(before), last], block[:CARRIED])
        return extra
