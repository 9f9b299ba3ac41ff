"""Stack use from outside: the stack area is painted before reset and looked at when the run is over."""

from __future__ import annotations

from harness.emulator import STACK_PAINT

_WORD = 4


def high_water_mark(stack: bytes) -> int | None:
    """The most bytes of stack in use at any time; None when no stack area was painted.

    `stack` is the whole area, lowest address first. A value that happens to equal the paint, at the deepest point,
    hides at most the words it fills.
    """
    if not stack:
        return None
    untouched = len(stack) - len(stack.lstrip(bytes([STACK_PAINT])))
    return len(stack) - untouched // _WORD * _WORD
