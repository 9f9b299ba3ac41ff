"""The pytest plugin: scenario files become tests, figures become properties, one table closes the session.

An adapter only: options -> one object -> library calls. Everything else of the harness is imported when a scenario
is met, so that an unrelated run pays next to nothing.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mcu_harness.app import pytest_board, pytest_unit_tests
from mcu_harness.app.options import MARKERS, OPTIONS, SCENARIOS
from mcu_harness.app.pytest_board import KEEPER
from mcu_harness.app.pytest_hooks import one_error
from mcu_harness.app.settings import Source, settings

if TYPE_CHECKING:
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import Settings
    from mcu_harness.base.errors import HarnessError
    from mcu_harness.emulator.kept import KeptEmulators
    from mcu_harness.results.records import Finding, RunResult
    from mcu_harness.scenario.cases import Case


_NOT_WRITTEN = 2  # the exit status, as the command's, for outputs that could not be written


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options and their ini twins, from one table."""
    group = parser.getgroup("mcu", "firmware on emulated microcontroller boards")
    for option in OPTIONS:
        group.addoption(option.flag, **option.arguments)
        if option.ini:
            parser.addini(option.key, option.about, type=option.ini_type, default=option.ini_default)
    parser.addini(SCENARIOS.key, SCENARIOS.about, type="args", default=list(SCENARIOS.default))


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """The hooks that users may implement."""
    from mcu_harness.app import pytest_hooks

    pluginmanager.add_hookspecs(pytest_hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known; nothing else happens until a scenario is met."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    collector = _Collector(config)
    config.pluginmanager.register(collector, KEEPER)
    config.pluginmanager.register(pytest_board, "mcu_harness_board")
    config.pluginmanager.register(pytest_unit_tests, "mcu_harness_unit_tests")
    if any(config.getoption(option.flag) for option in OPTIONS):
        from mcu_harness.base.errors import HarnessError

        try:
            chosen = collector.settings
            if not hasattr(config, "workerinput"):
                chosen.check_places()
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from error


class _Collector:
    """What the plugin keeps for one pytest session."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._session: Session | None = None
        self._emulators: KeptEmulators | None = None
        self._settings: Settings | None = None
        self._properties: dict[str, list[tuple[str, object]]] = {}  # that this plugin gave to a test, by its id
        self._failed: dict[str, str] = {}  # tests that failed, with why in a line
        self._not_passed: dict[str, str] = {}  # tests under way that will not have passed, with why in a line
        self._errors: list[HarnessError] = []  # of what is written when all is over

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

            self._session = Session(self.settings.gate, self.settings.columns, self.emulators)
        return self._session

    @property
    def emulators(self) -> KeptEmulators:
        """The emulators of this process, made at first use."""
        if self._emulators is None:
            from mcu_harness.emulator.kept import KeptEmulators

            self._emulators = KeptEmulators()
        return self._emulators

    @property
    def emulator(self) -> str:
        """See `pytest_board.Keeper`."""
        return self.settings.options.emulator

    def begin(self, node: pytest.Item) -> None:
        """The test `node` begins, perhaps again: what it measured before does not count."""
        if self._session is not None:
            self._session.forget(node.nodeid)
        mine = self._properties.pop(node.nodeid, [])
        node.user_properties[:] = [kept for kept in node.user_properties if all(kept is not one for one in mine)]

    def measure(self, case: Case, node: pytest.Item, gated: bool = True) -> RunResult:
        """Run one case for the test `node`, whose properties get the figures; raises HarnessError."""
        result = self.session.run(case, self.settings.options, gated=gated, rules=self._rules(node), owner=node.nodeid)
        return self._told(result, node)

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
        kept = self.session.keep(case, result, gated=gated, rules=self._rules(node), owner=node.nodeid)
        return self._told(kept, node, label)

    def _rules(self, node: pytest.Item) -> Callable[[RunResult], Iterable[Finding]]:
        def found(run: RunResult) -> Iterable[Finding]:
            with one_error("pytest_mcu_findings"):
                return [*chain(*node.ihook.pytest_mcu_findings(config=self.config, result=run))]

        return found

    def _told(self, result: RunResult, node: pytest.Item, label: str = "") -> RunResult:
        from mcu_harness.results.report.junit import properties

        given: list[tuple[str, object]] = [(f"{label}{name}", value) for name, value in properties(result)]
        self._properties.setdefault(node.nodeid, []).extend(given)
        node.user_properties += given
        with one_error("pytest_mcu_result"):
            node.ihook.pytest_mcu_result(config=self.config, result=result)
        return result

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.suffix != ".toml":
            return None
        from mcu_harness.scenario.discovery import is_left_of_one, is_named, is_scenario_file

        patterns = tuple(self.config.getini(SCENARIOS.key))
        named = patterns != SCENARIOS.default and is_named(file_path, self.config.rootpath, patterns)
        asked = parent.session.isinitpath(file_path)
        recognised = (patterns == SCENARIOS.default or asked) and is_scenario_file(file_path)
        if not named and not recognised and not (asked and is_left_of_one(file_path)):
            return None
        from mcu_harness.app.pytest_scenarios import ScenarioFile

        return ScenarioFile.from_parent(parent, path=file_path)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """pytest-xdist: results travel with the test's report, so that a crashing worker takes none along."""
        if call.excinfo is not None:
            from mcu_harness.app.pytest_scenarios import without_internals

            without_internals(call)
        report = yield
        if call.excinfo is not None:
            from mcu_harness.app.pytest_scenarios import as_error

            as_error(item, call, report)
        self._note_end(item, report)
        if self._session is not None and hasattr(self.config, "workerinput"):
            report.mcu_results = self._session.take_json()  # type: ignore[attr-defined]
        return report

    def _note_end(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Baselines of what a test measured are written when it has passed; one that cannot be written is an error of the test."""
        if report.when == "setup":
            self._not_passed.pop(item.nodeid, None)
        if not report.passed:
            why = pytest_board.why_failed(report) if report.failed else "it was skipped, or expected to fail"
            self._not_passed.setdefault(item.nodeid, f"the test did not pass: {why}")
        if report.when == "teardown" and self._session is not None:
            problems = self._session.end_test(item.nodeid, self._not_passed.pop(item.nodeid, ""))
            if problems and report.passed:
                report.outcome, report.longrepr = "failed", "\n".join(problems)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(self.config, "workerinput"):
            return
        if report.when == "setup":  # perhaps not for the first time
            self._failed.pop(report.nodeid, None)
        if report.failed:
            self._failed.setdefault(report.nodeid, pytest_board.why_failed(report))
        results = getattr(report, "mcu_results", None)
        if results is None:
            return
        if report.when == "setup" and not results:  # in a worker; perhaps not for the first time
            self.session.forget(report.nodeid)
        for text in results:
            self.session.add_json(text, report.nodeid)

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
        for nodeid, why in self._failed.items():  # rows of coverage come after the test has failed
            self._session.fail(nodeid, why)
        if worker_output is not None:
            worker_output["mcu_unused"] = self._session.unused_baselines()
        elif self._session.runs:
            self._write(self._session)
            if self._errors and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
                session.exitstatus = _NOT_WRITTEN

    def _write(self, session: Session) -> None:
        """Write what was asked for; what cannot be written is told under the table."""
        from mcu_harness.base.files import kept_in
        from mcu_harness.results.report import github

        if self.settings.report_dir:
            session.write(self.settings.report_dir, self._errors)
        if self.settings.github:
            with kept_in(self._errors):
                github.write_summary(session.results)
        with kept_in(self._errors), one_error("pytest_mcu_session"):
            self.config.hook.pytest_mcu_session(config=self.config, results=session.results)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._session is None or not self._session.runs:
            return
        terminalreporter.section("mcu-harness")
        quiet, coloured = self.config.get_verbosity() < 0, terminalreporter.hasmarkup
        width = shutil.get_terminal_size().columns if terminalreporter.isatty else None
        for line in self._session.summary_lines(width, quiet=quiet, coloured=coloured, notes=self.settings.notes):
            terminalreporter.write_line(line)
        if self.settings.github:
            from mcu_harness.results.report import github

            for line in github.publish(self._session.results):
                terminalreporter.write_line(line)
        for error in self._errors:
            terminalreporter.write_line(f"mcu-harness: error: {error}", red=True)

    def pytest_unconfigure(self) -> None:
        if self._emulators is not None:
            self._emulators.close()


def _collector(config: pytest.Config) -> _Collector:
    plugin = config.pluginmanager.get_plugin(KEEPER)
    assert isinstance(plugin, _Collector)
    return plugin


@pytest.fixture
def mcu_profile(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A function `mcu_profile(model, board, ...) -> RunResult` that runs a model or firmware on a board.

    `model` is a path (relative to the test's file), `board` a board name. Samples: `inputs` is an array (count, *shape), a dict
    of arrays for several inputs, or a `.npy` or `.npz` file, with `labels` (count,), `targets` and a `threshold` for scores; or
    `seed` and `count`. `outputs` are expected ones in place of LiteRT's. `toolchain` and `kernels` are as on the command line.
    For an `.elf`, `.hex` or `.bin`, `begin`, `end`, `stop`, `stop_after`, `regions`, `each_call`, `layers` and `load_address` are
    as under [firmware] and [profile] in a scenario. Limits come from the `mcu_budget` marker; with `baseline=True` the figures
    are held to those accepted for this test, in `baselines/tests` beside it. With `check` a breach or a wrong output fails the
    test with the same text as a scenario.
    """
    from mcu_harness.app.pytest_profile import Profiler

    collector = _collector(request.config)
    collector.begin(request.node)

    def folder() -> Path:
        made: Path = request.getfixturevalue("tmp_path_factory").mktemp("mcu_profile")
        return made

    yield Profiler(
        node=request.node,
        folder=folder,
        measure=lambda case, gated: collector.measure(case, request.node, gated=gated),
        verbosity=request.config.get_verbosity(),
    )
