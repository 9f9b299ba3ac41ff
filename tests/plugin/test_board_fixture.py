"""The `mcu_board` fixture, through pytest: rows, reports, failures, baselines, workers, and boards that are always closed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from live_firmware import shell

pytestmark = pytest.mark.gnu

GOOD = """
def test_infers(mcu_board):
    board = mcu_board("shell.elf", "stm32f4_discovery")
    assert board.expect(r"ready in (\\d+) ms", timeout="50 ms")[1] == "5"
    with board.measure("infer", budget={"cycles": 2_000_000, "stack": "2 KiB"}) as cost:
        board.send("infer\\n")
        board.expect("done", timeout="200 ms")
    with board.measure(name="idle"):
        board.run_for("2 ms")
    assert board.read("press_count", "u32") == 0 and cost.calls == 1
    assert cost.cycles < cost.limit("cycles")
"""


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shell(tmp_path_factory.mktemp("shell"))


@pytest.fixture
def project(pytester: pytest.Pytester, elf: Path) -> pytest.Pytester:
    (pytester.path / "shell.elf").write_bytes(elf.read_bytes())
    return pytester


def run(pytester: pytest.Pytester, text: str, *arguments: str) -> pytest.RunResult:
    (pytester.path / "test_shell.py").write_text(text)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *arguments)


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_each_measurement_is_a_row_of_table_and_reports(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    result = run(project, GOOD, "--mcu-report-dir=reports", "--junitxml=junit.xml", *workers)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["test_infers.idle *stm32f4_discovery *pass*", "test_infers.infer *pass*"])
    runs = json.loads((project.path / "reports" / "results.json").read_text())["runs"]
    assert [run["scenario"] for run in runs] == ["test_infers.idle", "test_infers.infer"]
    assert runs[1]["budgets"] == {"cycles": 2_000_000, "stack_hwm_bytes": 2048}
    junit = (project.path / "junit.xml").read_text()
    assert f'name="infer.mcu_cycles" value="{runs[1]["measurements"]["cycles"]["value"]}"' in junit


def test_a_failure_has_the_transcript_and_no_frames_of_the_harness(project: pytest.Pytester) -> None:
    text = GOOD.replace('board.expect("done", timeout="200 ms")', 'board.expect("finished", timeout="3 ms")')
    result = run(project, text)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>*board.expect("finished", timeout="3 ms")',
            "E*BoardFailure: expect('finished'): it did not come within 3 ms",
            "E*the core is in main at 0x* (shell.c:*), in WFI",
            "E*calls: Reset_Handler > main",
            "*mcu-harness: console of board*",
            "*5.0* ms  < ready in 5 ms",
            "*ms  > infer",
            "*ms  < done",
        ]
    )
    assert "app/live/" not in result.stdout.str()


def test_a_budget_that_is_exceeded_fails_the_test(project: pytest.Pytester) -> None:
    result = run(project, GOOD.replace("2_000_000", "100"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*fail: cycles is *over the budget of 100 *budget.cycles*"])


def test_what_is_asked_wrongly_is_one_error(project: pytest.Pytester) -> None:
    result = run(project, GOOD.replace("shell.elf", "shel.elf"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E*ScenarioError: *shel.elf*", "E*hint:*"])
    result = run(project, GOOD.replace("stm32f4_discovery", "stm32f4_discovry"))
    result.stdout.fnmatch_lines(["E*BoardError: *", "E*did you mean*stm32f4_discovery*"])


def test_baselines_are_accepted_and_held(project: pytest.Pytester) -> None:
    run(project, GOOD, "--mcu-update-baseline").assert_outcomes(passed=1)
    path = project.path / "baselines" / "live" / "test_infers.infer@stm32f4_discovery.json"
    plain = json.loads(path.read_text())
    run(project, GOOD, "--mcu-compare-fail=cycles:2%").assert_outcomes(passed=1)
    plain["figures"]["cycles"] *= 0.9
    path.write_text(json.dumps(plain))
    held = run(project, GOOD, "--mcu-compare-fail=cycles:2%")
    held.assert_outcomes(failed=1)
    held.stdout.fnmatch_lines(
        ["E*cycles *exceeds its baseline by more than 2%*", "E*pytest --mcu-update-baseline test_shell.py::test_infers"]
    )


@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "workers"])
def test_no_baseline_is_accepted_of_a_test_that_does_not_pass(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    """Neither where it fails after the measurement, nor where its fixtures do; what cannot be written is an error."""
    fails = GOOD.replace("test_infers", "test_fails") + "    assert board is None\n"
    ends_badly = GOOD.replace("test_infers(mcu_board", "test_ends_badly(broken, mcu_board")
    fixture = "import pytest\n\n@pytest.fixture\ndef broken():\n    yield\n    raise OSError('gone')\n"
    folder = project.path / "baselines" / "live"
    (folder / "test_infers.idle@stm32f4_discovery.json").mkdir(parents=True)
    result = run(project, fixture + fails + ends_badly + GOOD, "--mcu-update-baseline", *workers)
    result.assert_outcomes(passed=2, failed=1, errors=2)
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["test_infers.infer@stm32f4_discovery.json"]
    refused = "baseline: *{}.infer@*.json was left as it is: the test did not pass: {}*"
    result.stdout.fnmatch_lines_random(
        [
            refused.format("test_fails", "assert "),
            refused.format("test_ends_badly", "OSError: gone"),
            "*test_infers.idle@stm32f4_discovery.json cannot be written: *",
            "baseline: accepted as *test_infers.infer@stm32f4_discovery.json: new",
        ]
    )


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_coverage_of_all_tests_together(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    other = """
def test_counts(mcu_board):
    board = mcu_board("shell.elf", "stm32f4_discovery")
    board.expect("ready")
    board.send("count\\n")
    board.expect(r"\\d+\\n")


def test_waits_in_vain(mcu_board):
    mcu_board("shell.elf", "stm32f4_discovery").expect("finished", timeout="1 ms")
"""
    result = run(project, GOOD + other, "--mcu-coverage", "--mcu-report-dir=reports", *workers)
    result.assert_outcomes(passed=2, failed=1)
    # A row takes the outcome of its test, which is told after the row was made, or before.
    runs = json.loads((project.path / "reports" / "results.json").read_text())["runs"]
    verdicts = {each["scenario"]: each["verdict"] for each in runs}
    passing = ("test_counts.run", "test_infers.idle", "test_infers.infer", "test_infers.run")
    assert verdicts == dict.fromkeys(passing, "pass") | {"test_waits_in_vain.run": "fail"}
    (finding,) = runs[-1]["findings"]
    said = "the test failed: expect('finished'): it did not come within 1 ms"
    assert (finding["code"], finding["message"]) == ("test.failed", said)
    result.stdout.fnmatch_lines(["test_counts.run *pass*", "coverage: * of * lines, * functions, * ways of branches"])
    lcov = (project.path / "reports" / "coverage.lcov").read_text()
    assert "FNDA:1,infer\n" in lcov
    assert "FNDA:0,crash\n" in lcov
    assert "FNDA:3,main\n" in lcov  # one of each test


OPEN = """
import mcu_harness.emulator.unicorn.live_run as live_run
closed = live_run.LiveRun.close
def close(self):
    closed(self)
    print("CLOSED", self._closed, hasattr(self._engine, "core"))
live_run.LiveRun.close = close
def test_one(mcu_board):
    mcu_board("shell.elf", "stm32f4_discovery").expect("ready")
    mcu_board("shell.elf", "stm32f4_discovery")
    {end}
def test_two(mcu_board):
    mcu_board("shell.elf", "stm32f4_discovery").run_for("1 ms")
"""


@pytest.mark.parametrize(
    ("end", "arguments", "closed"),
    [("pass", (), 3), ("assert False", ("-x",), 2), ("raise SystemExit(3)", ("-x",), 2), ("assert False", (), 3)],
)
def test_boards_are_closed_however_a_test_ends(
    project: pytest.Pytester, end: str, arguments: tuple[str, ...], closed: int
) -> None:
    result = run(project, OPEN.format(end=end), "-s", *arguments)
    assert result.stdout.str().count("CLOSED True False") == closed


def test_ctrl_c_ends_a_run_that_would_take_for_ever(project: pytest.Pytester) -> None:
    (project.path / "test_shell.py").write_text(
        OPEN.format(
            end='print("GOES", flush=True); mcu_board("shell.elf", "stm32f4_discovery").expect("never", timeout="1000000 s")'
        )
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider"],
        cwd=project.path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    seen = ""
    while "GOES" not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 2, rest
    assert "KeyboardInterrupt" in rest
    assert rest.count("CLOSED True False") == 3


@pytest.mark.usefixtures("nothing_imported")
def test_the_plugin_imports_no_emulator_before_a_board_is_asked_for(project: pytest.Pytester) -> None:
    text = "import sys\\ndef test_nothing():\\n    assert not {'unicorn', 'numba', 'numpy', 'capstone'} & set(sys.modules)\\n"
    run(project, text.replace("\\n", "\n")).assert_outcomes(passed=1)


@pytest.mark.usefixtures("nothing_imported")
def test_a_board_needs_neither_oracle_nor_compiler(project: pytest.Pytester) -> None:
    text = GOOD + "    import sys\n    assert not {'ai_edge_litert', 'ziglang', 'tflite'} & set(sys.modules)\n"
    run(project, text).assert_outcomes(passed=1)


def test_a_mistake_shows_the_tests_own_lines_and_none_of_ours(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
def test_no_image(mcu_board):
    mcu_board("none.elf", "stm32f4_discovery")


def test_no_variable(mcu_board):
    mcu_board("shell.elf", "stm32f4_discovery").read("press_cuont")
"""
    )
    result = project.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn")
    result.assert_outcomes(failed=2)
    text = result.stdout.str()
    assert "no such file" in text and "press_count" in text
    assert "mcu_harness/app" not in text and "Program(" not in text
