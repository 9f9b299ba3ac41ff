"""Trying a model on many boards: a board that cannot be set up is a row of the matrix, not the end of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.errors import BoardError, BuildError, EmulatorError, HarnessError
from mcu_harness.hardware.board_file import board_names
from mcu_harness.scenario.cases import Case, cases_of, with_limits
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.scenario import load_scenario, scenario_for_model

Progress = Callable[[str], Callable[[str], None]]


def fit_cases(paths: Iterable[Path], boards: tuple[str, ...], limits: dict[str, Budget]) -> list[Case]:
    """The models or scenarios in `paths` on `boards`, all that there are without any; `limits` over their own budgets."""
    names = boards or tuple(board_names())
    cases = []
    for path in paths:
        scenario = load_scenario(path) if path.suffix == ".toml" else scenario_for_model(path, names)
        cases += cases_of(with_limits(scenario, limits), names)
    return cases


def try_boards(cases: Sequence[Case], options: Options, session: Session, progress: Progress) -> None:
    """Run `cases` in `session`; `progress` is given which case it is, and gives what is told of its steps.

    Errors that concern one board become a result that says "not run" and why. Raises HarnessError for what concerns
    all of them: no compiler, a model that cannot be read.
    """
    _try(cases, options, session, progress, (BoardError, BuildError, EmulatorError))


def try_cases(cases: Sequence[Case], options: Options, session: Session, progress: Progress) -> None:
    """As `try_boards`, where a case that cannot be set up says nothing of the others: each has a model of its own."""
    _try(cases, options, session, progress, (HarnessError,))


def _try(
    cases: Sequence[Case],
    options: Options,
    session: Session,
    progress: Progress,
    passed_over: tuple[type[HarnessError], ...],
) -> None:
    for n, case in enumerate(cases, 1):
        show = progress(f"[{n}/{len(cases)}] {case.model_name} on {case.board.name}")
        with suppress(*passed_over):  # the session keeps that as its result
            session.run(case, options, show)
        show("")
