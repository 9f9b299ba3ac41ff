"""Compiled: what a step between two blocks does to the stack of calls, and which calling context it leads to.

The rules are those that `block_recorder` names.
"""

from __future__ import annotations

from mcu_harness.emulator.recorder.layout import (
    EACH_CALL,
    EXCEPTION,
    GROW_FRAMES,
    HANDLER,
    JUMP,
    KIND_MASK,
    NO_STACK,
    POP,
    PUSH,
    ROOT,
    SLOW,
    STAY,
    Edge,
    State,
)
from mcu_harness.emulator.recorder.native import call, inlined, inner, peek32
from mcu_harness.emulator.recorder.native_tables import (
    BLOCK_BYTES,
    CONTEXT_BYTES,
    FRAME_BYTES,
    block_at,
    child,
    context_at,
    frame_at,
)
from mcu_harness.hardware.arm.thumb import CALL, RETURN


@inner
def _push(s: State, return_to: int, caller: int, block: int) -> None:
    depth = s.depth
    if depth >= s.frame_room:
        call(s.grow, GROW_FRAMES, 0, 0)
    frame = frame_at(s.frames + depth * FRAME_BYTES)
    frame.return_to = return_to
    frame.caller = caller
    frame.caller_block = block
    s.depth = depth + 1


@inner
def _in_chain(s: State, context: int, function: int) -> int:
    """`context` or the one it was tail-called from, whichever runs `function`; 0 when none does."""
    contexts = s.contexts
    while context != 0:
        row = context_at(contexts + context * CONTEXT_BYTES)
        if row.function == function:
            return context
        if row.tail == 0:
            return 0
        context = row.parent
    return 0


@inner
def _jump(s: State, context: int, kind: int, address: int, function: int) -> tuple[int, int]:
    """(context, action) after a jump that is neither a call nor a return to a known return address."""
    here = context_at(s.contexts + context * CONTEXT_BYTES).function
    action = JUMP if kind == RETURN else STAY
    depth = s.depth
    if function == -1:
        if kind == RETURN and depth > 0:  # compilers' switch helpers return past the table that follows the call
            top = frame_at(s.frames + (depth - 1) * FRAME_BYTES)
            distance = address - top.return_to
            if top.return_to != EXCEPTION and 0 < distance < 512:
                s.depth = depth - 1
                return top.caller, SLOW
        return context, action
    if function == here:
        return context, action
    found = _in_chain(s, context, function)
    if found != 0:
        return found, action
    if address != function and kind == RETURN:  # longjmp, or a return to elsewhere in a caller
        i = depth - 1
        while i >= 0:
            found = _in_chain(s, frame_at(s.frames + i * FRAME_BYTES).caller, function)
            if found != 0:
                s.depth = i
                return found, SLOW
            i -= 1
        if depth == 0:  # returned from where the window began
            return child(s, ROOT, function, 0, function, 0), SLOW
    return child(s, context, function, 1, function, 0), action


@inner
def _is_expected(s: State, previous: int, address: int) -> bool:
    """Whether `address` can follow block `previous` without an exception."""
    row = block_at(s.blocks + previous * BLOCK_BYTES)
    if previous == 0 or row.end == address or row.target == address:
        return True
    kind = row.kind & KIND_MASK
    if kind == CALL:
        return row.target == -1
    depth = s.depth
    return kind == RETURN and depth > 0 and frame_at(s.frames + (depth - 1) * FRAME_BYTES).return_to == address


@inner
def resolve(s: State, context: int, previous: int, current: int, address: int) -> tuple[int, int]:
    """(context, action) of going from block `previous` in `context` to block `current`; keeps the stack of calls."""
    blocks = s.blocks
    entered = block_at(blocks + current * BLOCK_BYTES)
    function = entered.function
    is_handler = s.interrupts != 0 and entered.kind & HANDLER != 0
    slow = False
    while True:
        row = block_at(blocks + previous * BLOCK_BYTES)
        kind = row.kind & KIND_MASK
        depth, frames = s.depth, s.frames
        ends_exception = (
            kind == RETURN and depth > 0 and frame_at(frames + (depth - 1) * FRAME_BYTES).return_to == EXCEPTION
        )
        if is_handler and not ends_exception and not _is_expected(s, previous, address):
            _push(s, EXCEPTION, context, previous)
            return child(s, context, address, 0, function, 0), SLOW
        if kind == CALL and address != row.end and row.target in (-1, address):
            _push(s, row.end, context, previous)
            each = entered.kind & EACH_CALL
            return child(s, context, address, 0, function, each), SLOW if slow or each else PUSH
        if kind != RETURN:
            to, action = _jump(s, context, kind, address, function)
            return to, SLOW if slow else action
        i = depth - 1
        while i >= 0 and frame_at(frames + i * FRAME_BYTES).return_to not in (address, EXCEPTION):
            i -= 1
        frame = frame_at(frames + i * FRAME_BYTES)
        if i >= 0 and frame.return_to == address:
            s.depth = i
            return frame.caller, POP if i == depth - 1 and not slow else SLOW
        stays = (
            not is_handler and function != -1 and function == context_at(s.contexts + context * CONTEXT_BYTES).function
        )
        if i < 0 or stays or address == row.end:
            to, action = _jump(s, context, kind, address, function)
            return to, SLOW if slow else action
        # The end of an exception: go on from where it came.
        s.depth = i
        context, previous = frame.caller, frame.caller_block
        slow = True


@inlined
def repeat(s: State, last: Edge, e: Edge, action: int, address: int) -> bool:
    """Do to the stack of calls what edge `e`, after `last`, did before; False when that would be wrong this time."""
    depth = s.depth
    if action == PUSH:
        if depth >= s.frame_room:
            return False
        frame = frame_at(s.frames + depth * FRAME_BYTES)
        frame.return_to = last.end
        frame.caller = last.to_context
        s.depth = depth + 1
        return True
    if depth == 0:
        return action == JUMP
    frame = frame_at(s.frames + (depth - 1) * FRAME_BYTES)
    if action == POP:
        if frame.return_to != address or frame.caller != e.to_context:
            return False
        s.depth = depth - 1
        return True
    return frame.return_to != address and frame.return_to != EXCEPTION


@inlined
def note_stack(s: State, e: Edge) -> None:
    """Keep the stack pointer that edge `e`, the last, is taken with: if it is the lowest in the stack's area, or of its task."""
    pointer = peek32(s.stack_pointer)
    above = (pointer - s.stack_low) & NO_STACK
    if above < e.lowest:
        e.lowest = above
    if pointer < s.task_lowest:
        s.task_lowest = pointer
        s.task_edge = s.edge


@inner
def left_frame(s: State, current: int, address: int) -> bool:
    """Whether the window's function is off the stack before this new step: above its frame, or in the middle of its caller."""
    above = (peek32(s.stack_pointer) - s.frame_end) & NO_STACK
    if above >= s.frame_span:
        return False
    function = block_at(s.blocks + current * BLOCK_BYTES).function
    if above == 0 and (function != s.frame_caller or function == address):
        return False
    s.frame_left = s.frame_leaves = 1
    return True
