"""The command `run` as a person or a script uses it."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mcu_harness.app import cases_in_processes
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


def test_several_processes_give_the_results_of_one_in_the_same_order(capfd: pytest.CaptureFixture[str]) -> None:
    boards = "nrf52840dk,stm32f4_discovery,nucleo_g071rb"
    Path("broken.tflite").write_bytes(b"no model")
    Path("cases").mkdir()
    for name in ("broken", "small"):
        Path("cases", f"{name}.toml").write_text(f'model = "../{name}.tflite"\nboards = {boards.split(",")}\n')
    said = []
    for jobs in ("1", "2"):
        words = ["run", "cases", "--emulator", "unicorn", "--jobs", jobs, "--budget", "flash=1KiB"]
        assert main([*words, "--json", f"{jobs}.json"]) == 2, "the broken one cannot be set up"
        said.append(capfd.readouterr())
    assert said[0] == said[1]
    assert said[0].out.count("[budget.flash]") == 3
    assert said[0].err.count("broken.tflite") >= 3
    assert Path("1.json").read_text() == Path("2.json").read_text()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("jobs", ["0", "-1", "many", "1e3", "999"])
def test_jobs_that_are_no_number_of_processes_are_refused(jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "small.tflite", "--board", "nrf52840dk", f"--jobs={jobs}"]) == 2
    assert f"--jobs: '{jobs}'" in capsys.readouterr().err


def test_a_process_that_dies_is_an_error_of_its_cases(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "small.tflite", "--board", "nrf52840dk,stm32f4_discovery", "--emulator", "unicorn", "--jobs", "2"]
    monkeypatch.setattr(cases_in_processes, "_begin", die)
    assert main(words) == 2
    assert capfd.readouterr().err.count("a process that ran cases died") == 2


def die() -> None:
    os._exit(9)


def test_an_interrupt_ends_every_process(tmp_path: Path) -> None:
    code = "import multiprocessing, sys; from mcu_harness.app.cli.main import main\n"
    code += "if __name__ == '__main__': sys.exit(main(sys.argv[1:]))\n"
    (tmp_path / "start.py").write_text(code)
    boards = "nrf52840dk,stm32f4_discovery,nucleo_g071rb"
    words = [sys.executable, "start.py", "run", "small.tflite", "--board", boards, "--emulator", "unicorn", "-j", "2"]
    started = subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    try:
        for _ in range(600):
            if len(children.read_text().split()) >= 3:  # two that run cases, and what keeps track of them
                break
            time.sleep(0.1)
        ids = [int(each) for each in children.read_text().split()]
        assert len(ids) >= 3
        started.send_signal(signal.SIGINT)
        assert started.wait(60) != 0
        for _ in range(300):
            left = [each for each in ids if is_running(each)]
            if not left:
                break
            time.sleep(0.1)
        assert not left
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


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
    assert main(["run", "small.tflite", "--board", "nrf52840dk", "-q", "--update-baseline"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("baseline: ") and "accepted" in last  # a file was written: quiet runs say so too


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--toolchain=gcc", "no toolchain is called 'gcc'"),
        ("--emulator=qemu", "no emulator named 'qemu'"),
        ("--what-if=cluck=3", "nrf52840dk has no 'cluck'"),
        ("--what-if=clock", "cannot read 'clock'"),
    ],
)
def test_a_choice_that_there_is_not_is_one_error_and_no_table(
    capsys: pytest.CaptureFixture[str], option: str, said: str
) -> None:
    assert main(["run", "small.tflite", "--board", "nrf52840dk", option]) == 2
    told = capsys.readouterr()
    assert said in told.err and told.err.count("mcu-harness: error:") == 1 and told.out == ""


def test_a_function_of_no_file_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "net.py:make", "--board", "nrf52840dk"]) == 2
    assert "net.py:make: net.py: no such file" in capsys.readouterr().err


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
