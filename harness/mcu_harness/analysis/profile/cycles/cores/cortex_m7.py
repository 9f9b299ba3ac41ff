"""Cortex-M7: Arm publishes no table; a pipeline of two instructions a cycle from published measurements.

Branches are taken as predicted right; caches and tightly coupled memories are a term of their own.
"""

from __future__ import annotations

from mcu_harness.analysis.profile.cycles.cost import Cost
from mcu_harness.analysis.profile.cycles.cycle_table import CycleTable
from mcu_harness.analysis.profile.cycles.exceptions import three_stages
from mcu_harness.analysis.profile.cycles.inorder import Pipeline, Timing
from mcu_harness.analysis.profile.instructions import Instruction
from mcu_harness.hardware.arm.instruction_kinds import Kind

_MEASURED = "jnk0le/random, pipeline cycle test, cortex_m7.md, on a STM32H743; quinapalus.com, cm7cycles"
_ASSUMED = "assumed: predicted right"

_TIMINGS = {
    Kind.BITS: Timing(1, 1, source=_MEASURED),
    Kind.MULTIPLY: Timing(1, 2, source=_MEASURED),
    Kind.MULTIPLY_ADD: Timing(1, 2, source=_MEASURED),
    Kind.LONG_MULTIPLY: Timing(1, 2, source=_MEASURED),
    Kind.LONG_MULTIPLY_ADD: Timing(1, 2, source=_MEASURED),
    Kind.DIVIDE: Timing(7, 7, source=f"{_MEASURED}: 3 to 20"),
    Kind.LOAD: Timing(1, 1, narrow_latency=2, source=_MEASURED),
    Kind.LOAD_MULTIPLE: Timing(1, 1, per_word=0.5, source=_MEASURED),
    Kind.STORE_MULTIPLE: Timing(1, 1, per_word=0.5, source=_MEASURED),
    Kind.TABLE_BRANCH: Timing(3, 3, source=_MEASURED),
    Kind.FLOAT: Timing(1, 3, source=_MEASURED),
    Kind.FLOAT_MULTIPLY_ADD: Timing(1, 3, source=_MEASURED),
    Kind.FLOAT_DIVIDE: Timing(16, 16, source=_MEASURED),
    Kind.FLOAT_LOAD: Timing(1, 2, source=_MEASURED),
    Kind.FLOAT_LOAD_MULTIPLE: Timing(1, 2, per_word=0.5, source=_MEASURED),
    Kind.FLOAT_STORE_MULTIPLE: Timing(1, 1, per_word=0.5, source=_MEASURED),
}
_ALONE = (
    Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE, Kind.DIVIDE, Kind.TABLE_BRANCH, Kind.IF_THEN, Kind.SYSTEM, Kind.BARRIER,
    Kind.FLOAT_LOAD_MULTIPLE, Kind.FLOAT_STORE_MULTIPLE, Kind.FLOAT_DIVIDE,
)  # fmt: skip
_MULTIPLIES = (Kind.MULTIPLY, Kind.MULTIPLY_ADD, Kind.LONG_MULTIPLY, Kind.LONG_MULTIPLY_ADD)
_STORES = (Kind.STORE, Kind.FLOAT_STORE)
_FLOATS = (Kind.FLOAT, Kind.FLOAT_MULTIPLY_ADD)
_BRANCHES = (Kind.BRANCH, Kind.CALL, Kind.INDIRECT_BRANCH, Kind.INDIRECT_CALL)
# 16-bit instructions shift what comes after them by half a pair of words now and then ("slippery" in the source).
_NARROW = 0.1875  # measured: MLPerf Tiny images on STM32F746 and STM32H7A3; a binary fraction, so that sums are exact
# Of each of these groups, only one can start in a cycle.
_ONE_OF = (_MULTIPLIES, _STORES, _FLOATS, (Kind.BITS,), _BRANCHES)


def _pairs(first: Instruction, second: Instruction) -> bool:
    if first.kind in _ALONE or second.kind in _ALONE:
        return False
    if any(first.kind in group and second.kind in group for group in _ONE_OF):
        return False
    if {first.kind, second.kind} & set(_MULTIPLIES) and {first.kind, second.kind} & set(_STORES):
        return False
    if first.kind is Kind.LOAD and second.kind is Kind.LOAD and (first.displacement ^ second.displacement) & 4 == 0:
        return False  # the same bank
    if _shifts(first) and _shifts(second):
        return False
    if second.needs_flags and first.sets_flags and second.kind is not Kind.BRANCH:
        return False
    stored = second.reads - second.address_registers if second.kind in _STORES else frozenset()
    return not (second.reads - stored) & first.writes and not second.writes & first.writes


def _shifts(instruction: Instruction) -> bool:
    return instruction.kind is Kind.BITS or bool(instruction.early) or instruction.shifted_constant


def table(multiplier_cycles: int) -> CycleTable:
    """`multiplier_cycles` has no meaning here: the multiplier takes one cycle."""
    return CycleTable(
        core="cortex-m7",
        version="2",
        costs={Kind.ALU: Cost(1, _MEASURED)},
        refill={
            Kind.BRANCH: Cost(0, _ASSUMED),
            Kind.CALL: Cost(0, _ASSUMED),
            Kind.INDIRECT_BRANCH: Cost(1, _ASSUMED),
            Kind.INDIRECT_CALL: Cost(1, _ASSUMED),
            Kind.TABLE_BRANCH: Cost(2, _MEASURED),
        },
        load_pc=Cost(2, _ASSUMED),
        exceptions=three_stages("Arm DDI 0489"),
        pipeline=Pipeline(_TIMINGS, _pairs, early_cycles=1, early_addresses=True, narrow_extra=_NARROW),
        mispredicted=Cost(8, f"{_MEASURED}: 6 to 8"),
    )
