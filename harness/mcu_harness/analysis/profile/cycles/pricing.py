"""Cycles from counts: what recorded blocks cost on a core and its memories. Pricing runs nothing again.

The core's table (`cores/`, one module a core) and the memory's wait states are separate terms, added up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.analysis.profile.cycles.accuracy import statement
from mcu_harness.analysis.profile.cycles.core_tables import CYCLE_TABLES
from mcu_harness.analysis.profile.cycles.cycle_table import HISTORY, CycleTable
from mcu_harness.analysis.profile.cycles.exceptions import exception_cycles
from mcu_harness.analysis.profile.cycles.inorder import Spent, carried, spent
from mcu_harness.analysis.profile.cycles.memory import FetchModel, Visit
from mcu_harness.analysis.profile.cycles.parts import PART_OF_KIND, Part
from mcu_harness.analysis.profile.cycles.traced import TracedWaits
from mcu_harness.analysis.profile.instructions import Instruction, decode
from mcu_harness.emulator.contract import BlockCounts, DataTrace
from mcu_harness.hardware.arm.instruction_kinds import FLOATS, Kind
from mcu_harness.hardware.board import Board
from mcu_harness.results.origin import Origin, OriginKind

Real = npt.NDArray[np.float64]
CARRIED = 4  # how many instructions behind a jump may wait for results from before it


@dataclass(frozen=True, slots=True)
class Prices:
    """Cycles of one execution of each edge: the core's own, and what waiting for code adds.

    `core_parts` are the core's own by what they go into: a row an edge, a column for each `Part`.
    `model` names the core's table and its version; `origin` says for people what the figures are worth.
    """

    core_cycles: Real
    wait_cycles: Real
    core_parts: Real
    model: str
    origin: Origin

    @property
    def edge_cycles(self) -> Real:
        return self.core_cycles + self.wait_cycles

    @property
    def edge_parts(self) -> Real:
        """`edge_cycles` by what they go into: a row an edge, a column for each `Part`."""
        parts = self.core_parts.copy()
        parts[:, Part.WAITS] += self.wait_cycles
        return parts


def price(counts: BlockCounts, board: Board, trace: DataTrace | None = None) -> Prices | None:
    """Price every edge of `counts` on `board`; None when there is no table for its core.

    With a memory trace of the same program on the same board, memories are priced by what it saw.
    """
    if board.core.name not in CYCLE_TABLES:
        return None
    table = CYCLE_TABLES[board.core.name](board.multiplier_cycles)
    pricing = _Pricing(counts, table)
    if trace is None:
        fetches = FetchModel(board, pricing.cycles, pricing.visits)
        waits = np.array([fetches.cost(visit) for visit in pricing.visits], np.float64)
    else:
        traced = TracedWaits(trace, board, pricing.cycles)
        waits = traced.edge_cycles(counts, pricing.blocks)
    core_cycles, core_parts = pricing.core_cycles()
    return Prices(
        core_cycles=core_cycles,
        wait_cycles=waits,
        core_parts=core_parts,
        model=table.name,
        origin=_origin(table, board, counts, trace),
    )


def _origin(table: CycleTable, board: Board, counts: BlockCounts, trace: DataTrace | None) -> Origin:
    text = f"cycle-approximate, {table.core} model {table.version}, {statement(board, table.name)}"
    found = Origin(OriginKind.ESTIMATED, text)
    if _uses_external(counts, trace, board):
        found = found.and_("waits of external memory are not in it")
    if not board.code_memory.wait_states or trace is not None:
        return found
    return found.and_("reads of data are not in it, they could not be traced")


def _uses_external(counts: BlockCounts, trace: DataTrace | None, board: Board) -> bool:
    """Whether anything was executed or accessed in a memory beside the chip of which no waits are stated."""
    for memory in board.memories:
        if memory.external and not memory.wait_states:
            places = (counts.block_address, *((trace.low,) if trace is not None else ()))
            if any(((at >= memory.origin) & (at < memory.end)).any() for at in places):
                return True
    return False


class _Pricing:
    """Blocks as instructions, and the cycles of each where execution falls into it."""

    def __init__(self, counts: BlockCounts, table: CycleTable) -> None:
        self._counts = counts
        self._table = table
        self._code = decode(counts)
        self._ends = {instruction.end: instruction for instruction in self._code.values()}
        blocks = zip(counts.block_address.tolist(), counts.block_bytes.tolist(), strict=True)
        self.blocks = [self._instructions(start, start + size) for start, size in blocks]
        self.visits = self._find_visits()
        self._spent = self._straight()
        self.cycles = {address: each.cycles for address, each in self._spent.items()}
        self._block_cycles = [sum(self.cycles[i.address] for i in block) for block in self.blocks]

    def _instructions(self, start: int, end: int) -> tuple[Instruction, ...]:
        found = []
        while start < end:
            found.append(self._code[start])
            start = found[-1].end
        return tuple(found)

    def _before(self, address: int) -> list[Instruction]:
        """The executed instructions right before `address`, nearest first."""
        found: list[Instruction] = []
        while len(found) < HISTORY and address in self._ends:
            found.append(self._ends[address])
            address = found[-1].address
        return found

    def _find_stretches(self) -> list[list[Instruction]]:
        """Executed code in order, cut wherever execution ever jumped to: how an emulator cuts blocks does not matter."""
        targets = {visit.instructions[0].address for visit in self.visits if visit.jumped}
        stretches: list[list[Instruction]] = []
        for address in sorted(self._code):
            if not stretches or stretches[-1][-1].end != address or address in targets:
                stretches.append([])
            stretches[-1].append(self._code[address])
        return stretches

    def _straight(self) -> dict[int, Spent]:
        """Cycles of each instruction where execution falls into it."""
        pipeline = self._table.pipeline
        if pipeline is None:
            return {at: Spent(self._table.fall_through(i, self._before(at))) for at, i in self._code.items()}
        return {
            instruction.address: each
            for stretch in self._find_stretches()
            for instruction, each in zip(stretch, spent(pipeline, stretch), strict=True)
        }

    def _block_parts(self) -> Real:
        """The cycles of each block where execution falls into it, by `Part`."""
        found = np.zeros((len(self.blocks), len(Part)), np.float64)
        for row, block in zip(found, self.blocks, strict=True):
            for instruction in block:
                each = self._spent[instruction.address]
                row[PART_OF_KIND[instruction.kind]] += each.cycles - each.waited
                row[PART_OF_KIND[each.waited_for or instruction.kind]] += each.waited
        return found

    def _find_visits(self) -> list[Visit]:
        """One for each edge."""
        counts, found = self._counts, []
        for previous, current, count in zip(
            counts.edge_previous.tolist(), counts.edge_current.tolist(), counts.edge_count.tolist(), strict=True
        ):
            block = self.blocks[current]
            last = self.blocks[previous][-1] if previous >= 0 else None
            jumped = last is None or last.end != block[0].address
            found.append(Visit(block, jumped, last.address if last else None, count))
        return found

    def core_cycles(self) -> tuple[Real, Real]:
        """The core's own cycles of each visit, and the same by `Part`."""
        cycles = np.array([self._block_cycles[block] for block in self._counts.edge_current.tolist()], np.float64)
        parts = self._block_parts()[self._counts.edge_current]
        known: dict[tuple[int | None, int], tuple[float, float]] = {}
        for edge, visit in enumerate(self.visits):
            if visit.jumped:
                first = visit.instructions[0]
                key = visit.source, first.address
                if key not in known:
                    known[key] = self._entry(visit.source, first)
                alone, jump = known[key]
                cycles[edge] += alone + jump
                parts[edge, PART_OF_KIND[first.kind]] += alone
                parts[edge, Part.BRANCH] += jump
        floats = np.array([any(i.kind in FLOATS for i in block) for block in self.blocks], np.bool_)
        taken = exception_cycles(self._table.exceptions, self._counts, floats)
        mispredicted = self._mispredicted()
        parts[:, Part.BRANCH] += mispredicted
        parts[:, Part.REST] += taken
        return cycles + mispredicted + taken, parts

    def _mispredicted(self) -> Real:
        """What guessing wrong costs, on the edges of the rarer way out of each conditional branch."""
        found = np.zeros(len(self.visits), np.float64)
        penalty = self._table.mispredicted.cycles
        if not penalty:
            return found
        ways: dict[int, dict[bool, list[int]]] = {}
        for edge, visit in enumerate(self.visits):
            last = self._code.get(visit.source) if visit.source is not None else None
            if last is not None and last.kind is Kind.BRANCH and last.conditional:
                ways.setdefault(last.address, {True: [], False: []})[visit.jumped].append(edge)
        for way in ways.values():
            rarer = min(way.values(), key=lambda edges: sum(self.visits[edge].count for edge in edges))
            found[rarer] = penalty
        return found

    def _entry(self, source: int | None, first: Instruction) -> tuple[float, float]:
        """What comes on top when `first` is reached by a branch at `source`, or as the start of a window: of `first`,
        which has nothing before it, and of the jump."""
        pipeline = self._table.pipeline
        alone = 0.0 if pipeline else self._table.alone(first) - self.cycles[first.address]
        extra = 0.0
        if source is not None:
            last, before = self._code[source], self._before(source)
            extra += self._table.taken(last, before, first)
            if pipeline:
                after = [first]
                while len(after) < CARRIED and after[-1].end in self._code:
                    after.append(self._code[after[-1].end])
                extra += carried(pipeline, [*reversed(before), last], after)
        return alone, extra
