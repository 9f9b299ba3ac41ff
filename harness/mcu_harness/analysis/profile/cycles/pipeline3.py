"""What Cortex-M3 and Cortex-M4 share: a three-stage pipeline, one instruction at a time, a prefetch unit of three words.

Figures from "measured" were fitted against cycles of Embench-IoT 2.0 on an STM32F407 at zero wait states
(embench/embench-iot, baseline-data/speed.json); Arm's manuals leave them open or give a range.
"""

from __future__ import annotations

from mcu_harness.analysis.profile.cycles import rules
from mcu_harness.analysis.profile.cycles.cost import Cost
from mcu_harness.analysis.profile.cycles.cycle_table import BranchRule, NeighbourRule
from mcu_harness.hardware.arm.instruction_kinds import Kind

MEASURED = "measured: Embench-IoT 2.0 on STM32F407"

NEIGHBOUR_RULES = (
    NeighbourRule(
        "neighbouring loads pair", -1, rules.second_of_two_loads,
        f"Arm DDI 0439, 3.3.3: load-store timings; {MEASURED}",
    ),
    NeighbourRule("load directly after a store", 1, rules.load_after_store, MEASURED),
    NeighbourRule("store directly after a store", 1, rules.store_after_store, MEASURED),
    NeighbourRule("store of what was loaded right before", 1, rules.store_of_load, MEASURED),
    NeighbourRule("result used as address by the next", 2, rules.address_from_alu, MEASURED),
    NeighbourRule("three straddling 32-bit instructions in a row", 1, rules.third_unaligned_wide, MEASURED),
    NeighbourRule("folded IT", -1, rules.folded_if_then, f"Arm DDI 0439, table 3-1: IT folding; {MEASURED}"),
)  # fmt: skip

BRANCH_RULES = (
    BranchRule("flags set right before the branch", 1, rules.flags_just_set, MEASURED),
    BranchRule("late, to a straddling 32-bit instruction", 1, rules.late_to_straddling_target, MEASURED),
    BranchRule("early, to a straddling 32-bit instruction", 0.5, rules.early_to_straddling_target, MEASURED),
)

REFILL = {
    Kind.BRANCH: Cost(1, MEASURED),
    Kind.CALL: Cost(1, MEASURED),
    Kind.INDIRECT_BRANCH: Cost(2, MEASURED),
    Kind.INDIRECT_CALL: Cost(2, MEASURED),
    Kind.TABLE_BRANCH: Cost(2, "Arm DDI 0439, table 3-1: 2+P, P as of an indirect branch"),
}
LOAD_PC = Cost(4, MEASURED)
