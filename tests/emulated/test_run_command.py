"""The command `run` as a person or a script uses it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main


@pytest.fixture(autouse=True)
def project(tmp_path: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(small_model, "small.tflite")


def test_json_alone_is_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "small.tflite", "--board", "nrf52840dk,stm32f4_discovery", "--json", "-"]) == 0
    said = capsys.readouterr()
    assert [run["board"] for run in json.loads(said.out)["runs"]] == ["nrf52840dk", "stm32f4_discovery"]
    assert "verdict" in said.err


def test_a_budget_of_the_command_line_holds_over_that_of_the_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    Path("case.toml").write_text(
        'model = "small.tflite"\nboards = ["nrf52840dk"]\n[budgets]\nflash = "1 MiB"\n[budgets.nrf52840dk]\nram = "1 MiB"\n'
    )
    assert main(["run", "case.toml"]) == 0
    assert main(["run", ".", "--budget", "flash=1KiB", "--budget", "ram=16B"]) == 1
    out = capsys.readouterr().out
    assert "[budget.flash]" in out and "[budget.ram]" in out


def test_quiet_leaves_the_table_and_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "small.tflite", "--board", "nrf52840dk", "-q"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[2].startswith("small ")
    assert main(["run", "small.tflite", "--board", "nrf52840dk", "-q", "--budget", "flash=1KiB"]) == 1
    assert "[budget.flash]" in capsys.readouterr().out


def test_a_place_that_cannot_be_written_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("no folder")
    model, elsewhere = ["small.tflite", "--board", "nrf52840dk"], str(Path("file", "below"))
    for words in (
        ["run", *model, "--json", elsewhere],
        ["run", *model, "--report-dir", "file"],
        ["run", *model, "--update-baseline", "--baseline-dir", "file"],
        ["fit", *model, "--results", elsewhere],
        ["fit", *model, "--html", elsewhere],
        ["build", *model, "--output", elsewhere],
        ["convert", "small.tflite", "--output", elsewhere],
        ["profile", "small.elf", "--board", "nrf52840dk", "--json", elsewhere],
        ["footprint", "small.elf", "--markdown", elsewhere],
        ["merge", "small.tflite", "--output", elsewhere],
        ["history", "small.tflite", "--output", elsewhere],
        ["compare", "small.tflite", "small.tflite", "--json", elsewhere],
        ["validate-cycles", ".", "--accuracy", elsewhere],
    ):
        assert main(words) == 2, words
        said = capsys.readouterr()
        assert "cannot be written" in said.err and not said.out, words
    assert sorted(path.name for path in Path().iterdir()) == ["file", "small.tflite"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_disk_that_is_full_afterwards_loses_no_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("reports", "results.json").mkdir(parents=True)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    words = [
        "run",
        "small.tflite",
        "--board",
        "nrf52840dk",
        "--json",
        "/dev/full",
        "--report-dir",
        "reports",
        "--github",
    ]
    assert main(words) == 2
    said = capsys.readouterr()
    assert "small " in said.out and "verdict" in said.out
    assert [line for line in said.err.splitlines() if "hint" not in line] == [
        "mcu-harness: error: /dev/full cannot be written: No space left on device",
        "mcu-harness: error: reports/results.json cannot be written: Is a directory",
        "mcu-harness: error: /dev/full: the step summary cannot be written: No space left on device",
    ]
    assert Path("reports", "nrf52840dk.md").is_file()
