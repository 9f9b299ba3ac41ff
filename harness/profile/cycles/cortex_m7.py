"""Cortex-M7: Arm publishes no table; a first one from published measurements, with its dual issue as an average.

Caches and branch prediction are taken as always right; each pair that can start together counts half for its second
instruction, which for a run of n independent instructions gives (n + 1) / 2 cycles.
"""

from __future__ import annotations

from harness.profile.cycles import rules
from harness.profile.cycles.table import CoreTable, Cost, NeighbourRule
from harness.profile.kinds import Kind

_MEASURED = "quinapalus.com, cm7cycles; LLVM ARMScheduleM7.td"
_ASSUMED = "assumed: predicted right"


def table(multiplier_cycles: int) -> CoreTable:
    """`multiplier_cycles` has no meaning here: the multiplier takes one cycle."""
    return CoreTable(
        core="cortex-m7",
        version="1",
        status="not validated",
        costs={
            Kind.ALU: Cost(1, _MEASURED),
            Kind.DIVIDE: Cost(7, f"{_MEASURED}: 3 to 20"),
            Kind.LOAD_MULTIPLE: Cost(1, f"{_MEASURED}: two words a cycle", per_word=0.5),
            Kind.STORE_MULTIPLE: Cost(1, f"{_MEASURED}: two words a cycle", per_word=0.5),
            Kind.TABLE_BRANCH: Cost(3, _MEASURED),
            Kind.FLOAT_DIVIDE: Cost(16, _MEASURED),
            Kind.FLOAT_LOAD_MULTIPLE: Cost(1, f"{_MEASURED}: two words a cycle", per_word=0.5),
            Kind.FLOAT_STORE_MULTIPLE: Cost(1, f"{_MEASURED}: two words a cycle", per_word=0.5),
        },
        refill={
            Kind.BRANCH: Cost(0, _ASSUMED),
            Kind.CALL: Cost(0, _ASSUMED),
            Kind.INDIRECT_BRANCH: Cost(1, _ASSUMED),
            Kind.INDIRECT_CALL: Cost(1, _ASSUMED),
            Kind.TABLE_BRANCH: Cost(2, _MEASURED),
        },
        load_pc=Cost(2, _ASSUMED),
        exception=Cost(12, "Arm DDI 0489: exception entry 12 cycles"),
        neighbour_rules=(
            NeighbourRule("starts together with the previous", -0.5, rules.issues_with_previous, _MEASURED),
            NeighbourRule("loaded value used by the next", 1, rules.uses_load, f"{_MEASURED}: load latency 2"),
            NeighbourRule("product used by the next", 1, rules.uses_multiply, f"{_MEASURED}: multiply latency 2"),
        ),
    )
