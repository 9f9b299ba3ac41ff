"""What-if: one run priced for another clock, other wait states and caches, or another place for code and data.

Nothing runs again. A question makes a variant of the board (`variant`), and the run's counts are priced on that. Where the
caches of the variant would see other accesses than the board's own, the emulator traces for both while it runs
(`TraceRequest.others`); the board's own figures are the same with questions and without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading, Request
from mcu_harness.analysis.profile.profile import profile
from mcu_harness.analysis.what_if.placement import placed
from mcu_harness.analysis.what_if.spec import Question, parse
from mcu_harness.analysis.what_if.variant import seen_by_caches, variant
from mcu_harness.base.units import format_hertz
from mcu_harness.emulator.contract import DataTrace, Execution, RunPlan, TraceRequest
from mcu_harness.hardware.board import Board
from mcu_harness.results.records import RunResult, WhatIf

__all__ = ["Asked", "Question", "WhatIfs", "ask", "parse", "plan_for", "priced"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a certain run: `board` is what it is priced on."""

    question: Question
    board: Board
    changes: tuple[str, ...]


class WhatIfs(Analysis):
    """The run priced for other clocks, memories and places. Nothing is judged by the answers."""

    reads_costs = True

    def __init__(self, questions: Sequence[Question]) -> None:
        self._questions = questions
        self._asked: tuple[Asked, ...] = ()

    @classmethod
    def asked(cls, request: Request) -> Self | None:
        return cls(parse(request.what_ifs, request.board)) if request.what_ifs else None

    def plan(self, plan: RunPlan, firmware: FirmwareUnderTest, board: Board, emulator: str) -> RunPlan:
        del emulator  # where it cannot trace, the embedded one does
        self._asked = ask(self._questions, firmware, board)
        return plan_for(plan, self._asked, board)

    def read(self, run: ObservedRun) -> Reading:
        if run.profile is None:
            return Reading()
        answers = priced(self._asked, run.execution, run.firmware, run.board)

        def show(result: RunResult) -> RunResult:
            return replace(result, what_ifs=answers)

        return Reading(show=show)


def ask(questions: Sequence[Question], firmware: FirmwareUnderTest, board: Board) -> tuple[Asked, ...]:
    """The questions with what they move found in the firmware; raises ScenarioError for what is not there, or no room."""
    asked = []
    for question in questions:
        changed, changes = variant(board, question)
        moved, moves = placed(question.moves, firmware, board)
        asked.append(Asked(question, replace(changed, moved=moved), (*changes, *moves)))
    return tuple(asked)


def plan_for(plan: RunPlan, asked: Sequence[Asked], board: Board) -> RunPlan:
    """`plan` with a memory trace for every question that the board's own does not answer."""
    if not asked:
        return plan
    return replace(plan, trace=replace(plan.trace or TraceRequest(), others=_others(asked, board)))


def _others(asked: Sequence[Asked], board: Board) -> tuple[Board, ...]:
    """One board for each way in which caches would see the run, the board's own left out."""
    found: dict[object, Board] = {}
    for one in asked:
        key = seen_by_caches(one.board)
        if key != seen_by_caches(board):
            found.setdefault(key, one.board)
    return tuple(found.values())


def priced(
    asked: Sequence[Asked], execution: Execution, firmware: FirmwareUnderTest, board: Board
) -> tuple[WhatIf, ...]:
    """What the run on `board` would have cost, in the order of the questions."""
    keys = [seen_by_caches(board), *map(seen_by_caches, _others(asked, board))]
    traces = [execution.data, *execution.other_data]
    found = []
    for one in asked:
        at = keys.index(seen_by_caches(one.board))
        trace = traces[at] if at < len(traces) else None
        found.append(_priced(one, replace(execution, data=trace), trace, firmware, board))
    return tuple(found)


def _priced(
    one: Asked, execution: Execution, trace: DataTrace | None, firmware: FirmwareUnderTest, board: Board
) -> WhatIf:
    entries = [part.entries for part in firmware.code_regions]
    made = profile(execution, firmware.program, entries, one.board, firmware.times)
    per_cycle = board.joules_per_cycle
    notes = _notes(one, trace, board) if made.cycles is not None else ()
    return WhatIf(
        name=one.question.name,
        changes=one.changes,
        clock_hz=one.board.clock_hz,
        cycles=made.cycles,
        latency_s=None if made.cycles is None else made.cycles / one.board.clock_hz,
        energy_j=None if made.cycles is None or per_cycle is None else per_cycle * made.cycles,
        layer_cycles=tuple(layer.cycles for layer in made.layers),
        origin=str(made.cycles_origin.and_(*notes)),
        notes=notes,
    )


def _notes(one: Asked, trace: DataTrace | None, board: Board) -> tuple[str, ...]:
    """What makes the figure worth less than the run's own."""
    notes = ["not run: the same execution, priced for this; errors are those of the board as it is"]
    question = one.question
    if question.clock_hz is not None and not any(change.key == "wait_states" for change in question.changes):
        notes.append(f"with the wait states that the memories have at {format_hertz(board.clock_hz)}")
    if trace is None and (question.moves or question.changes):
        notes.append("a first estimate on an estimate: without a memory trace, neither reads of data nor caches count")
    if _is_extrapolated(one.board, board):
        notes.append("what a line of a cache costs was measured with other wait states, and is carried over to these")
    return tuple(notes)


def _is_extrapolated(changed: Board, board: Board) -> bool:
    return any(
        cycles not in (None, before)
        for new, old in zip(changed.memories, board.memories, strict=True)
        for cycles, before in (
            (new.code_miss_cycles, old.code_miss_cycles),
            (new.data_miss_cycles, old.data_miss_cycles),
        )
    )
