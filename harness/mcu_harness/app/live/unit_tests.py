"""Unit tests in an ELF: the firmware runs once, and each case that it reports is a result of its own, with what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.app.live.board import LiveBoard
from mcu_harness.app.live.failures import BoardFailure
from mcu_harness.app.live.measurement import Measurement, Measuring
from mcu_harness.app.live.unit_test_output import CaseEnd, Outcome, UnitTestOutput
from mcu_harness.base.errors import HarnessError
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.cases import Case

TIMEOUT_S = 60.0  # of the board's time, for all cases together
_MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class UnitTest:
    """A case as it went; `case` and `result` are its row, None for one that never came to its end."""

    name: str
    outcome: Outcome
    text: str
    case: Case | None = None
    result: RunResult | None = None


def run_unit_tests(board: LiveBoard) -> list[UnitTest]:
    """All cases that the firmware of `board` reports, in their order; raises HarnessError where it reports none.

    What each cost is from the end of the one before to its own: set-up, tear-down and printing are in it.
    """
    output, found, problem = UnitTestOutput(), list[UnitTest](), ""
    until = board.time_s + TIMEOUT_S
    stretch = _begin(board)
    while not output.is_over:
        try:
            line = board.expect(r"([^\n]*)\n", timeout=max(0.0, until - board.time_s))[1]
        except BoardFailure as failure:  # it ended, sleeps for ever, or went wrong
            problem = str(failure)
            break
        ended = output.line(str(line))
        if ended is not None:
            found.append(_ended(board, stretch, ended))
            stretch = _begin(board)
    board.abandon_stretch(stretch)
    if output.running or "[fault." in problem:
        name = output.running or "(after the last case that ended)"
        lines = "\n".join((*output.pending[-_MOST_LINES:], problem))
        found.append(UnitTest(name, Outcome.FAILED, lines))
    if not found:
        raise HarnessError(
            f"the firmware reported no test of Unity, CppUTest (with -v), GoogleTest or ztest within {TIMEOUT_S:g} s",
            hint="is it a test image? `mcu-harness profile`, [firmware] in a scenario and `mcu_board` are for other firmware; "
            f"what it said:\n{board.transcript or '(nothing)'}",
        )
    return found


def _begin(board: LiveBoard) -> Measuring:
    return board.begin_stretch(Measurement("", None, "", {}))


def _ended(board: LiveBoard, stretch: Measuring, ended: CaseEnd) -> UnitTest:
    stretch.measurement.name = ended.name
    case, result = board.end_stretch(stretch)
    text = "\n".join(line for line in ended.lines[-_MOST_LINES:] if line.strip())
    return UnitTest(ended.name, ended.outcome, text, case, result)
