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
