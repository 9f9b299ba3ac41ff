"""Scenario items under marks and plugins: like functions, one result for each case, nobody else's tests stopped."""

from __future__ import annotations

import importlib.util
import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

BOARD, OTHER = "stm32f4_discovery", "nucleo_g071rb"


@pytest.fixture
def project(pytester: pytest.Pytester, small_model: Path) -> pytest.Pytester:
    shutil.copy(small_model, pytester.path / "small.tflite")
    scenario(pytester)
    return pytester


def scenario(
    pytester: pytest.Pytester, extra: str = "", boards: tuple[str, ...] = (BOARD,), name: str = "case"
) -> None:
    text = f'model = "small.tflite"\nboards = {json.dumps(boards)}\n[outputs]\noracle = "none"\n{extra}'
    (pytester.path / f"{name}.toml").write_text(text)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn", *arguments)


def marked(pytester: pytest.Pytester, mark: str) -> None:
    """Put `mark` on every scenario item."""
    pytester.makeconftest(
        f"""
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker({mark})

        @pytest.fixture
        def prepared(request):
            print("prepared for", request.node.name)
            yield 1
            print("put away after", request.node.name)
        """
    )


def results(pytester: pytest.Pytester, folder: str = "reports") -> list[tuple[str, str]]:
    plain = json.loads((pytester.path / folder / "results.json").read_text())
    return [(run["board"], run["verdict"]) for run in plain["runs"]]


@pytest.mark.parametrize(
    ("mark", "budget", "outcome"),
    [
        ("pytest.mark.skip(reason='not in stock')", False, "skipped"),
        ("pytest.mark.skipif(True, reason='not in stock')", False, "skipped"),
        ("pytest.mark.skipif(False, reason='not in stock')", False, "passed"),
        ("pytest.mark.xfail(reason='too large')", True, "xfailed"),
        ("pytest.mark.xfail(reason='too large')", False, "xpassed"),
        ("pytest.mark.xfail(strict=True)", False, "failed"),
        ("pytest.mark.usefixtures('prepared')", False, "passed"),
    ],
)
def test_marks_mean_what_they_mean_on_functions(
    project: pytest.Pytester, mark: str, budget: bool, outcome: str
) -> None:
    scenario(project, '[budgets]\nflash = "1 KiB"\n' if budget else "")
    marked(project, mark)
    result = run(project, "-rs", "-s")
    result.assert_outcomes(**{outcome: 1})
    if outcome == "skipped":
        result.stdout.fnmatch_lines(["SKIPPED * case.toml*: not in stock"])
    if "usefixtures" in mark:
        result.stdout.fnmatch_lines([f"*prepared for {BOARD}*", f"*put away after {BOARD}*"])


def test_a_fixture_that_is_not_there_is_an_error_of_the_item(project: pytest.Pytester) -> None:
    marked(project, "pytest.mark.usefixtures('nowhere')")
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'nowhere' not found*"])


def test_fixtures_for_functions_that_look_for_their_module_do_not_stop_a_scenario(project: pytest.Pytester) -> None:
    project.makeconftest(
        "import pytest\n@pytest.fixture(autouse=True)\ndef path(request):\n    return request.module.__file__\n"
    )
    run(project).assert_outcomes(passed=1)


def test_a_board_that_cannot_be_used_is_an_error_with_a_row_and_the_others_run(project: pytest.Pytester) -> None:
    (project.path / "mine.toml").write_text("name = 1\n")
    (project.path / "broken.tflite").write_bytes(b"no model")
    scenario(project, boards=("./mine.toml", BOARD))
    scenario(project, boards=(OTHER,), name="other")
    other = project.path / "other.toml"
    other.write_text(other.read_text().replace("small.tflite", "broken.tflite"))
    project.makepyfile("def test_of_somebody_else(): pass")
    result = run(project, "--mcu-report-dir=reports", "--junitxml=junit.xml")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["*mine *set-up error*", "ERROR case.toml::mine*", "ERROR other.toml::nucleo_g071rb*"])
    assert sorted(results(project)) == [("mine", "not measured"), (OTHER, "not measured"), (BOARD, "pass")]
    suite = ET.parse(project.path / "junit.xml").getroot()[0]
    assert (suite.get("errors"), suite.get("failures"), suite.get("tests")) == ("2", "0", "4")


def test_two_tests_of_one_model_and_board_are_two_cases(project: pytest.Pytester) -> None:
    (project.path / "case.toml").unlink()
    project.makepyfile(
        f"""
        def test_one(mcu_profile):
            mcu_profile("small.tflite", "{BOARD}", seed=1)
            mcu_profile("small.tflite", "{BOARD}", seed=2)

        def test_other(mcu_profile):
            mcu_profile("small.tflite", "{BOARD}", seed=3)
        """
    )
    run(project, "--mcu-report-dir=alone").assert_outcomes(passed=2)
    run(project, "--mcu-report-dir=together", "-n2").assert_outcomes(passed=2)
    alone, together = ((project.path / name / "results.json").read_text() for name in ("alone", "together"))
    assert alone == together
    name = "test_two_tests_of_one_model_and_board_are_two_cases.py::test_"
    assert [run["test"] for run in json.loads(alone)["runs"]] == [f"{name}one", f"{name}one (2)", f"{name}other"]


FAILS_ONCE = """
import pathlib, pytest

@pytest.hookimpl
def pytest_mcu_findings(config, result):
    from mcu_harness.results.records import Finding, Verdict

    tried = pathlib.Path(f"tried-{result.board}-{result.test[-9:-6]}")
    if tried.exists():
        return []
    tried.write_text("")
    return [Finding("own.first", Verdict.FAIL, "the first time", "try again")]
"""
TESTED = f"""
def test_also(mcu_profile):
    mcu_profile("small.tflite", "{BOARD}")
    mcu_profile("small.tflite", "{OTHER}")
"""
# A module of each plugin, what it is told, and whether it runs failing tests again.
PLUGINS = {
    "pytest_rerunfailures": (["--reruns=3"], True),
    "pytest_retry.retry_plugin": (["--retries=3"], True),
    "pytest_randomly": ([], False),
    "pytest_cov.plugin": (["--cov=."], False),
    "pytest_repeat": (["--count=2"], False),
    "pytest_timeout": (["--timeout=500"], False),
    "pytest_html.plugin": (["-p", "pytest_metadata.plugin", "--html=report.html"], False),
    "allure_pytest.plugin": (["--alluredir=allure"], False),
    "pytest_embedded.plugin": ([], False),
}


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n2")], ids=["alone", "xdist"])
def test_beside_plugins_that_people_have(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, plugin: str, workers: tuple[str, ...]
) -> None:
    if importlib.util.find_spec(plugin.partition(".")[0]) is None:
        pytest.skip("not installed: `tox -e plugins` has all of them")
    arguments, again = PLUGINS[plugin]
    scenario(project, boards=(BOARD, OTHER))
    project.makepyfile(TESTED)
    if again:
        project.makeconftest(FAILS_ONCE)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = run(
        project, "-p", "mcu_harness.app.pytest_plugin", "-p", plugin, *arguments, *workers, "--mcu-report-dir=reports"
    )
    assert result.ret == 0, result.stdout.str()
    expected = [(OTHER, "pass"), (OTHER, "pass"), (BOARD, "pass"), (BOARD, "pass")]
    if plugin == "pytest_repeat":  # two tests with names of their own, which measure for themselves
        expected = [(OTHER, "pass")] * 3 + [(BOARD, "pass")] * 3
        assert result.parseoutcomes()["passed"] == 6
    assert sorted(results(project)) == expected
    if again:
        assert any(word in result.parseoutcomes() for word in ("rerun", "retried"))
