"""What goes into the block recorder and comes out: functions; counts of single windows, and the calls under way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.contract import Call
from mcu_harness.emulator.recorder import block_hook
from mcu_harness.hardware.arm.stack_effect import deepest_dip
from mcu_harness.hardware.arm.thumb import block_end
from mcu_harness.image.program import Program

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


def forget_repeats(edges: Words) -> None:
    """No edge is likely to be followed by the repetition of a block: the next such step is looked at anew."""
    repeats = np.flatnonzero(edges[:, block_hook.CURRENT // 8] == edges[:, block_hook.PRIOR // 8]) * block_hook.EDGE_ROW
    for column in (block_hook.LIKELY // 8, block_hook.UNLIKELY // 8):
        edges[np.isin(edges[:, column], repeats), column] = 0


def open_calls(frames: Words, contexts: Words, context: int) -> tuple[Call, ...]:
    """The calls that lead to `context`, outermost first; of very many, the first and the last. Empty outside windows."""
    if context == block_hook.OUTSIDE:
        return ()
    if len(frames) > _FIRST_CALLS + _LAST_CALLS:
        frames = np.concatenate([frames[:_FIRST_CALLS], frames[-_LAST_CALLS:]])
    # Frame i was made in the context CALLER, by a call to what the next frame was made in.
    inside = [*frames[1:, block_hook.CALLER // 8].tolist(), context][: len(frames)]
    found = _tail_calls(contexts, int(frames[0, block_hook.CALLER // 8]) if len(frames) else context, 0, None)
    for frame, callee in zip(frames.tolist(), inside, strict=True):
        address = frame[block_hook.RETURN_TO // 8]
        found += _tail_calls(contexts, callee, frame[block_hook.CALLER // 8], None if address < 0 else address)
    return tuple(found)


def _tail_calls(contexts: Words, context: int, caller: int, returns_to: int | None) -> list[Call]:
    """`context` and what it was tail-called from, up to what was called from `caller`."""
    found: list[Call] = []
    while context not in (0, caller):
        row = contexts[context]
        is_tail = bool(row[block_hook.TAIL // 8])
        found.insert(0, Call(int(row[block_hook.ENTRY // 8]), None if is_tail else returns_to))
        if not is_tail:
            break
        context = int(row[block_hook.PARENT // 8])
    return found


def lowest_stack(edges: Words, blocks: Words, code: Sequence[bytes], low: int, high: int) -> int | None:
    """The lowest address that the stack pointer reached, of those in [low, high]; see `BlockRecorder.lowest_stack`.

    None, too, where code moved it by what was only known at run time: how far is not seen then.
    """
    above = edges[:, block_hook.LOWEST // 8]
    inside = edges[above <= high - low]
    if not len(inside):
        return None
    lowest: dict[int, int] = {}
    for block, at in zip(
        inside[:, block_hook.CURRENT // 8].tolist(), inside[:, block_hook.LOWEST // 8].tolist(), strict=True
    ):
        lowest[block] = min(lowest.get(block, at), at)
    dips = {block: deepest_dip(code[block]) for block in lowest}
    known = [lowest[block] - dip for block, dip in dips.items() if dip is not None]
    return low + min(known) if len(known) == len(dips) else None


def function_ranges(program: Program) -> list[tuple[int, int]]:
    """(start, end) of every function, sorted, without overlaps; one without a size ends where the next begins."""
    starts: dict[int, int] = {}
    for symbol in program.symbols:
        if symbol.kind == "function":
            starts[symbol.address] = max(starts.get(symbol.address, 0), symbol.size)
    ordered = sorted(starts.items())
    ranges = []
    for index, (start, size) in enumerate(ordered):
        following = ordered[index + 1][0] if index + 1 < len(ordered) else start + max(size, 1 << 12)
        ranges.append((start, min(start + size, following) if size else following))
    return ranges


def branch_to(edge: Words, blocks: Words, code: Sequence[bytes], pc: int) -> int | None:
    """The last instruction of the block that ran before `pc`, by the last `edge`; None before the first block."""
    block = int(edge[block_hook.CURRENT // 8])
    if int(blocks[block, block_hook.KEY // 8]) >> 32 == pc:  # the block at `pc` counts already
        block = int(edge[block_hook.PRIOR // 8])
    if block < block_hook.FIRST_BLOCK:
        return None
    return block_end(code[block], int(blocks[block, block_hook.KEY // 8]) >> 32).branch_address


def blocks_elsewhere(edges: Words) -> Words:
    """The blocks that ran only outside of windows."""
    taken = edges[edges[:, block_hook.COUNT // 8] > 0]
    is_outside = taken[:, block_hook.TO // 8] == block_hook.OUTSIDE
    current = block_hook.CURRENT // 8
    return np.setdiff1d(taken[is_outside, current], [0, *taken[~is_outside, current]])
