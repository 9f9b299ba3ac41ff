"""How much of the stack of each task was in use, with the name of the array that it lies in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mcu_harness.emulator.contract import TaskStack
from mcu_harness.image.object_index import ObjectIndex
from mcu_harness.image.program import Program
from mcu_harness.results.memory_records import TaskStackUse

_LEAST_FILL = 16  # bytes of one value at an array's end: less than that may be a guard against overflow


def task_stack_uses(stacks: Sequence[TaskStack], program: Program) -> tuple[TaskStackUse, ...]:
    """In the order of their addresses.

    An array that holds one stack is as large as that, and less than what was used where the stack has overflowed; of one that holds several (a heap, an array of stacks), the bytes
    between the highest and the lowest stack pointer are known, and the size is not.
    """
    if not stacks:
        return ()
    objects = ObjectIndex(program)
    holders = [objects.at(stack.highest - 1) for stack in stacks]
    shared = Counter(holder.address for holder in holders if holder)
    found = []
    for stack, holder in zip(stacks, holders, strict=True):
        if holder is None:
            found.append(TaskStackUse(f"{stack.lowest:#010x}", stack.highest - stack.lowest, None))
        elif shared[holder.address] > 1 or stack.lowest < holder.address - holder.size:
            name = f"{holder.name} + {max(0, stack.lowest - holder.address):#x}"
            found.append(TaskStackUse(name, stack.highest - stack.lowest, None))
        else:
            lowest = min(stack.lowest, holder.address + _untouched(stack.memory))
            found.append(TaskStackUse(holder.name, holder.address + holder.size - lowest, holder.size))
    return tuple(found)


def _untouched(memory: bytes) -> int:
    """How many bytes at the lower end hold what the whole was filled with; all of them where that is not to be told."""
    fill = len(memory) - len(memory.lstrip(memory[:1]))
    return fill if fill >= _LEAST_FILL else len(memory)
