"""Stack use from outside: the stack area is painted before reset and looked at when the run is over."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.emulator.contract import STACK_PAINT, Execution

_WORD = 4
# In an image without symbols, a stretch of paint as long as this ends what lies below the stack.
_LEAST_GAP_BYTES = 64


def above_heap(execution: Execution, limit: int, is_known: bool) -> Execution:
    """`execution` with a stack area that begins above the heap, where it has one.

    `limit` is where the area began. Unless `is_known` what the image keeps in RAM, the area's lower part may hold that
    as well: then the stack is taken to begin above the longest stretch that was never touched.
    """
    cut = 0
    if execution.heap is not None:
        cut = min(max(0, execution.heap[1] - limit), len(execution.stack_bytes))
    elif not is_known:
        # In memory as it was left: what lies below the stack is data, whoever wrote it.
        start, size = _longest_paint(execution.stack_bytes)
        cut = start if size >= _LEAST_GAP_BYTES else 0
    execution = without_foreign_writes(execution, limit)
    return replace(execution, stack_bytes=execution.stack_bytes[cut:]) if cut else execution


def without_foreign_writes(execution: Execution, limit: int) -> Execution:
    """`execution` with the paint put back that something else than a stack overwrote, where the stack pointer is known.

    A program may fill its RAM at the start (for its error correction), or paint its stack itself. Nothing on a stack lies
    below the lowest stack pointer; above that, paint tells what was really written.
    """
    reached = execution.lowest_stack
    stack = execution.stack_bytes
    if reached is None or not stack:
        return execution
    below = max(0, min(reached - limit, len(stack)))
    if stack[:below] == bytes([STACK_PAINT]) * below:
        return execution
    return replace(execution, stack_bytes=bytes([STACK_PAINT]) * below + stack[below:])


def _longest_paint(stack: bytes) -> tuple[int, int]:
    """Where the longest stretch of untouched bytes starts, and its length."""
    best = (0, 0)
    at = stack.find(STACK_PAINT)
    while at >= 0:
        size = len(stack) - at - len(stack[at:].lstrip(bytes([STACK_PAINT])))
        if size > best[1]:
            best = (at, size)
        at = stack.find(STACK_PAINT, at + size)
    return best


def high_water_mark(stack: bytes) -> int | None:
    """The most bytes of stack in use at any time; None when no stack area was painted.

    `stack` is the whole area, lowest address first. A value that happens to equal the paint, at the deepest point,
    hides at most the words it fills.
    """
    if not stack:
        return None
    untouched = len(stack) - len(stack.lstrip(bytes([STACK_PAINT])))
    return len(stack) - untouched // _WORD * _WORD
