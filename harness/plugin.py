"""The pytest plugin: scenario files become tests, figures become properties, one table closes the session.

An adapter only: options -> one object -> library calls. Everything else of the harness is imported when a scenario
is met, so that an unrelated run pays next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.cases import Case, Options
    from harness.records import RunResult
    from harness.session import Session

_MARKER = (
    "mcu_budget(flash=..., ram=..., arena=..., stack=..., instructions=..., cycles=..., latency=..., accuracy=...): "
    "limits for what the mcu_profile fixture measures in this test, in units such as '64 KiB' or '20 ms'"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; each but --mcu-board has an ini twin that holds when the option is not given."""
    group = parser.getgroup("mcu", "firmware on emulated microcontroller boards")
    group.addoption(
        "--mcu-board",
        action="append",
        default=[],
        metavar="BOARD",
        help="run scenarios on this board instead of the ones they name (repeatable)",
    )
    for name, values, about in (
        ("emulator", "auto|unicorn|renode", "which emulator runs the firmware"),
        ("toolchain", "auto|gnu|zig", "which compiler builds the firmware"),
        ("report-dir", "DIR", "write results.json and a Markdown report per board there"),
    ):
        ini = f"mcu_{name.replace('-', '_')}"
        default = "" if name == "report-dir" else "auto"
        group.addoption(f"--mcu-{name}", default=None, metavar=values, help=f"{about} (ini: {ini})")
        parser.addini(ini, about, default=default)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known; nothing else happens until a scenario is met."""
    config.addinivalue_line("markers", _MARKER)
    config.addinivalue_line("markers", "mcu: a scenario on a board")
    config.pluginmanager.register(_Collector(config), "mcu_harness_collector")


def _setting(config: pytest.Config, name: str) -> str:
    given = config.getoption(f"--mcu-{name}")
    return str(given if given is not None else config.getini(f"mcu_{name.replace('-', '_')}"))


class _Collector:
    """What the plugin keeps for one pytest session."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The harness session, made at first use."""
        if self._session is None:
            from harness.session import Session

            self._session = Session()
        return self._session

    @property
    def options(self) -> Options:
        from harness.cases import Options

        return Options(emulator=_setting(self.config, "emulator"), toolchain=_setting(self.config, "toolchain"))

    @pytest.hookimpl
    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.suffix != ".toml":
            return None
        from harness.scenario import is_scenario_file

        return ScenarioFile.from_parent(parent, path=file_path) if is_scenario_file(file_path) else None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """pytest-xdist: take over what a worker measured."""
        for text in getattr(node, "workeroutput", {}).get("mcu_results", []):
            self.session.add_json(text)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._session is None or not self._session.runs:
            return
        worker_output = getattr(session.config, "workeroutput", None)
        if worker_output is not None:
            worker_output["mcu_results"] = self._session.to_json()
            return
        directory = _setting(session.config, "report-dir")
        if directory:
            self._session.write(session.config.rootpath / directory)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._session is None or not self._session.runs:
            return
        terminalreporter.section("mcu-harness")
        for line in self._session.summary_lines():
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
    plugin = config.pluginmanager.get_plugin("mcu_harness_collector")
    assert isinstance(plugin, _Collector)
    return plugin


class ScenarioFile(pytest.File):
    """A scenario file: one item per model and board."""

    def collect(self) -> Iterable[pytest.Item]:
        from harness.cases import cases_of
        from harness.errors import HarnessError
        from harness.scenario import load_scenario

        try:
            cases = cases_of(load_scenario(self.path), tuple(self.config.getoption("--mcu-board")))
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
        collector = _collector(self.config)
        result = collector.session.run(self.case, collector.options)
        self.user_properties += _properties(result)
        if result.verdict != "pass":
            raise ScenarioFailure(result)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        text = _explain(excinfo.value, self.config)
        return text if text is not None else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.case.scenario.name}[{self.name}]"


def _explain(error: BaseException, config: pytest.Config) -> str | None:
    from harness.errors import HarnessError
    from harness.report.terminal import failure_text

    if isinstance(error, ScenarioFailure):
        return failure_text(error.result, config.get_verbosity())
    return f"set-up error: {error}" if isinstance(error, HarnessError) else None


def _properties(result: RunResult) -> list[tuple[str, object]]:
    """Figures for JUnit's <property> elements; what was not measured is left out, never 0."""
    figures: list[tuple[str, object]] = [("mcu_board", result.board), ("mcu_verdict", str(result.verdict))]
    figures += [(f"mcu_{name}", m.value) for name, m in result.measurements.items() if m.value is not None]
    return figures


@pytest.fixture
def mcu_profile(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A function `mcu_profile(model, board, *, check=True, **inputs) -> RunResult` that runs a model on a board.

    `model` is a path (relative to the test's file), `board` a board name. Limits come from the `mcu_budget` marker; with
    `check` a breach or a wrong output fails the test with the same text as a scenario.
    """
    from harness.cases import case_of_model
    from harness.errors import HarnessError
    from harness.report.terminal import failure_text

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
            result = collector.session.run(case, collector.options)
        except HarnessError as error:
            problem = f"set-up error: {error}"
        if problem:  # outside of the handler, so that pytest shows no chain of exceptions
            pytest.fail(problem, pytrace=False)
        request.node.user_properties += _properties(result)
        if check and result.verdict != "pass":
            pytest.fail(failure_text(result, request.config.get_verbosity()), pytrace=False)
        return result

    yield run
