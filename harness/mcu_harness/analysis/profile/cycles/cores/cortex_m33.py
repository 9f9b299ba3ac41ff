"""Cortex-M33: Arm publishes no table; a pipeline from published measurements.

One instruction a cycle; only a pair of 16-bit instructions starts together, and of those only a branch, IT or NOP behind
another one.
"""

from __future__ import annotations

from mcu_harness.analysis.profile.cycles import rules
from mcu_harness.analysis.profile.cycles.cost import Cost
from mcu_harness.analysis.profile.cycles.cycle_table import BranchRule, CycleTable
from mcu_harness.analysis.profile.cycles.exceptions import three_stages
from mcu_harness.analysis.profile.cycles.inorder import Pipeline, Timing
from mcu_harness.analysis.profile.instructions import Instruction
from mcu_harness.hardware.arm.instruction_kinds import Kind

_MEASURED = "jnk0le/random, pipeline cycle test, cortex_m33.md, on a RP2350"
_AS_M4 = "assumed as on the Cortex-M4 (Arm DDI 0439)"

_TIMINGS = {
    Kind.BITS: Timing(1, 2, source=_MEASURED),
    Kind.MULTIPLY: Timing(1, 2, source=_MEASURED),
    Kind.MULTIPLY_ADD: Timing(1, 2, source=_MEASURED),
    Kind.LONG_MULTIPLY: Timing(1, 2, source=_MEASURED),
    Kind.LONG_MULTIPLY_ADD: Timing(1, 2, source=_MEASURED),
    Kind.DIVIDE: Timing(6, 6, source="assumed: between 2 and 11"),
    Kind.LOAD: Timing(1, 2, source=_MEASURED),
    Kind.STORE: Timing(1, 1, source=_MEASURED),
    Kind.LOAD_MULTIPLE: Timing(1, 2, per_word=1, source=_MEASURED),
    Kind.STORE_MULTIPLE: Timing(1, 1, per_word=1, source=_MEASURED),
    Kind.TABLE_BRANCH: Timing(2, 2, source=_AS_M4),
    Kind.FLOAT: Timing(1, 2, source=_MEASURED),
    Kind.FLOAT_MULTIPLY_ADD: Timing(1, 3, source=_MEASURED),
    Kind.FLOAT_DIVIDE: Timing(14, 14, source=_AS_M4),
    Kind.FLOAT_LOAD: Timing(1, 1, per_word=1, source=_MEASURED),
    Kind.FLOAT_STORE: Timing(1, 1, per_word=1, source=_MEASURED),
    Kind.FLOAT_LOAD_MULTIPLE: Timing(1, 1, per_word=1, source=_MEASURED),
    Kind.FLOAT_STORE_MULTIPLE: Timing(1, 1, per_word=1, source=_MEASURED),
}


def _pairs(first: Instruction, second: Instruction) -> bool:
    if first.size != 2 or second.size != 2:
        return False
    return second.kind in (Kind.BRANCH, Kind.IF_THEN, Kind.HINT) and first.kind not in (Kind.BRANCH, Kind.HINT)


def table(multiplier_cycles: int) -> CycleTable:
    """`multiplier_cycles` has no meaning here: the multiplier takes one cycle."""
    return CycleTable(
        core="cortex-m33",
        version="2",
        costs={Kind.ALU: Cost(1, _MEASURED)},
        refill={
            Kind.BRANCH: Cost(1, f"{_MEASURED}: taken branch 1 to 2"),
            Kind.CALL: Cost(1, f"{_MEASURED}: taken branch 1 to 2"),
            Kind.INDIRECT_BRANCH: Cost(2, _AS_M4),
            Kind.INDIRECT_CALL: Cost(2, _AS_M4),
            Kind.TABLE_BRANCH: Cost(2, _AS_M4),
        },
        load_pc=Cost(3, _AS_M4),
        exceptions=three_stages("Arm 100230; as on the Cortex-M4"),
        branch_rules=(BranchRule("flags set right before", 1, rules.flags_set_before_pair, _MEASURED),),
        pipeline=Pipeline(_TIMINGS, _pairs, early_cycles=0, shifted_latency=2),
    )
