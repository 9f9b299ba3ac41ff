"""Which stack a measured call is on, and whether it still is: the same in every emulator.

Stacks are told apart by the exceptions that switch tasks, and by the arrays that they lie in, so that calls of several tasks may
be under way at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.image.object_index import ObjectIndex

_MAIN_STACK = -1


@dataclass(frozen=True, slots=True)
class Stack:
    """Which stack: the task that uses it, -1 for the main one, and where the array begins that it lies in, None if unknown."""

    task: int
    array: int | None


def stack_in_use(recorder: BlockRecorder, objects: ObjectIndex, pointer: int, on_process_stack: bool) -> Stack:
    """The stack whose pointer is `pointer` now; `objects` are those that stacks may lie in."""
    array = objects.at(pointer - 1)
    task = recorder.exceptions.task if on_process_stack else _MAIN_STACK
    return Stack(task, None if array is None else array.address)


def begins_inside(call: tuple[int, int], new: tuple[int, int], recorder: BlockRecorder) -> bool:
    """Whether a `new` call on the same stack, both as (stack pointer, address to return to), is one inside of `call`.

    It is when it is deeper, or has come by a jump: a tail call has the first one's place to return to.
    """
    (pointer, end), (new_pointer, new_end) = call, new
    jumped = end == new_end and recorder.last_end != new_end
    return new_pointer < pointer or (new_pointer == pointer and jumped)


def returns_from_another(recorder: BlockRecorder, end: int) -> bool:
    """Whether what arrives at `end` now is the return of a call that began inside of the window, which itself was left before.

    An instruction that calls through a pointer comes back to one place from all that it calls. Known only of a window that began while
    no other was open: the calls that led to it are not in the tree then.
    """
    return any(call.returns_to == end for call in recorder.calls())
