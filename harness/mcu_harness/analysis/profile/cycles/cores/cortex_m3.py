"""Cortex-M3: Arm's table, with the pipeline rules measured on the Cortex-M4, which has the same pipeline."""

from __future__ import annotations

from mcu_harness.analysis.profile.cycles import pipeline3 as pipeline
from mcu_harness.analysis.profile.cycles.cost import Cost
from mcu_harness.analysis.profile.cycles.cycle_table import CycleTable
from mcu_harness.analysis.profile.cycles.exceptions import three_stages
from mcu_harness.hardware.arm.instruction_kinds import Kind

_TRM = "Arm DDI 0337, Cortex-M3 Technical Reference Manual, table 3-1"


def table(multiplier_cycles: int) -> CycleTable:
    """`multiplier_cycles` has no meaning here: the multiplier takes one cycle."""
    return CycleTable(
        core="cortex-m3",
        version="2",
        costs={
            Kind.ALU: Cost(1, _TRM),
            Kind.MULTIPLY: Cost(1, _TRM),
            Kind.MULTIPLY_ADD: Cost(2, _TRM),
            Kind.LONG_MULTIPLY: Cost(4, f"{_TRM}: 3 to 5"),
            Kind.LONG_MULTIPLY_ADD: Cost(5.5, f"{_TRM}: 4 to 7"),
            Kind.DIVIDE: Cost(7, f"{_TRM}: 2 to 12"),
            Kind.LOAD: Cost(2, _TRM),
            Kind.STORE: Cost(1, f"{_TRM}: 2, or 1 through the write buffer, but for STR [reg,reg]", register_offset=1),
            Kind.LOAD_MULTIPLE: Cost(1, _TRM, per_word=1),
            Kind.STORE_MULTIPLE: Cost(1, _TRM, per_word=1),
            Kind.BRANCH: Cost(1, _TRM),
            Kind.CALL: Cost(1, _TRM),
            Kind.INDIRECT_BRANCH: Cost(1, _TRM),
            Kind.INDIRECT_CALL: Cost(1, _TRM),
            Kind.TABLE_BRANCH: Cost(2, _TRM),
            Kind.IF_THEN: Cost(1, _TRM),
            Kind.SYSTEM: Cost(1, f"{_TRM}: 1 or 2"),
            Kind.BARRIER: Cost(1, f"{_TRM}: 1+B"),
            Kind.HINT: Cost(1, _TRM),
        },
        refill=pipeline.REFILL,
        load_pc=pipeline.LOAD_PC,
        exceptions=three_stages("Arm DDI 0337, 5.9"),
        neighbour_rules=pipeline.NEIGHBOUR_RULES,
        branch_rules=pipeline.BRANCH_RULES,
    )
