"""Trying a model on many boards: a board that cannot be set up is a row of the matrix, not the end of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.errors import BoardError, BuildError, EmulatorError, HarnessError
from mcu_harness.hardware.board_file import board_names
from mcu_harness.scenario.cases import Case, cases_of, with_limits
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.scenario import load_scenario, scenario_for_model


def fit_cases(paths: Iterable[Path], boards: tuple[str, ...], limits: dict[str, Budget]) -> list[Case]:
    """The models or scenarios in `paths` on `boards`, all that there are without any; `limits` over their own budgets."""
    names = boards or tuple(board_names())
    cases = []
    for path in paths:
        scenario = load_scenario(path) if path.suffix == ".toml" else scenario_for_model(path, names)
        cases += cases_of(with_limits(scenario, limits), names)
    return cases


def try_boards(
    cases: Iterable[Case], options: Options, session: Session, progress: Callable[[Case], Callable[[str], None]]
) -> None:
    """Run `cases` in `session`; `progress(case)` gives what is told of the steps of that case.

    Errors that concern one board become a result that says "not run" and why. Raises HarnessError for what concerns
    all of them: no compiler, a model that cannot be read.
    """
    for case in cases:
        show = progress(case)
        with suppress(BoardError, BuildError, EmulatorError):  # the session keeps that as its result
            session.run(case, options, show)
        show("")


def try_cases(
    cases: Iterable[Case], options: Options, session: Session, progress: Callable[[Case], Callable[[str], None]]
) -> None:
    """As `try_boards`, where a case that cannot be set up says nothing of the others: each has a model of its own."""
    for case in cases:
        show = progress(case)
        with suppress(HarnessError):  # the session keeps that as its result
            session.run(case, options, show)
        show("")
