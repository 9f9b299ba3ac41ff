"""What the block recorder's tables say, taken out of them: counts of single windows, and the calls under way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from harness.emulator import Call
from harness.emulator import recorder_native as native

Words = npt.NDArray[np.int64]

_FIRST_CALLS, _LAST_CALLS = 16, 496  # of very many


def window_counts(
    marks: Sequence[Words], edges: int, left_in: Sequence[int], kept: Words, which: Words, steps: int
) -> Words:
    """Counts as (windows, steps).

    `marks[w]` are the counts of the edges so far, where window w ended; behind the `edges` lie blocks left early, once
    each, in the windows `left_in`. Of all these, row `kept[i]` is of step `which[i]`.
    """
    per_window = np.zeros((len(marks), steps), np.int64)
    before = np.zeros(0, np.int64)
    for window, mark in enumerate(marks):
        counted = np.zeros(edges + len(left_in), np.int64)
        counted[: len(mark)] = mark
        counted[: len(before)] -= before
        counted[edges:] = [left == window for left in left_in]
        np.add.at(per_window[window], which, counted[kept])
        before = mark
    return per_window


def open_calls(frames: Words, contexts: Words, context: int) -> tuple[Call, ...]:
    """The calls that lead to `context`, outermost first; of very many, the first and the last. Empty outside windows."""
    if context == native.OUTSIDE:
        return ()
    if len(frames) > _FIRST_CALLS + _LAST_CALLS:
        frames = np.concatenate([frames[:_FIRST_CALLS], frames[-_LAST_CALLS:]])
    # Frame i was made in the context CALLER, by a call to what the next frame was made in.
    inside = [*frames[1:, native.CALLER // 8].tolist(), context][: len(frames)]
    found = _tail_calls(contexts, int(frames[0, native.CALLER // 8]) if len(frames) else context, 0, None)
    for frame, callee in zip(frames.tolist(), inside, strict=True):
        address = frame[native.RETURN_TO // 8]
        found += _tail_calls(contexts, callee, frame[native.CALLER // 8], None if address < 0 else address)
    return tuple(found)


def _tail_calls(contexts: Words, context: int, caller: int, returns_to: int | None) -> list[Call]:
    """`context` and what it was tail-called from, up to what was called from `caller`."""
    found: list[Call] = []
    while context not in (0, caller):
        row = contexts[context]
        is_tail = bool(row[native.TAIL // 8])
        found.insert(0, Call(int(row[native.ENTRY // 8]), None if is_tail else returns_to))
        if not is_tail:
            break
        context = int(row[native.PARENT // 8])
    return found
