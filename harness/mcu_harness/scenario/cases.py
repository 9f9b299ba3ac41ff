"""Cases: one model of one scenario on one board, and the options that hold for all of a session's cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mcu_harness.base.text import one_line
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.model_files import model_stem
from mcu_harness.scenario.quantize import QuantizeSpec
from mcu_harness.scenario.scenario import Scenario
from mcu_harness.scenario.variants import Variant


@dataclass(frozen=True, slots=True)
class Case:
    """A single run to be made. `toolchain` "" means the session's own, and is set where a session has several.

    `variant` is the one of the scenario that `model` belongs to, where it has variants. `accepted_by` is what pytest has to run for it, where that is not the scenario file.
    """

    scenario: Scenario
    model: Path
    board: Board
    toolchain: str = ""
    accepted_by: str = ""
    variant: Variant | None = None

    @property
    def name(self) -> str:
        """Short and unique within its scenario: the board, with the model and compiler where there are several."""
        several = len(self.scenario.models) > 1
        name = f"{one_line(self.model_name)}-{self.board.name}" if several else self.board.name
        return f"{name}-{self.toolchain}" if self.toolchain else name

    @property
    def model_name(self) -> str:
        """The model's name in reports and baselines."""
        return self.variant.name if self.variant else model_stem(self.model)

    @property
    def budgets(self) -> dict[str, Budget]:
        """Limits by key: the variant's own over the scenario's."""
        own = self.variant.budgets_for(self.board.name) if self.variant else {}
        return {**self.scenario.budgets_for(self.board.name), **own}

    @property
    def quantize(self) -> QuantizeSpec:
        """How the model becomes int8: as the variant says, else as the scenario does."""
        own = self.variant.quantize if self.variant else None
        return self.scenario.quantize if own is None else own


def cases_of(scenario: Scenario, boards: Sequence[str] = (), toolchains: Sequence[str] = ()) -> list[Case]:
    """All cases of `scenario`, on `boards` in place of its own where given, with each of `toolchains`.

    Raises BoardError.
    """
    found = [find_board(name, scenario.directory) for name in boards or scenario.boards]
    return [
        Case(scenario, model, board, toolchain, variant=scenario.variants[nth] if scenario.variants else None)
        for nth in range(len(scenario.models))
        for board in found
        for model in (scenario.models_for(board.name)[nth],)
        for toolchain in toolchains or ("",)
    ]


def with_limits(scenario: Scenario, limits: Mapping[str, Budget]) -> Scenario:
    """`scenario` with `limits` over its own budgets, those for single boards and variants included."""

    def others(budgets: dict[str, Budget]) -> dict[str, Budget]:
        return {key: limit for key, limit in budgets.items() if key not in limits}

    def of_boards(budgets: dict[str, dict[str, Budget]]) -> dict[str, dict[str, Budget]]:
        return {board: others(own) for board, own in budgets.items()}

    variants = tuple(
        replace(each, budgets=others(each.budgets), board_budgets=of_boards(each.board_budgets))
        for each in scenario.variants
    )
    return replace(
        scenario,
        budgets={**scenario.budgets, **limits},
        board_budgets=of_boards(scenario.board_budgets),
        variants=variants,
    )
