"""Trying a model on many boards: a board that cannot be set up is a row of the matrix, not the end of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from mcu_harness.app.judge import not_set_up
from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.errors import BoardError, BuildError, EmulatorError, ScenarioError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.hardware.board_file import board_names
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.figures import budgeted
from mcu_harness.scenario.limits import Budget, parse_limit
from mcu_harness.scenario.scenario import load_scenario, scenario_for_model


def parse_limits(texts: Iterable[str]) -> dict[str, Budget]:
    """Budgets from "flash=64KiB" and the like; raises ScenarioError or UnitError."""
    limits = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ScenarioError(
                f"cannot read the budget {text!r}", hint="write for example flash=64KiB or latency=20ms"
            )
        if key not in budgeted():
            raise ScenarioError(f"no budget is called {key!r}", hint=did_you_mean(key, tuple(budgeted())))
        limits[key] = parse_limit(key, value)
    return limits


def fit_cases(paths: Iterable[Path], boards: tuple[str, ...], limits: dict[str, Budget]) -> list[Case]:
    """The models or scenarios in `paths` on `boards`, all that there are without any; `limits` over their own budgets."""
    names = boards or tuple(board_names())
    cases = []
    for path in paths:
        scenario = load_scenario(path) if path.suffix == ".toml" else scenario_for_model(path, names)
        own = {
            board: {key: limit for key, limit in budgets.items() if key not in limits}
            for board, budgets in scenario.board_budgets.items()
        }
        scenario = replace(scenario, budgets={**scenario.budgets, **limits}, board_budgets=own)
        cases += cases_of(scenario, names)
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
        try:
            session.run(case, options, show)
        except (BoardError, BuildError, EmulatorError) as error:
            session.runs.append(not_set_up(case, options.emulator, options.toolchain, error))
        show("")
