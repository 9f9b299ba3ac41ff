"""Cortex-M0: Arm's instruction timing, complete for memories without wait states."""

from __future__ import annotations

from mcu_harness.analysis.profile.cycles.cost import Cost
from mcu_harness.analysis.profile.cycles.cycle_table import CycleTable
from mcu_harness.analysis.profile.cycles.exceptions import baseline
from mcu_harness.hardware.arm.instruction_kinds import Kind

_TRM = "Arm DDI 0432, Cortex-M0 Technical Reference Manual, table 3-1"


def table(multiplier_cycles: int) -> CycleTable:
    """`multiplier_cycles` is 1 or 32: a choice of whoever made the part."""
    return CycleTable(
        core="cortex-m0",
        version="1",
        costs={
            Kind.ALU: Cost(1, _TRM),
            Kind.MULTIPLY: Cost(multiplier_cycles, _TRM),
            Kind.LOAD: Cost(2, _TRM),
            Kind.STORE: Cost(2, _TRM),
            Kind.LOAD_MULTIPLE: Cost(1, _TRM, per_word=1),
            Kind.STORE_MULTIPLE: Cost(1, _TRM, per_word=1),
            Kind.BRANCH: Cost(1, _TRM),
            Kind.CALL: Cost(1, _TRM),
            Kind.INDIRECT_BRANCH: Cost(1, _TRM),
            Kind.INDIRECT_CALL: Cost(1, _TRM),
            Kind.SYSTEM: Cost(4, _TRM),
            Kind.BARRIER: Cost(4, _TRM),
            Kind.HINT: Cost(1, _TRM),
        },
        refill={
            Kind.BRANCH: Cost(2, f"{_TRM}: B 3 when taken"),
            Kind.CALL: Cost(3, f"{_TRM}: BL 4"),
            Kind.INDIRECT_BRANCH: Cost(2, f"{_TRM}: BX 3, MOV pc 3"),
            Kind.INDIRECT_CALL: Cost(2, f"{_TRM}: BLX 3"),
        },
        load_pc=Cost(3, f"{_TRM}: POP with pc 4+N, N with pc counted"),
        exceptions=baseline(16, "Arm DDI 0432"),
    )
