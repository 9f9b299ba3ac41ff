"""Scenario files as tests: an item for each model, board and compiler, which marks and fixtures treat as a function."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest
from _pytest.fixtures import TopRequest  # as pytest's own doctest items, which are no functions either, do it

from mcu_harness.app.pytest_board import KEEPER
from mcu_harness.app.pytest_hooks import one_error
from mcu_harness.base.errors import HarnessError

if TYPE_CHECKING:
    from mcu_harness.app.selection import UnusableBoard
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import Settings
    from mcu_harness.results.records import RunResult
    from mcu_harness.scenario.cases import Case
    from mcu_harness.scenario.scenario import Scenario


class Keeper(Protocol):
    """What is needed of the plugin."""

    @property
    def settings(self) -> Settings:
        """What was chosen for this session."""
        ...

    @property
    def session(self) -> Session:
        """The harness session."""
        ...

    def begin(self, node: pytest.Item) -> None:
        """The test `node` begins, perhaps again: what it measured before does not count."""
        ...

    def measure(self, case: Case, node: pytest.Item, gated: bool = True) -> RunResult:
        """Run one case for the test `node`; raises HarnessError."""
        ...


class ScenarioFailure(Exception):
    """A run whose verdict is not pass."""

    def __init__(self, result: RunResult) -> None:
        super().__init__(f"{result.scenario} on {result.board}: {result.verdict}")
        self.result = result


def _keeper(config: pytest.Config) -> Keeper:
    return cast(Keeper, config.pluginmanager.get_plugin(KEEPER))


class ScenarioFile(pytest.File):
    """A scenario file: one item per model, board and compiler.

    What is wrong with a file, or with a board that it names, is an item too, which cannot be set up: an error of the
    collection would stop everybody else's tests.
    """

    def collect(self) -> Iterable[pytest.Item]:
        from mcu_harness.app.selection import UnusableBoard, selected
        from mcu_harness.scenario.scenario import load_scenario

        try:
            chosen = _keeper(self.config).settings
            scenario = load_scenario(self.path)
            with one_error("pytest_mcu_boards"):
                boards = chosen.boards or self.ihook.pytest_mcu_boards(config=self.config, scenario=scenario) or ()
            cases = list(selected(scenario, boards, chosen.toolchains))
            chosen.check_places()
            chosen.gate.check_places(case for case in cases if not isinstance(case, UnusableBoard))
        except HarnessError as error:
            yield UnusableItem.from_parent(self, name=self.path.stem, error=error)
            return
        if not (chosen.boards or self.config.option.keyword or self.config.option.markexpr):
            self._expect(scenario)
        for one in cases:
            if isinstance(one, UnusableBoard):
                line = _line(self.path, one.board)
                yield UnusableItem.from_parent(self, name=one.name, error=one.error, line=line, unusable=one)
                continue
            for repetition in _repetitions(self.config):
                name, line = f"{one.name}{repetition}", _line(self.path, one.board.name)
                yield ScenarioItem.from_parent(self, name=name, case=one, line=line)

    def _expect(self, scenario: Scenario) -> None:
        """All cases of the scenario are run, so that baselines of others are known to be of nobody."""
        from mcu_harness.scenario.cases import cases_of

        try:
            _keeper(self.config).session.expect(cases_of(scenario))
        except HarnessError:  # of a board, which is told where it is to be used
            return


def _repetitions(config: pytest.Config) -> list[str]:
    """What is added to an item's name for each of its runs, as pytest-repeat's --count has it for functions."""
    times = config.getoption("count", 1) if config.pluginmanager.hasplugin("pytest_repeat") else 1
    if not isinstance(times, int) or times < 2:
        return [""]
    return [f"-{nth}-{times}" for nth in range(1, times + 1)]


def _line(path: Path, board: str) -> int:
    """The line of a scenario file that names `board`, counted from 0; 0 where none does."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    quoted = (f'"{board}"', f"'{board}'")
    return next((nth for nth, line in enumerate(lines) if any(word in line for word in quoted)), 0)


class _Item(pytest.Item):
    """An item that is no function and behaves like one: it has a line, and the fixtures that marks name."""

    def __init__(self, *, line: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._line = line
        self.add_marker("mcu")
        self._initrequest()

    def _initrequest(self) -> None:
        """Forget the values of fixtures; plugins that run an item again call this, as for functions."""
        self.funcargs: dict[str, object] = {}
        self.fixturenames: list[str] = []
        self._request: TopRequest | None = None

    def setup(self) -> None:
        """Set up what `usefixtures` names. Autouse fixtures are for functions: those of plugins look for their module."""
        self.fixturenames = [name for mark in self.iter_markers("usefixtures") for name in mark.args]
        if not self.fixturenames:
            return
        self._fixtureinfo = self.session._fixturemanager.getfixtureinfo(node=self, func=None, cls=None)
        self._request = TopRequest(self, _ispytest=True)  # type: ignore[arg-type]
        for name in self.fixturenames:
            try:
                self.funcargs[name] = self._request.getfixturevalue(name)
            except pytest.FixtureLookupError as error:  # whose own text shows a function's source
                pytest.fail(error.msg or f"fixture {name!r} not found", pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, self._line, self.location_name

    @property
    def location_name(self) -> str:
        """The item in headlines of reports."""
        raise NotImplementedError

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from mcu_harness.results.report.failure import FailureText

        error = excinfo.value
        if isinstance(error, ScenarioFailure):
            return FailureText(error.result, self.config.get_verbosity())
        return f"set-up error: {error}" if isinstance(error, HarnessError) else super().repr_failure(excinfo, style)


class ScenarioItem(_Item):
    """One scenario (and model) on one board."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case
        self.extra_keyword_matches.update({case.scenario.name, case.board.name, case.board.core.name})

    @property
    def location_name(self) -> str:
        return f"{self.case.scenario.name}[{self.name}]"

    def runtest(self) -> None:
        from mcu_harness.results.regression_gate import undecided

        keeper = _keeper(self.config)
        keeper.begin(self)
        result = keeper.measure(self.case, self)
        if reason := undecided(result):
            pytest.skip(reason)
        if result.verdict != "pass":
            raise ScenarioFailure(result)


class UnusableItem(_Item):
    """A scenario, or a board that one names, that cannot be used."""

    def __init__(self, *, error: HarnessError, unusable: UnusableBoard | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._error = error
        self._unusable = unusable

    @property
    def location_name(self) -> str:
        return f"{self.path.stem}[{self.name}]"

    def runtest(self) -> None:
        if self._unusable is not None:
            _keeper(self.config).session.add_unusable(self._unusable, self.nodeid)
        raise self._error


def without_internals(call: pytest.CallInfo[Any]) -> None:
    """End a traceback of an error of ours at the test's own line: what comes below tells its reader nothing."""
    if call.excinfo is None or not isinstance(call.excinfo.value, HarnessError):
        return
    inside = (str(Path(__file__).parents[1]), contextlib.__file__)
    last: TracebackType | None = None
    entry: TracebackType | None = call.excinfo.tb
    while entry is not None:
        if not entry.tb_frame.f_code.co_filename.startswith(inside):
            last = entry
        entry = entry.tb_next
    if last is not None:
        last.tb_next = None


def as_error(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """Make a case that could not be set up an error and no failure: it was never run, whatever phase that was told in."""
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(item, _Item) and isinstance(error, HarnessError) and report.failed:
        report.when = "setup"
