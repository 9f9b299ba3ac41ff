"""The pytest plugin: scenario files become tests, figures become properties, one table closes the session.

An adapter only: options -> one object -> library calls. Everything else of the harness is imported when a scenario
is met, so that an unrelated run pays next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcu_harness.app import pytest_board, pytest_unit_tests
from mcu_harness.app.options import MARKERS, OPTIONS
from mcu_harness.app.settings import Source, settings

if TYPE_CHECKING:
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import Settings
    from mcu_harness.results.records import Finding, RunResult
    from mcu_harness.scenario.cases import Case


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options and their ini twins, from one table."""
    group = parser.getgroup("mcu", "firmware on emulated microcontroller boards")
    for option in OPTIONS:
        group.addoption(option.flag, **option.arguments)
        if option.ini:
            parser.addini(option.key, option.about, type=option.ini_type, default=option.ini_default)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The hooks that users may implement."""
    from mcu_harness.app import pytest_hooks

    pluginmanager.add_hookspecs(pytest_hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known; nothing else happens until a scenario is met."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    collector = _Collector(config)
    config.pluginmanager.register(collector, pytest_board.KEEPER)
    config.pluginmanager.register(pytest_board, "mcu_harness_board")
    config.pluginmanager.register(pytest_unit_tests, "mcu_harness_unit_tests")
    if any(config.getoption(option.flag) for option in OPTIONS):
        from mcu_harness.base.errors import HarnessError

        try:
            _ = collector.settings
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from error


class _Collector:
    """What the plugin keeps for one pytest session."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._session: Session | None = None
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        """What was chosen for this session, read at first use."""
        if self._settings is None:
            config = self.config
            here, root = config.invocation_params.dir, config.rootpath
            self._settings = settings(Source(config.getoption, config.getini, here, root))
        return self._settings

    @property
    def session(self) -> Session:
        """The harness session, made at first use."""
        if self._session is None:
            from mcu_harness.app.session import Session

            self._session = Session(self.settings.gate, self.settings.columns)
        return self._session

    def measure(self, case: Case, node: pytest.Item, gated: bool = True) -> RunResult:
        """Run one case for the test `node`, whose properties get the figures; raises HarnessError."""
        rules = self._rules(node)
        return self._told(self.session.run(case, self.settings.options, gated=gated, rules=rules), node)

    @property
    def boards(self) -> tuple[str, ...]:
        """See `pytest_board.Keeper`."""
        return self.settings.boards

    @property
    def wants_coverage(self) -> bool:
        """See `pytest_board.Keeper`."""
        return self.settings.options.coverage

    def keep(self, case: Case, result: RunResult, node: pytest.Item, label: str, gated: bool) -> RunResult:
        """Judge and keep a result that the test `node` made itself, as a run of `case`; see `pytest_board.Keeper`."""
        return self._told(self.session.keep(case, result, gated=gated, rules=self._rules(node)), node, label)

    def _rules(self, node: pytest.Item) -> Callable[[RunResult], Iterable[Finding]]:
        return lambda run: chain(*node.ihook.pytest_mcu_findings(config=self.config, result=run))

    def _told(self, result: RunResult, node: pytest.Item, label: str = "") -> RunResult:
        from mcu_harness.results.report.junit import properties

        node.user_properties += [(f"{label}{name}", value) for name, value in properties(result)]
        node.ihook.pytest_mcu_result(config=self.config, result=result)
        return result

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.suffix != ".toml":
            return None
        from mcu_harness.scenario.discovery import is_scenario_file

        return ScenarioFile.from_parent(parent, path=file_path) if is_scenario_file(file_path) else None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """pytest-xdist: results travel with the test's report, so that a crashing worker takes none along."""
        report = yield
        if self._session is not None and hasattr(self.config, "workerinput"):
            report.mcu_results = self._session.take_json()  # type: ignore[attr-defined]
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not hasattr(self.config, "workerinput"):
            for text in getattr(report, "mcu_results", ()):
                self.session.add_json(text)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """pytest-xdist: take over what only workers know, since only they collect."""
        unused = (getattr(node, "workeroutput", None) or {}).get("mcu_unused")
        if unused:
            self.session.add_unused(unused)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._session is None:
            return
        worker_output = getattr(session.config, "workeroutput", None)
        if worker_output is not None:
            worker_output["mcu_unused"] = self._session.unused_baselines()
        elif self._session.runs:
            if self.settings.report_dir:
                self._session.write(self.settings.report_dir)
            self.config.hook.pytest_mcu_session(config=self.config, results=self._session.results)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._session is None or not self._session.runs:
            return
        terminalreporter.section("mcu-harness")
        quiet, coloured = self.config.get_verbosity() < 0, terminalreporter.hasmarkup
        for line in self._session.summary_lines(quiet=quiet, coloured=coloured):
            terminalreporter.write_line(line)
        if self.settings.github:
            from mcu_harness.results.report import github

            for line in github.publish(self._session.results):
                terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        if self._session is not None:
            self._session.close()


class ScenarioFailure(Exception):
    """A run whose verdict is not pass."""

    def __init__(self, result: RunResult) -> None:
        super().__init__(f"{result.scenario} on {result.board}: {result.verdict}")
        self.result = result


def _collector(config: pytest.Config) -> _Collector:
    plugin = config.pluginmanager.get_plugin(pytest_board.KEEPER)
    assert isinstance(plugin, _Collector)
    return plugin


class ScenarioFile(pytest.File):
    """A scenario file: one item per model, board and compiler."""

    def collect(self) -> Iterable[pytest.Item]:
        from mcu_harness.base.errors import HarnessError
        from mcu_harness.scenario.cases import cases_of
        from mcu_harness.scenario.scenario import load_scenario

        collector = _collector(self.config)
        try:
            chosen = collector.settings
            scenario = load_scenario(self.path)
            if not (chosen.boards or self.config.option.keyword or self.config.option.markexpr):  # all of its cases
                collector.session.expect(cases_of(scenario))
            boards = chosen.boards or self.ihook.pytest_mcu_boards(config=self.config, scenario=scenario) or ()
            cases = cases_of(scenario, boards, chosen.toolchains)
        except HarnessError as error:
            raise self.CollectError(str(error)) from error
        for case in cases:
            yield ScenarioItem.from_parent(self, name=case.name, case=case)


class ScenarioItem(pytest.Item):
    """One scenario (and model) on one board."""

    def __init__(self, *, case: Case, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case
        self.add_marker("mcu")
        self.extra_keyword_matches.update({case.scenario.name, case.board.name, case.board.core.name})

    def runtest(self) -> None:
        from mcu_harness.results.regression_gate import undecided

        result = _collector(self.config).measure(self.case, self)
        if reason := undecided(result):
            pytest.skip(reason)
        if result.verdict != "pass":
            raise ScenarioFailure(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from mcu_harness.base.errors import HarnessError
        from mcu_harness.results.report.failure import FailureText

        error = excinfo.value
        if isinstance(error, ScenarioFailure):
            return FailureText(error.result, self.config.get_verbosity())
        return f"set-up error: {error}" if isinstance(error, HarnessError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.case.scenario.name}[{self.name}]"


@pytest.fixture
def mcu_profile(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A function `mcu_profile(model, board, *, check=True, **inputs) -> RunResult` that runs a model on a board.

    `model` is a path (relative to the test's file), `board` a board name. Limits come from the `mcu_budget` marker; with
    `check` a breach or a wrong output fails the test with the same text as a scenario. There is no baseline for it.
    """
    from mcu_harness.base.errors import HarnessError
    from mcu_harness.results.report.terminal import failure_text
    from mcu_harness.scenario.cases import case_of_model

    collector = _collector(request.config)
    limits = {
        key: value
        for marker in reversed(list(request.node.iter_markers("mcu_budget")))
        for key, value in marker.kwargs.items()
    }

    def run(model: str | Path, board: str, *, check: bool = True, seed: int = 1, count: int = 4) -> RunResult:
        problem = ""
        try:
            case = case_of_model(request.path.parent / model, board, limits=limits, seed=seed, count=count)
            result = collector.measure(case, request.node, gated=False)
        except HarnessError as error:
            problem = f"set-up error: {error}"
        if problem:  # outside of the handler, so that pytest shows no chain of exceptions
            pytest.fail(problem, pytrace=False)
        if check and result.verdict != "pass":
            pytest.fail(failure_text(result, request.config.get_verbosity()), pytrace=False)
        return result

    yield run
