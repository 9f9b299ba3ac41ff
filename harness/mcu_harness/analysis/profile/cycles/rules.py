"""Conditions that rules of cycle tables are built from: facts about neighbouring instructions, without figures."""

from __future__ import annotations

from collections.abc import Sequence

from mcu_harness.analysis.profile.instructions import Instruction
from mcu_harness.hardware.arm.instruction_kinds import Kind

Before = Sequence[Instruction]

_LOADS = (Kind.LOAD, Kind.FLOAT_LOAD)
_STORES = (Kind.STORE, Kind.FLOAT_STORE)
_MEMORY = (*_LOADS, *_STORES, Kind.LOAD_MULTIPLE, Kind.STORE_MULTIPLE)


def second_of_two_loads(this: Instruction, before: Before) -> bool:
    """A single load right after a single load whose result is not its address."""
    if not before or this.kind not in _LOADS or before[0].kind not in _LOADS:
        return False
    return not this.address_registers & before[0].results


def store_of_load(this: Instruction, before: Before) -> bool:
    """A single store of the value that the single load right before it brings."""
    if not before or this.kind is not Kind.STORE or before[0].kind is not Kind.LOAD:
        return False
    return bool((this.reads - this.address_registers) & before[0].results)


def address_from_alu(this: Instruction, before: Before) -> bool:
    """The address comes from the computation right before."""
    if not before or before[0].kind in _MEMORY:
        return False
    return bool(this.address_registers & before[0].writes)


def load_after_store(this: Instruction, before: Before) -> bool:
    """A single load right after a single store."""
    return bool(before) and this.kind in _LOADS and before[0].kind in _STORES


def store_after_store(this: Instruction, before: Before) -> bool:
    """A single store right after a single store: the write buffer holds one."""
    return bool(before) and this.kind in _STORES and before[0].kind in _STORES


def adds_to_last_product(this: Instruction, before: Before) -> bool:
    """A multiplication that adds to what the multiplication right before it computed."""
    return (
        bool(before)
        and before[0].kind in (Kind.MULTIPLY_ADD, Kind.LONG_MULTIPLY_ADD)
        and bool(this.accumulates & before[0].writes)
    )


def third_unaligned_wide(this: Instruction, before: Before) -> bool:
    """The third in a run of 32-bit instructions that all straddle two words: once a run, and not behind a load or store
    in it, while which fetching catches up.
    """
    run = [_straddles(instruction) for instruction in (this, *before)]
    if len(run) < 3 or not all(run[:3]) or (len(run) > 3 and run[3]):
        return False
    return not any(instruction.kind in _MEMORY for instruction in before[:2])


def folded_if_then(this: Instruction, before: Before) -> bool:
    """IT in the upper half of a word whose lower half is a 16-bit instruction."""
    return this.kind is Kind.IF_THEN and this.address % 4 == 2 and bool(before) and before[0].size == 2


def flags_just_set(last: Instruction, before: Before, target: Instruction) -> bool:
    """A conditional branch on flags that the instruction right before it sets; not to a target that hides it."""
    if last.kind is not Kind.BRANCH or not last.needs_flags or not before or not before[0].sets_flags:
        return False
    return not (target.size == 2 and target.address % 4 == 0)


def flags_set_before_pair(last: Instruction, before: Before, target: Instruction) -> bool:
    """A narrow branch that could start together with a narrow instruction before it, but for the flags that this sets."""
    if last.size != 2 or not before or before[0].size != 2:
        return False
    return before[0].sets_flags


def late_to_straddling_target(last: Instruction, before: Before, target: Instruction) -> bool:
    """The target is a 32-bit instruction that lies in two words, and the branch waited for flags or a register."""
    return _straddles(target) and not _early(last, before)


def early_to_straddling_target(last: Instruction, before: Before, target: Instruction) -> bool:
    """As `late_to_straddling_target`, from a branch that waited for nothing."""
    return _straddles(target) and _early(last, before)


def _early(last: Instruction, before: Before) -> bool:
    """Whether the target of the branch `last` is known before it executes."""
    if last.kind not in (Kind.BRANCH, Kind.CALL):
        return False
    return not (last.needs_flags and bool(before) and before[0].sets_flags)


def _straddles(instruction: Instruction) -> bool:
    return instruction.size == 4 and instruction.address % 4 == 2
