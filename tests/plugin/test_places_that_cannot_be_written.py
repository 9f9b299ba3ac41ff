"""Outputs of a session that cannot be written, and hooks that raise: told in one line, and nothing else is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

WORKERS = pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])


@pytest.fixture
def project(pytester: pytest.Pytester, small_model: Path) -> pytest.Pytester:
    shutil.copy(small_model, pytester.path / "small.tflite")
    (pytester.path / "case.toml").write_text(
        'model = "small.tflite"\nboards = ["stm32f4_discovery"]\n[outputs]\noracle = "none"\n'
    )
    (pytester.path / "file").write_text("no folder")
    pytester.makeini("[pytest]\nmcu_emulator = unicorn\n")
    return pytester


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()
    return result


@pytest.mark.parametrize("option", ["--mcu-report-dir=file", "--mcu-report-dir=file/below", "--mcu-baseline-dir=file"])
def test_a_place_that_was_asked_for_is_refused_before_anything_runs(project: pytest.Pytester, option: str) -> None:
    result = run(project, option, "--mcu-update-baseline")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *file* cannot be written: *directory*"])
    assert "collected" not in result.stdout.str() and "workers" not in result.stdout.str()


@WORKERS
def test_a_place_from_ini_is_refused_where_a_scenario_would_write_to_it(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    project.makeini("[pytest]\nmcu_emulator = unicorn\nmcu_report_dir = file\n")
    project.makepyfile("def test_of_somebody_else(): pass")
    result = run(project, *workers)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*set-up error: *file cannot be written: *directory*"])


def test_a_folder_of_baselines_is_tried_before_anything_runs(project: pytest.Pytester) -> None:
    (project.path / "baselines").write_text("no folder")
    result = run(project, "--mcu-update-baseline")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*set-up error: *baselines cannot be written: *baselines is no directory"])


@WORKERS
def test_a_report_that_fails_at_the_end_loses_no_other(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    (project.path / "reports" / "results.json").mkdir(parents=True)
    result = run(project, "--mcu-report-dir=reports", *workers)
    assert result.ret == 2
    result.stdout.fnmatch_lines(
        ["scenario *board *verdict*", "case/small *pass*", "mcu-harness: error: *results.json cannot be written: *"]
    )
    assert (project.path / "reports" / "stm32f4_discovery.md").is_file()


def test_a_baseline_that_cannot_be_kept_loses_no_result(project: pytest.Pytester) -> None:
    (project.path / "baselines" / "case@stm32f4_discovery.json").mkdir(parents=True)
    result = run(project, "--mcu-update-baseline", "--mcu-report-dir=reports")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*case@stm32f4_discovery.json cannot be written: *", "case/small *"])
    (kept,) = json.loads((project.path / "reports" / "results.json").read_text())["runs"]
    assert kept["measurements"]["instructions"]["value"] > 0 and kept["verdict"] == "not measured"


def test_a_step_summary_that_cannot_be_written(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "file" / "below"))
    early = run(project, "--mcu-github")
    assert early.ret == pytest.ExitCode.USAGE_ERROR
    early.stderr.fnmatch_lines(["ERROR: *file/below: the step summary cannot be written: *"])
    if Path("/dev/full").exists():
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
        late = run(project, "--mcu-github")
        assert late.ret == 2
        late.stdout.fnmatch_lines(["case/small *pass*", "mcu-harness: error: /dev/full: the step summary cannot *"])


@pytest.mark.parametrize(
    ("hook", "workers"),
    [("boards", ()), ("findings", ()), ("result", ("-n2",)), ("session", ()), ("session", ("-n2",))],
)
def test_a_hook_that_raises_is_one_error_line(project: pytest.Pytester, hook: str, workers: tuple[str, ...]) -> None:
    arguments = {"boards": "scenario", "session": "results"}.get(hook, "result")
    project.makeconftest(f"def pytest_mcu_{hook}(config, {arguments}):\n    raise KeyError('mine')\n")
    project.makepyfile("def test_of_somebody_else(): pass")
    result = run(project, "--mcu-report-dir=reports", *workers)
    result.stdout.fnmatch_lines([f"*error: the hook pytest_mcu_{hook} raised KeyError: 'mine' (conftest.py:2)*"])
    assert result.ret == (2 if hook == "session" else 1)
    assert result.parseoutcomes()["passed"] == (2 if hook == "session" else 1)
