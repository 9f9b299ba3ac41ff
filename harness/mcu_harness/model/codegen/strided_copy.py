"""Data movement as one nest of loops: which bytes go where, with everything that is contiguous merged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAX_LOOPS = 8  # MCU_COPY_DIMENSIONS of mcu_copy_strided.h


@dataclass(frozen=True, slots=True)
class Loop:
    """`count` repetitions, with the steps of destination and source in bytes (0 and negative ones too)."""

    count: int
    destination_step: int
    source_step: int


@dataclass(frozen=True, slots=True)
class StridedCopy:
    """Runs of `run_bytes` bytes under `loops`, outermost first; offsets in bytes say where the first run lies.

    No loops: one contiguous copy. `run_bytes` 0: nothing to copy.
    """

    loops: tuple[Loop, ...]
    run_bytes: int
    destination_offset: int = 0
    source_offset: int = 0


def row_major_steps(shape: Sequence[int], element_bytes: int) -> tuple[int, ...]:
    """Distance in bytes between neighbours along each dimension of a dense array."""
    return tuple(element_bytes * math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def strided_copy(
    loops: Iterable[Loop], element_bytes: int, *, destination_offset: int = 0, source_offset: int = 0
) -> StridedCopy:
    """The shortest nest that does the same as `loops` (outermost first) around an element of `element_bytes`.

    Loops that run once disappear, neighbours that walk evenly in both layouts become one, and inner loops over
    contiguous bytes become the run. Of what remains the longest loop becomes the innermost, where looping is cheapest
    (the order does not matter to the result, because nothing is written twice).
    """
    merged: list[Loop] = []
    for loop in loops:
        if loop.count == 0:
            return StridedCopy((), 0, destination_offset, source_offset)
        if loop.count == 1:
            continue
        if merged and _continues(merged[-1], loop):
            loop = Loop(merged.pop().count * loop.count, loop.destination_step, loop.source_step)
        merged.append(loop)
    run_bytes = element_bytes
    while merged and merged[-1].destination_step == merged[-1].source_step == run_bytes:
        run_bytes *= merged.pop().count
    if merged:
        merged.append(merged.pop(max(range(len(merged)), key=lambda index: merged[index].count)))
    return StridedCopy(tuple(merged), run_bytes, destination_offset, source_offset)


def _continues(outer: Loop, inner: Loop) -> bool:
    """Whether the end of the inner loop is where the next turn of the outer one begins, in both layouts."""
    return (
        outer.destination_step == inner.count * inner.destination_step
        and outer.source_step == inner.count * inner.source_step
    )
