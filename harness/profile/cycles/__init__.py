"""Cycles from counts: what recorded blocks cost on a core and its memories. Pricing runs nothing again.

The core's table (one module a core) and the memory's wait states are separate terms, added up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from harness.board import Board
from harness.emulator import BlockCounts
from harness.profile.cycles import cortex_m0, cortex_m0plus, cortex_m3, cortex_m4, cortex_m7, cortex_m33
from harness.profile.cycles.memory import FetchModel, Visit
from harness.profile.cycles.table import HISTORY, CoreTable
from harness.profile.instructions import Instruction, decode

Real = npt.NDArray[np.float64]

TABLES: dict[str, Callable[[int], CoreTable]] = {
    "cortex-m0": cortex_m0.table,
    "cortex-m0+": cortex_m0plus.table,
    "cortex-m3": cortex_m3.table,
    "cortex-m4": cortex_m4.table,
    "cortex-m7": cortex_m7.table,
    "cortex-m33": cortex_m33.table,
}


@dataclass(frozen=True, slots=True)
class Options:
    """What to price differently from the board file: `wait_states` by the name of a memory."""

    wait_states: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prices:
    """Cycles of one execution of each edge: the core's own, and what waiting for code adds.

    `model` names the core's table and its version; `origin` says for people what the figures are worth.
    """

    core_cycles: Real
    wait_cycles: Real
    model: str
    origin: str

    @property
    def edge_cycles(self) -> Real:
        return self.core_cycles + self.wait_cycles


def price(counts: BlockCounts, board: Board, options: Options | None = None) -> Prices | None:
    """Price every edge of `counts` on `board`; None when there is no table for its core."""
    if board.core.name not in TABLES:
        return None
    options = options or Options()
    table = TABLES[board.core.name](board.multiplier_cycles)
    pricing = _Pricing(counts, table)
    visits = pricing.visits()
    fetches = FetchModel(board, options.wait_states, pricing.cycles, visits)
    return Prices(
        core_cycles=pricing.core_cycles(visits),
        wait_cycles=np.array([fetches.cost(visit) for visit in visits], np.float64),
        model=table.name,
        origin=_origin(table, board, options),
    )


def _origin(table: CoreTable, board: Board, options: Options) -> str:
    code = board.code_memory
    waits = options.wait_states.get(code.name, code.wait_states)
    text = f"estimated: cycle-approximate, {table.core} model {table.version}, {table.status}"
    if waits:
        text += f"; {waits} wait states ({code.cache}) are a first estimate, without reads of data"
    return text


class _Pricing:
    """Blocks as instructions, and the cycles of each where execution falls into it."""

    def __init__(self, counts: BlockCounts, table: CoreTable) -> None:
        self._counts = counts
        self._table = table
        self._code = decode(counts)
        self._ends = {instruction.end: instruction for instruction in self._code.values()}
        self.cycles = {at: table.fall_through(i, self._before(at)) for at, i in self._code.items()}
        blocks = zip(counts.block_address.tolist(), counts.block_bytes.tolist(), strict=True)
        self._blocks = [self._instructions(start, start + size) for start, size in blocks]
        self._block_cycles = [sum(self.cycles[i.address] for i in block) for block in self._blocks]

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

    def visits(self) -> list[Visit]:
        """One for each edge."""
        counts, found = self._counts, []
        for previous, current, count in zip(
            counts.edge_previous.tolist(), counts.edge_current.tolist(), counts.edge_count.tolist(), strict=True
        ):
            block = self._blocks[current]
            last = self._blocks[previous][-1] if previous >= 0 else None
            jumped = last is None or last.end != block[0].address
            found.append(Visit(block, jumped, last.address if last else None, count))
        return found

    def core_cycles(self, visits: list[Visit]) -> Real:
        """The core's own cycles of each visit."""
        cycles = np.array([self._block_cycles[block] for block in self._counts.edge_current.tolist()], np.float64)
        known: dict[tuple[int | None, int], float] = {}
        for edge, visit in enumerate(visits):
            if visit.jumped:
                first = visit.instructions[0]
                key = visit.source, first.address
                if key not in known:
                    known[key] = self._entry(visit.source, first)
                cycles[edge] += known[key]
        return cycles

    def _entry(self, source: int | None, first: Instruction) -> float:
        """What comes on top when `first` is reached by a branch at `source`, or as the start of a window."""
        extra = self._table.alone(first) - self.cycles[first.address]
        if source is not None:
            extra += self._table.taken(self._code[source], self._before(source), first)
        return extra
