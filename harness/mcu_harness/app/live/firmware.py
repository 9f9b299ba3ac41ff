"""Firmware for a live board: read as firmware of a scenario is, and named after the test that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mcu_harness.analysis.address_names import Places
from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.app import prepare_firmware
from mcu_harness.base.errors import ElfError, ScenarioError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program, Symbol
from mcu_harness.image.symbol_names import matching
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.figure_catalogue import budgeted
from mcu_harness.scenario.firmware_tables import FirmwareSpec
from mcu_harness.scenario.limits import Budget, parse_limit
from mcu_harness.scenario.scenario import scenario_for_firmware

BASELINES = "baselines/live"  # beside the test's file; those of scenarios lie above


@dataclass(frozen=True, slots=True)
class TestPlace:
    """The test that a board is for: its file, its `name`, and the `node` that pytest runs it by."""

    __test__ = False  # for pytest, where it is imported

    path: Path
    name: str
    node: str


@dataclass(frozen=True, slots=True)
class LiveFirmware:
    """`case` stands for the firmware on its board; measurements are cases of their own (`measured`)."""

    case: Case
    under_test: FirmwareUnderTest
    places: Places

    @property
    def board(self) -> Board:
        return self.case.board

    @property
    def program(self) -> Program:
        return self.under_test.program

    @property
    def first(self) -> int:
        """The first instruction after reset: nothing that runs ever comes back there by itself."""
        start = self.under_test.plan.start
        if start is not None:
            return start[1] & ~1
        vectors = self.under_test.plan.vectors
        first = self.program.loaded_word(vectors + 4) if vectors is not None else None
        return (first if first is not None else self.program.entry) & ~1

    def measured(self, test: str, name: str, budgets: Mapping[str, Budget]) -> Case:
        """The case that a measurement called `name` in `test` is."""
        scenario = replace(self.case.scenario, name=f"{test}.{name}", budgets=dict(budgets))
        return replace(self.case, scenario=scenario)

    def function(self, name: str) -> Symbol:
        """The function called `name`, as written in the source or as the linker knows it; ElfError with near ones."""
        functions = [symbol for symbol in self.program.symbols if symbol.kind == "function"]
        found = {symbol.address: symbol for symbol in matching(functions, name)}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            files = ", ".join(sorted(f"{one.file}:{one.name}" for one in found.values())[:5])
            raise ElfError(f"{name!r} is {len(found)} functions", hint=f"name one of: {files}")
        symbol = self.program.symbol(name)
        if self.program.function_at(symbol.address) is None:
            raise ElfError(f"{self.program.path}: {name!r} is no function", hint="name a function")
        return symbol

    def functions(self, pattern: str) -> list[Symbol]:
        """The functions that a name or a shell pattern names, one or more; ElfError with near ones."""
        if not any(sign in pattern for sign in "*?["):
            return [self.function(pattern)]
        functions = [symbol for symbol in self.program.symbols if symbol.kind == "function"]
        found = {symbol.address: symbol for symbol in matching(functions, pattern)}
        if not found:
            raise ElfError(
                f"{self.program.path}: no function is called {pattern!r}", hint="patterns are those of a shell"
            )
        return list(found.values())

    def address(self, place: str | int) -> int:
        """Where the code or the variable `place` is: a symbol, or an address."""
        if isinstance(place, int):
            return place
        names = {symbol.name for symbol in self.program.symbols}
        return self.program.symbol(place).address if place in names else self.function(place).address


def load(image: Path, board: str, test: TestPlace) -> LiveFirmware:
    """Read `image` for `board`; raises HarnessError that says what is wrong with either."""
    spec = FirmwareSpec(image=str(image))
    scenario = scenario_for_firmware(image, (board,), spec)
    scenario = replace(scenario, directory=test.path.parent, path=test.path, baseline_directory=BASELINES)
    (case,) = cases_of(scenario)
    case = replace(case, accepted_by=test.node)
    under_test = prepare_firmware.prepare(case, spec, lambda _: None)
    return LiveFirmware(case, under_test, Places(under_test.program))


def parse_budgets(limits: Mapping[str, object]) -> dict[str, Budget]:
    """Budgets as a test gives them; raises ScenarioError for an unknown one, UnitError for a limit."""
    for key in limits:
        if key not in budgeted():
            raise ScenarioError(f"budget: unknown limit {key!r}", hint=did_you_mean(key, tuple(budgeted())))
    return {key: parse_limit(key, value, "in the test") for key, value in limits.items()}
