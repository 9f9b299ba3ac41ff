"""What goes into the block recorder and comes out: functions; counts of single windows, and the calls under way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mcu_harness.emulator.contract import Call
from mcu_harness.emulator.recorder.layout import FIRST_BLOCK, OUTSIDE, Context, Edge
from mcu_harness.emulator.recorder.rows import Rows, Table, Words
from mcu_harness.emulator.recorder.tables import RecorderTables
from mcu_harness.hardware.arm.stack_effect import deepest_dip
from mcu_harness.hardware.arm.thumb import block_end
from mcu_harness.image.program import Program

_FIRST_CALLS, _LAST_CALLS = 16, 496  # of very many


def window_counts(
    each: Sequence[Words], edges: int, left_in: Sequence[Sequence[bool]], kept: Words, which: Words, steps: int
) -> Words:
    """Counts as (windows, steps).

    `each[w]` are the counts of edges in window w; behind the `edges` lie blocks left early, once each where `left_in[w]`
    says so. Of all these, row `kept[i]` is of step `which[i]`.
    """
    per_window = np.zeros((len(each), steps), np.int64)
    for window, counts in enumerate(each):
        counted = np.zeros(edges + len(left_in[window]), np.int64)
        counted[: len(counts)] = counts
        counted[edges:] = left_in[window]
        np.add.at(per_window[window], which, counted[kept])
    return per_window


def forget_repeats(edges: Rows) -> None:
    """No edge is likely to be followed by the repetition of a block: the next such step is looked at anew."""
    repeats = np.flatnonzero(edges["current"] == edges["prior"]) * Edge.nbytes
    for name in ("likely", "unlikely"):
        following = edges[name]
        following[np.isin(following, repeats)] = 0


def open_calls(frames: Rows, contexts: Table[Context], context: int) -> tuple[Call, ...]:
    """The calls that lead to `context`, outermost first; of very many, the first and the last. Empty outside windows."""
    if context == OUTSIDE:
        return ()
    if len(frames) > _FIRST_CALLS + _LAST_CALLS:
        frames = np.concatenate([frames[:_FIRST_CALLS], frames[-_LAST_CALLS:]])
    # A frame was made in the context `caller`, by a call to what the next frame was made in.
    callers, returns = frames["caller"].tolist(), frames["return_to"].tolist()
    found = _tail_calls(contexts, callers[0] if callers else context, 0, None)
    for caller, callee, address in zip(callers, [*callers[1:], context], returns, strict=False):
        found += _tail_calls(contexts, callee, caller, None if address < 0 else address)
    return tuple(found)


def _tail_calls(contexts: Table[Context], context: int, caller: int, returns_to: int | None) -> list[Call]:
    """`context` and what it was tail-called from, up to what was called from `caller`."""
    found: list[Call] = []
    while context not in (0, caller):
        row = contexts.row(context)
        found.insert(0, Call(row.entry, None if row.tail else returns_to))
        if not row.tail:
            break
        context = row.parent
    return found


def lowest_stack(edges: Rows, code: Sequence[bytes], low: int, high: int) -> int | None:
    """The lowest address that the stack pointer reached, of those in [low, high]; see `BlockRecorder.lowest_stack`.

    None, too, where code moved it by what was only known at run time: how far is not seen then.
    """
    inside = edges[edges["lowest"] <= high - low]
    if not len(inside):
        return None
    lowest: dict[int, int] = {}
    for block, at in zip(inside["current"].tolist(), inside["lowest"].tolist(), strict=True):
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


def branch_to(edge: Edge, tables: RecorderTables, code: Sequence[bytes], pc: int) -> int | None:
    """The last instruction of the block that ran before `pc`, by the last `edge`; None before the first block."""
    block = edge.current
    if tables.address(block) == pc:  # the block at `pc` counts already
        block = edge.prior
    if block < FIRST_BLOCK:
        return None
    return block_end(code[block], tables.address(block)).branch_address


def blocks_elsewhere(edges: Rows) -> Words:
    """The blocks that ran only outside of windows."""
    taken = edges[edges["count"] > 0]
    is_outside = taken["to_context"] == OUTSIDE
    return np.setdiff1d(taken["current"][is_outside], [0, *taken["current"][~is_outside]])
