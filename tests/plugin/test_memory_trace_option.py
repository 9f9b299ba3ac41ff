"""`--memory-trace` under pytest, by option and by ini, and on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.results import results_file as results_json
from mcu_harness.results.records import MemoryAccesses


@pytest.fixture
def project(pytester: pytest.Pytester, small_model: Path) -> pytest.Pytester:
    shutil.copy(small_model, pytester.path / "small.tflite")
    (pytester.path / "case.toml").write_text('model = "small.tflite"\nboards = ["stm32f4_discovery"]\n')
    return pytester


def accesses(folder: Path) -> MemoryAccesses | None:
    (run,) = results_json.load(folder / "results.json").runs
    return run.accesses


@pytest.mark.parametrize(("ini", "arguments", "traced"), [("", (), False), ("", ("--mcu-memory-trace",), True), ("true", (), True), ("false", (), False)])  # fmt: skip
def test_it_is_asked_for_by_option_or_ini(
    project: pytest.Pytester, ini: str, arguments: tuple[str, ...], traced: bool
) -> None:
    if ini:
        (project.path / "pytest.ini").write_text(f"[pytest]\nmcu_memory_trace = {ini}\n")
    command = ("-p", "no:cacheprovider", "--mcu-emulator=unicorn", "--mcu-report-dir=out", *arguments)
    project.runpytest_subprocess(*command).assert_outcomes(passed=1)
    found = accesses(project.path / "out")
    assert (found is not None) == traced
    if found is not None:
        assert {"tensor", "symbol", "stack"} <= {each.kind for each in found.objects}
        assert "### Memory accesses" in (project.path / "out" / "stm32f4_discovery.md").read_text()


def test_run_shows_tables(project: pytest.Pytester, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(project.path / "case.toml")
    assert main(["run", path, "--memory-trace", "-v"]) == 0, "auto is the emulator that can"
    shown = capsys.readouterr().out
    assert "Memory accesses. Per inference." in shown
    assert "bytes written" in shown
    assert main(["run", path, "--emulator", "unicorn", "-v"]) == 0
    assert "Memory accesses" not in capsys.readouterr().out
