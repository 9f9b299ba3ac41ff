"""What the cycles of code go into: waits of memories, loads and stores, multiplications, branches, and the rest.

An instruction's cycles belong to what kind of instruction it is, but for those in which it waits for a result: they
belong to the instruction that the result comes from. What a jump costs beyond the instructions on both sides is a branch's.
"""

from __future__ import annotations

from enum import IntEnum

from mcu_harness.hardware.arm.instruction_kinds import Kind


class Part(IntEnum):
    """A column of what edges cost; the columns together are all of an edge's cycles."""

    WAITS = 0
    MEMORY = 1
    MULTIPLY = 2
    BRANCH = 3
    REST = 4


_KINDS: dict[Part, tuple[Kind, ...]] = {
    Part.MEMORY: (
        Kind.LOAD, Kind.STORE, Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE, Kind.FLOAT_LOAD, Kind.FLOAT_STORE,
        Kind.FLOAT_LOAD_MULTIPLE, Kind.FLOAT_STORE_MULTIPLE,
    ),
    Part.MULTIPLY: (
        Kind.MULTIPLY, Kind.MULTIPLY_ADD, Kind.LONG_MULTIPLY, Kind.LONG_MULTIPLY_ADD, Kind.FLOAT_MULTIPLY_ADD,
    ),
    Part.BRANCH: (
        Kind.BRANCH, Kind.CALL, Kind.INDIRECT_BRANCH, Kind.INDIRECT_CALL, Kind.TABLE_BRANCH,
    ),
}  # fmt: skip

PART_OF_KIND: dict[Kind, Part] = {
    kind: next((part for part, kinds in _KINDS.items() if kind in kinds), Part.REST) for kind in Kind
}
