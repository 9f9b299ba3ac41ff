"""What a reader should know of the measured calls: which of them are in no figure, and what means over the others hide."""

from __future__ import annotations

import numpy as np

from mcu_harness.emulator.contract import Execution, ExitReason, RunPlan
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, Verdict

_ALIKE = 2  # times the least: up to there a mean hides little


def window_notes(execution: Execution, plan: RunPlan) -> list[Finding]:
    """Of runs in which each call of a function is measured; [] where there is nothing to say."""
    if not plan.repeat:
        return []
    return [
        *_left(execution),
        *_open(execution, plan),
        *_overlapping(execution),
        *_reentered(execution, plan),
        *_differing(execution),
    ]


def _left(execution: Execution) -> list[Finding]:
    """Calls that were taken off their stack."""
    closed, left, dropped = (
        len(execution.window_instructions),
        execution.window_ends.left,
        execution.window_ends.dropped,
    )
    found = []
    if left:
        message = (
            f"{left:,} of {closed:,} measured calls did not return: a jump took them off the stack (longjmp, an exception of "
            "C++), where their measurement ends"
        )
        found.append(_note(Code.FIRMWARE_LEFT_WINDOWS, message, "the figures are means over all of them"))
    if dropped:
        message = (
            f"{dropped:,} of {closed + dropped:,} measured calls did not return: the next one began on the same stack with "
            "nothing of them left on it, or another function returned to where they should have (longjmp, an exception of C++), and "
            "where they ended is not known, since no symbol names their caller"
        )
        advice = "they are in no figure: measure a function that returns, or the code around the jump"
        found.append(_note(Code.FIRMWARE_LEFT_WINDOWS, message, advice))
    return found


def _open(execution: Execution, plan: RunPlan) -> list[Finding]:
    """Calls and regions that were under way when the run ended, of runs that ended well."""
    if not execution.window_ends.unfinished or execution.reason is not ExitReason.FINISHED:
        return []
    many = execution.window_ends.unfinished > 1
    window, over = ("measured call", "returned") if plan.end is None else ("measured region", "come to its end")
    message = (
        f"{execution.window_ends.unfinished:,} {window}{'s' if many else ''} had not {over} when the run ended, and "
        f"{'are' if many else 'is'} in no figure"
    )
    return [
        _note(Code.FIRMWARE_OPEN_WINDOWS, message, "let the run go on for longer if it should have come to its end")
    ]


def _overlapping(execution: Execution) -> list[Finding]:
    """Calls in several tasks at once."""
    if not execution.window_ends.beside:
        return []
    total = len(execution.window_instructions) + execution.window_ends.dropped + execution.window_ends.unfinished
    message = (
        f"{execution.window_ends.beside:,} of {total:,} measured calls began while that of another task was under way: what runs "
        "from a call to its return is measured, so what other tasks did in between is in the figures of each"
    )
    advice = "let one task alone make the calls to see what one costs by itself"
    return [_note(Code.FIRMWARE_OVERLAPPING_WINDOWS, message, advice)]


def _reentered(execution: Execution, plan: RunPlan) -> list[Finding]:
    """Windows in which their beginning was reached again, where that may mean that a jump has left them.

    Of a region nothing else tells; of calls, only those of a caller without a symbol can be left unseen.
    """
    again, windows = _reached_again(execution, plan.begin)
    if not again or (plan.end is None and not execution.window_ends.unseen):
        return []
    many = f"in {windows:,} of {len(execution.window_instructions):,} windows" if windows else "in measured windows"
    if plan.end is not None:
        message = (
            f"`begin` was reached {again:,} more times {many}, before `end`: each goes on from the first time to the end, also where a jump "
            "(longjmp, an exception of C++) has left it in between"
        )
        advice = "to measure each time by itself, begin at a function and leave out the end: its calls end where they are left"
    else:
        message = (
            f"the function was called {again:,} more times {many}, deeper on the stack: these calls are part of what is measured there. No "
            "symbol names the caller of the outer ones, so one that a jump (longjmp, an exception of C++) has left looks like that, too"
        )
        advice = "give an image with the symbols of all functions, as linked"
    return [_note(Code.FIRMWARE_REENTERED_WINDOWS, message, advice)]


def _reached_again(execution: Execution, begin: int | None) -> tuple[int, int]:
    """How often code at `begin` ran in closed windows, but for the first time in each, and in how many of them; 0 where there are
    too many windows to tell."""
    blocks = execution.blocks
    if blocks is None or begin is None:
        return 0, 0
    holds = (blocks.block_address <= begin) & (begin < blocks.block_address + blocks.block_bytes)
    edges = np.flatnonzero(holds[blocks.edge_current])
    if blocks.window_counts is None:
        return max(0, int(blocks.edge_count[edges].sum()) - len(execution.window_instructions)), 0
    more = np.maximum(blocks.window_counts[:, edges].sum(axis=1) - 1, 0)
    return int(more.sum()), int(np.count_nonzero(more))


def _differing(execution: Execution) -> list[Finding]:
    each = sorted(execution.window_instructions)
    if len(each) < 2 or each[-1] <= each[0] * _ALIKE:
        return []
    middle = each[len(each) // 2]
    message = (
        f"{len(each):,} measured calls took from {each[0]:,} to {each[-1]:,} instructions, in the middle {middle:,}: figures "
        "are means over all of them, so functions can have a fraction of a call"
    )
    advice = "the worst call has figures of its own (instructions_max, cycles_max), and budgets"
    return [_note(Code.FIRMWARE_WINDOWS_DIFFER, message, advice)]


def _note(code: Code, message: str, advice: str) -> Finding:
    return Finding(code=code, verdict=Verdict.PASS, message=message, advice=advice)
