"""What instruction fetches from slow memory add where nothing was traced: a first estimate from the board file.

With a memory trace, `traced` says it better.

A line is what one read of the memory brings (`Memory.fetch_bytes`), or a line of its cache. A line is fetched when
execution comes to it from another one. Then, by what stands between core and memory:

- none: every line costs the wait states;
- prefetch: so does a line reached by a branch; the next line in sequence, what is left of them after the time that
  the line before it takes to execute;
- a cache: the most fetched lines that fit stay in it and cost nothing, the others are as with prefetch.

Constants next to code are paid for where nothing caches them. Other reads of data are not: their addresses are not
recorded. All of it depends on addresses alone, not on how an emulator cuts its blocks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mcu_harness.analysis.profile.instructions import Instruction
from mcu_harness.hardware.arm.instruction_kinds import Kind
from mcu_harness.hardware.board import Board, Memory

_CACHELESS = ("none", "prefetch")

Line = tuple[str, int]  # the memory's name, and the line's number in it


@dataclass(frozen=True, slots=True)
class Visit:
    """`count` times, a block is executed: its instructions, reached by a branch from `source` or (None) by falling in."""

    instructions: tuple[Instruction, ...]
    jumped: bool
    source: int | None
    count: int


class FetchModel:
    """Wait states per visit. `cycles` are the core's own cycles of each instruction, by address."""

    def __init__(self, board: Board, cycles: Mapping[int, float], visits: Iterable[Visit]) -> None:
        self._board = board
        self._places: dict[int, tuple[Memory, Line] | None] = {}
        self._line_cycles: dict[Line, float] = defaultdict(float)
        self.add(cycles)
        self._cached = self._lines_that_stay(list(visits))

    def add(self, cycles: Mapping[int, float]) -> None:
        """More code became known, with its own cycles: what stands in a line is what hides the next one's reading."""
        for address, cost in cycles.items():
            place = self._line(address)
            if place is not None:
                self._line_cycles[place[1]] += cost

    def cost(self, visit: Visit) -> float:
        """The wait states of one such visit."""
        total = 0.0
        for memory, line, sequential in self._fetches(visit):
            if line in self._cached:
                continue
            waits = float(memory.wait_states)
            if sequential and memory.cache != "none":
                before = (line[0], line[1] - 1)
                waits = max(0.0, waits + 1 - self._line_cycles.get(before, 0.0))
            total += waits
        return total + self._literals(visit)

    def _literals(self, visit: Visit) -> float:
        total = 0.0
        for instruction in visit.instructions:
            if instruction.literal and instruction.kind is Kind.LOAD:
                memory = self._board.region_of(instruction.address)
                if memory is not None and memory.cache in _CACHELESS and not memory.data_cache_bytes:
                    total += memory.wait_states
        return total

    def _line(self, address: int) -> tuple[Memory, Line] | None:
        if address not in self._places:
            self._places[address] = self._find_line(address)
        return self._places[address]

    def _find_line(self, address: int) -> tuple[Memory, Line] | None:
        memory, alias = self._board.region_of(address), self._board.memory_at(address)
        if memory is None or alias is None:
            return None
        size = memory.fetch_bytes if memory.cache in _CACHELESS else memory.cache_line_bytes or memory.fetch_bytes
        name = memory.name if memory.name in (alias.name, alias.alias_of) else f"{memory.name}, moved to"
        return memory, (name, (address - alias.origin) // max(size, 1))

    def _fetches(self, visit: Visit) -> list[tuple[Memory, Line, bool]]:
        """(memory, line, reached in sequence?) of each line that the visit comes to from another one."""
        fetched = []
        first = visit.instructions[0].address
        previous = self._line(visit.source if visit.jumped and visit.source is not None else first - 1)
        at = previous[1] if previous else None
        in_sequence = not visit.jumped
        for instruction in visit.instructions:
            for address in (instruction.address, instruction.end - 1):
                place = self._line(address)
                if place is None:
                    continue
                memory, line = place
                if line != at and memory.wait_states:
                    fetched.append((memory, line, in_sequence))
                at = line
                in_sequence = True
        return fetched

    def _lines_that_stay(self, visits: list[Visit]) -> set[Line]:
        """The lines that are taken to be in a cache always: the most fetched ones, as many as fit."""
        fetches: dict[str, dict[Line, int]] = defaultdict(lambda: defaultdict(int))
        room: dict[str, int | None] = {}
        for visit in visits:
            for memory, line, _ in self._fetches(visit):
                if memory.cache in _CACHELESS:
                    continue
                fetches[memory.name][line] += visit.count
                size = memory.cache_line_bytes or memory.fetch_bytes
                room[memory.name] = memory.cache_bytes // size if memory.cache_bytes else None
        staying: set[Line] = set()
        for name, counts in fetches.items():
            ordered = sorted(counts, key=lambda line: (-counts[line], line))
            staying.update(ordered[: room[name]])
        return staying
