"""Traces one inference on boards with wait states or caches: the cycle model needs to know which lines were missing.

The embedded emulator traces, whichever one runs the case, so that an image has the same cycles in all of them.
"""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import Emulator, Execution, ExitReason, RunPlan, TraceRequest
from mcu_harness.emulator.trace import trace_store
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program


def makes_wait(board: Board) -> bool:
    """Whether a trace says anything: some memory of `board` is not always there at once."""
    return any(memory.wait_states or memory.data_cache_bytes for memory in board.memories)


def traced_plan(plan: RunPlan, board: Board) -> RunPlan:
    """`plan`, with a trace of its first window where that says anything and none is asked for yet."""
    if plan.trace is not None or not makes_wait(board) or not plan.profile:
        return plan
    return replace(plan, trace=TraceRequest())


def run_traced(emulator: Emulator, program: Program, board: Board, plan: RunPlan) -> Execution:
    """Run `plan`, with the trace that it asks for: from an earlier run of the same where that was kept."""
    if plan.trace != TraceRequest():  # that is what cycles need; anything more is asked for anew
        return _with_trace(emulator.run(program, board, plan), emulator, program, board, plan)
    key = trace_store.key_of(program, board, plan)
    known = trace_store.load(key)
    if known is not None:
        return replace(emulator.run(program, board, replace(plan, trace=None)), data=known)
    execution = _with_trace(emulator.run(program, board, plan), emulator, program, board, plan)
    if execution.data is not None and execution.reason is ExitReason.FINISHED:
        trace_store.save(key, execution.data)
    return execution


def _with_trace(execution: Execution, emulator: Emulator, program: Program, board: Board, plan: RunPlan) -> Execution:
    """`execution` with the trace that `plan` asked for, from a run of its own where `emulator` cannot trace.

    Without one where the embedded emulator cannot run the program, or not far enough.
    """
    request = plan.trace
    if request is None or execution.data is not None or emulator.name == UnicornEmulator.name:
        return execution
    traced = _trace_alone(program, board, plan, request)
    if traced is None:
        return execution
    return replace(execution, data=traced.data, other_data=traced.other_data)


def _trace_alone(program: Program, board: Board, plan: RunPlan, request: TraceRequest) -> Execution | None:
    embedded = UnicornEmulator()
    if embedded.supports(board):
        return None
    alone = replace(plan, includes=(), trace=replace(request, ends_run=True))
    try:
        traced = embedded.run(program, board, alone)
    except EmulatorError:
        return None
    reached = traced.data is not None and bool((traced.data.block_context >= 0).any())
    return traced if reached else None
