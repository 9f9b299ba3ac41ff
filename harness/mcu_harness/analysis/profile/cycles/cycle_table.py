"""What a cycle model of a core is made of: costs by kind of instruction, refills after branches, and rules.

A core's own is a module of `cores/`, found by its name (`core_tables.py`).

Straight-line code is priced address by address: an instruction's cost depends on the instructions right before it in
memory, never on where an emulator cut its blocks. What comes on top when it is reached by a branch is priced per
branch and target. So every emulator gets the same cycles, and a run can be priced again without running it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mcu_harness.analysis.profile.cycles.cost import Cost
from mcu_harness.analysis.profile.cycles.exceptions import ExceptionCosts
from mcu_harness.analysis.profile.cycles.inorder import Pipeline
from mcu_harness.analysis.profile.instructions import Instruction
from mcu_harness.hardware.arm.instruction_kinds import Kind

# (this instruction, those before it in memory, nearest first, as far as they were executed) -> does the rule apply?
Neighbours = Callable[[Instruction, Sequence[Instruction]], bool]
# (the branch, those before it, its target) -> does the rule apply?
Step = Callable[[Instruction, Sequence[Instruction], Instruction], bool]

HISTORY = 3  # how many instructions before the present one rules may look at


@dataclass(frozen=True, slots=True)
class NeighbourRule:
    """Adds `cycles` to an instruction that execution falls into, when `applies`."""

    name: str
    cycles: float
    applies: Neighbours
    source: str


@dataclass(frozen=True, slots=True)
class BranchRule:
    """Adds `cycles` to a taken branch when `applies`."""

    name: str
    cycles: float
    applies: Step
    source: str


NOT_PREDICTED = Cost(0, "not predicted: a taken branch always refills")


@dataclass(frozen=True, slots=True)
class CycleTable:
    """One core without wait states. `refill` is what a taken branch costs beyond the instruction itself, by kind;
    `load_pc` the same for loads into the program counter.

    With a `pipeline`, straight-line code is simulated with it
    and `costs` and `neighbour_rules` have no say. `mispredicted` is charged for the rarer way out of a conditional branch.
    """

    core: str
    version: str
    costs: Mapping[Kind, Cost]
    refill: Mapping[Kind, Cost]
    load_pc: Cost
    exceptions: ExceptionCosts
    neighbour_rules: tuple[NeighbourRule, ...] = ()
    branch_rules: tuple[BranchRule, ...] = ()
    pipeline: Pipeline | None = None
    mispredicted: Cost = NOT_PREDICTED

    @property
    def name(self) -> str:
        return f"{self.core} {self.version}"

    def fall_through(self, instruction: Instruction, before: Sequence[Instruction]) -> float:
        """Cycles of `instruction` right after `before`."""
        return self.alone(instruction) + sum(r.cycles for r in self.neighbour_rules if r.applies(instruction, before))

    def alone(self, instruction: Instruction) -> float:
        """Cycles of `instruction` as a branch target: nothing before it to pair with or to wait for."""
        cost = self.costs.get(instruction.kind) or self.costs[Kind.ALU]
        return cost.cycles + cost.per_word * instruction.words + cost.register_offset * instruction.register_offset

    def taken(self, last: Instruction, before: Sequence[Instruction], target: Instruction) -> float:
        """Extra cycles of going from `last`, with `before` before it, to `target` elsewhere."""
        if last.loads_pc:
            cycles = self.load_pc.cycles
        elif last.kind in self.refill:
            cycles = self.refill[last.kind].cycles
        else:
            return 0.0  # no branch: a handler has changed where its return goes to
        return cycles + sum(rule.cycles for rule in self.branch_rules if rule.applies(last, before, target))
