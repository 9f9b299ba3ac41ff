"""Cortex-M4, with FPU where there is one: Arm's table and the rules of its pipeline, without wait states."""

from __future__ import annotations

from mcu_harness.analysis.profile.cycles import pipeline3 as pipeline
from mcu_harness.analysis.profile.cycles import rules
from mcu_harness.analysis.profile.cycles.cost import Cost
from mcu_harness.analysis.profile.cycles.cycle_table import CycleTable, NeighbourRule
from mcu_harness.analysis.profile.cycles.exceptions import three_stages
from mcu_harness.hardware.arm.instruction_kinds import Kind

_TRM = "Arm DDI 0439, Cortex-M4 Technical Reference Manual, table 3-1"
_FPU = "Arm DDI 0439, Cortex-M4 Technical Reference Manual, table 7-1"


_CHAINED = NeighbourRule(
    "sum of products goes on with the last one",
    0.75,
    rules.adds_to_last_product,
    "measured: MLPerf Tiny images on STM32L4R5, anomaly detection, between 0.65 and 0.75 a time; why, is not known",
)


def table(multiplier_cycles: int) -> CycleTable:
    """`multiplier_cycles` has no meaning here: the multiplier takes one cycle."""
    return CycleTable(
        core="cortex-m4",
        version="3",
        costs={
            Kind.ALU: Cost(1, _TRM),
            Kind.MULTIPLY: Cost(1, _TRM),
            Kind.MULTIPLY_ADD: Cost(1, _TRM),
            Kind.LONG_MULTIPLY: Cost(1, _TRM),
            Kind.LONG_MULTIPLY_ADD: Cost(1, _TRM),
            Kind.DIVIDE: Cost(8, f"{_TRM}: 2 to 12; {pipeline.MEASURED}: about 8 even for small quotients"),
            Kind.LOAD: Cost(2, _TRM),
            Kind.STORE: Cost(
                1,
                f"{_TRM}: 2, or 1 through the write buffer, but for STR [reg,reg]; {pipeline.MEASURED}",
                register_offset=1,
            ),
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
            Kind.FLOAT: Cost(1, _FPU),
            Kind.FLOAT_MULTIPLY_ADD: Cost(3, _FPU),
            Kind.FLOAT_DIVIDE: Cost(14, _FPU),
            Kind.FLOAT_LOAD: Cost(1, _FPU, per_word=1),
            Kind.FLOAT_STORE: Cost(1, _FPU, per_word=1),
            Kind.FLOAT_LOAD_MULTIPLE: Cost(1, _FPU, per_word=1),
            Kind.FLOAT_STORE_MULTIPLE: Cost(1, _FPU, per_word=1),
        },
        refill=pipeline.REFILL,
        load_pc=pipeline.LOAD_PC,
        exceptions=three_stages("Arm DDI 0439, 3.9.1"),
        neighbour_rules=(*pipeline.NEIGHBOUR_RULES, _CHAINED),
        branch_rules=pipeline.BRANCH_RULES,
    )
