"""Cores that issue up to two instructions a cycle, in order: when each instruction of a straight stretch can start.

What a core can do is data (`Pipeline`); the simulation here is the same for all. Results are ready some cycles after
their instruction started, operands are needed at its start or, shifted ones, a cycle earlier. Branches are taken as
predicted right; what they cost is charged where they are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mcu_harness.analysis.profile.instructions import Instruction
from mcu_harness.hardware.arm.instruction_kinds import Kind

Pair = Callable[[Instruction, Instruction], bool]


@dataclass(frozen=True, slots=True)
class Timing:
    """`busy` cycles pass until the next instruction can start, plus `per_word` for each word beyond the first; the result
    is ready `latency` cycles after the start, and `narrow_latency` for loads of less than a word.
    """

    busy: float = 1
    latency: float = 1
    per_word: float = 0
    narrow_latency: float | None = None
    source: str = ""

    def occupied(self, words: int) -> float:
        return self.busy + self.per_word * (words - 1)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`timings` by kind, PLAIN for those that are not there; `pairs` says whether two instructions can start together.

    Operands that are needed early (`Instruction.early`, and addresses with `early_addresses`) are needed `early_cycles`
    sooner; what a multiplication adds to is needed `late_cycles` later. `stores_late` is the same for stored values.
    Results of ALU instructions with shifted operands come after `shifted_latency`. `narrow_extra` is what a 16-bit
    instruction costs on average because it disturbs how the ones behind it are fetched.
    """

    timings: Mapping[Kind, Timing]
    pairs: Pair
    early_cycles: float = 1
    early_addresses: bool = False
    late_cycles: float = 1
    stores_late: float = 1
    shifted_latency: float = 1
    narrow_extra: float = 0


PLAIN = Timing()


class Issue:
    """The state of a pipeline while it runs through instructions."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._ready: dict[int, float] = {}
        self._made_by: dict[int, Kind] = {}
        self.waited = 0.0  # how long the last instruction waited for an operand when nothing else was in its way
        self.waited_for: Kind | None = None  # what kind of instruction that operand came from
        self._next = 0.0  # when the next instruction can start
        self._last: Instruction | None = None  # what started alone so far at `_start`
        self._start = 0.0

    def run(self, instruction: Instruction) -> float:
        """Start `instruction`; returns when the one after it can start at the earliest."""
        timing = self._timing(instruction)
        ready = self._operands_ready(instruction)
        before = self._last
        together = before is not None and ready <= self._start and self._pipeline.pairs(before, instruction)
        if together:
            start = self._start
            self._last = None
        else:
            start = max(self._next, ready)
            self._last = instruction
        self.waited = start - self._next if start > self._next and not together else 0.0
        busy = timing.occupied(instruction.words)
        self._start = start
        self._next = max(self._next, start + busy)
        self._results(instruction, timing, start)
        return self._next

    def boundary(self) -> float:
        """A taken branch was the last: nothing starts together with what comes now. When that can start."""
        self._last = None
        return self._next

    def _timing(self, instruction: Instruction) -> Timing:
        return self._pipeline.timings.get(instruction.kind, PLAIN)

    def _operands_ready(self, instruction: Instruction) -> float:
        pipeline, latest = self._pipeline, 0.0
        self.waited_for = None
        is_store = instruction.kind in (Kind.STORE, Kind.STORE_MULTIPLE)
        for register in instruction.reads:
            at = self._ready.get(register, 0.0)
            if register in instruction.accumulates:
                at -= pipeline.late_cycles
            elif register in instruction.early or (
                pipeline.early_addresses and register in instruction.address_registers
            ):
                at += pipeline.early_cycles if at else 0
            elif is_store and register not in instruction.address_registers:
                at -= pipeline.stores_late
            if at > latest:
                latest, self.waited_for = at, self._made_by.get(register)
        return latest

    def _results(self, instruction: Instruction, timing: Timing, start: float) -> None:
        latency = timing.latency
        if instruction.narrow and timing.narrow_latency is not None:
            latency = timing.narrow_latency
        elif instruction.kind is Kind.ALU and (instruction.early or instruction.shifted_constant):
            latency = max(latency, self._pipeline.shifted_latency)
        for register in instruction.writes:
            self._made_by[register] = instruction.kind
            plain = instruction.writeback and register in instruction.address_registers
            self._ready[register] = start + (1 if plain else latency)


@dataclass(frozen=True, slots=True)
class Spent:
    """`cycles` of an instruction, and how many of them it waited for a result of an instruction of the kind `waited_for`."""

    cycles: float
    waited: float = 0.0
    waited_for: Kind | None = None


def spent(pipeline: Pipeline, instructions: Sequence[Instruction]) -> list[Spent]:
    """Cycles of each instruction of a stretch that is executed from its first to its last, one after the other."""
    issue, found, before = Issue(pipeline), [], 0.0
    for instruction in instructions:
        after = issue.run(instruction)
        cycles = after - before + pipeline.narrow_extra * (instruction.size == 2)
        found.append(Spent(cycles, issue.waited, issue.waited_for))
        before = after
    return found


def straight(pipeline: Pipeline, instructions: Sequence[Instruction]) -> list[float]:
    """As `spent`, the cycles alone."""
    return [each.cycles for each in spent(pipeline, instructions)]


def carried(pipeline: Pipeline, before: Sequence[Instruction], after: Sequence[Instruction]) -> float:
    """What `after` takes more (or less) right behind `before` than on its own: results that it waits for."""
    issue = Issue(pipeline)
    for instruction in before:
        issue.run(instruction)
    begin = issue.boundary()
    alone = Issue(pipeline)
    last, total = begin, 0.0
    for instruction in after:
        last, total = issue.run(instruction), alone.run(instruction)
    return last - begin - total
