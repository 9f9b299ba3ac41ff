"""The cases that were asked for: a board that cannot be used is not the end of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.base.errors import HarnessError
from mcu_harness.hardware.board_file import find_board
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class UnusableBoard:
    """A board of a scenario, as it is written there, that cannot be used, and why."""

    scenario: Scenario
    board: str
    error: HarnessError

    @property
    def name(self) -> str:
        return Path(self.board).stem


def selected(
    scenario: Scenario, boards: Sequence[str] = (), toolchains: Sequence[str] = ()
) -> Iterator[Case | UnusableBoard]:
    """The cases of `scenario`, on `boards` in place of its own where given, with each of `toolchains`.

    Boards that cannot be used come last.
    """
    usable, unusable = [], []
    for board in boards or scenario.boards:
        try:
            find_board(board, scenario.directory)
            usable.append(board)
        except HarnessError as error:
            unusable.append(UnusableBoard(scenario, board, error))
    if usable:
        yield from cases_of(scenario, usable, toolchains)
    yield from unusable
