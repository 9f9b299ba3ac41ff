"""Cortex-M33: Arm publishes no table; a first one from published measurements. Its limited dual issue is left out."""

from __future__ import annotations

from harness.profile.cycles import rules
from harness.profile.cycles.table import CoreTable, Cost, NeighbourRule
from harness.profile.kinds import Kind

_MEASURED = "jnk0le/random, pipeline cycle test, cortex_m33.md"
_AS_M4 = "assumed as on the Cortex-M4 (Arm DDI 0439)"


def table(multiplier_cycles: int) -> CoreTable:
    """`multiplier_cycles` has no meaning here: the multiplier takes one cycle."""
    return CoreTable(
        core="cortex-m33",
        version="1",
        status="not validated",
        costs={
            Kind.ALU: Cost(1, _MEASURED),
            Kind.MULTIPLY: Cost(1, _MEASURED),
            Kind.MULTIPLY_ADD: Cost(1, _MEASURED),
            Kind.LONG_MULTIPLY: Cost(1, _MEASURED),
            Kind.LONG_MULTIPLY_ADD: Cost(1, _MEASURED),
            Kind.DIVIDE: Cost(6, "assumed: between 2 and 11"),
            Kind.LOAD: Cost(1, f"{_MEASURED}: 2 where the next instruction needs the value"),
            Kind.STORE: Cost(1, _MEASURED),
            Kind.LOAD_MULTIPLE: Cost(1, _AS_M4, per_word=1),
            Kind.STORE_MULTIPLE: Cost(1, _AS_M4, per_word=1),
            Kind.TABLE_BRANCH: Cost(2, _AS_M4),
            Kind.FLOAT_MULTIPLY_ADD: Cost(3, _AS_M4),
            Kind.FLOAT_DIVIDE: Cost(14, _AS_M4),
            Kind.FLOAT_LOAD: Cost(0, _AS_M4, per_word=1),
            Kind.FLOAT_STORE: Cost(0, _AS_M4, per_word=1),
            Kind.FLOAT_LOAD_MULTIPLE: Cost(1, _AS_M4, per_word=1),
            Kind.FLOAT_STORE_MULTIPLE: Cost(1, _AS_M4, per_word=1),
        },
        refill={
            Kind.BRANCH: Cost(1, f"{_MEASURED}: taken branch 1 to 2"),
            Kind.CALL: Cost(1, f"{_MEASURED}: taken branch 1 to 2"),
            Kind.INDIRECT_BRANCH: Cost(2, _AS_M4),
            Kind.INDIRECT_CALL: Cost(2, _AS_M4),
            Kind.TABLE_BRANCH: Cost(2, _AS_M4),
        },
        load_pc=Cost(3, _AS_M4),
        exception=Cost(12, _AS_M4),
        neighbour_rules=(NeighbourRule("loaded value used by the next", 1, rules.uses_load, _MEASURED),),
    )
