"""Baselines under pytest, as a team uses them: through pytester, with real builds, with and without workers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main

BOARDS = ("stm32f4_discovery", "nucleo_g071rb")
GATE = ("--mcu-compare-fail=cycles:2%", "--mcu-compare-fail=flash:+64")


@pytest.fixture
def project(pytester: pytest.Pytester, small_model: Path) -> pytest.Pytester:
    shutil.copy(small_model, pytester.path / "small.tflite")
    write(pytester)
    return pytester


def write(pytester: pytest.Pytester, extra: str = "", boards: tuple[str, ...] = BOARDS, name: str = "case") -> None:
    (pytester.path / f"{name}.toml").write_text(f'model = "small.tflite"\nboards = {json.dumps(boards)}\n{extra}')


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn", *arguments)


def edit(pytester: pytest.Pytester, board: str, change: dict[str, float], kind: str = "figures") -> None:
    """Make the accepted figures of a board others than they were."""
    path = pytester.path / "baselines" / f"case@{board}.json"
    plain = json.loads(path.read_text())
    for name, factor in change.items():
        plain[kind][name] *= factor
        for part in plain["parts"].get(name, {}) if kind == "figures" else ():
            plain["parts"][name][part] *= factor
    path.write_text(json.dumps(plain))


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_accept_then_hold_then_fail_then_accept_again(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    first = run(project, "--mcu-update-baseline", *workers)
    first.assert_outcomes(passed=2)
    first.stdout.fnmatch_lines(["baseline: accepted as baselines/case@nucleo_g071rb.json: new"])
    assert sorted(path.name for path in (project.path / "baselines").iterdir()) == [
        "case@nucleo_g071rb.json",
        "case@stm32f4_discovery.json",
    ]
    run(project, *GATE).assert_outcomes(passed=2)
    edit(project, "nucleo_g071rb", {"cycles": 0.9})
    third = run(project, *GATE, *workers)
    third.assert_outcomes(passed=1, failed=1)
    third.stdout.fnmatch_lines(
        [
            "*fail: cycles * -> * (+*, +11.11 %) exceeds its baseline by more than 2%; nothing*changed*baseline.cycles*",
            "*what moved:*",
            "*layer 00 CONV_2D: +*%)",
            "*function mcu_conv_2d_pairs*_s8: +*",
            "*accept it: pytest --mcu-update-baseline case.toml::nucleo_g071rb",
        ]
    )
    third.stdout.fnmatch_lines(["case/small *nucleo_g071rb *FAIL *cycles +11.11 %"])
    (command,) = {line.split("accept it: ")[1] for line in third.outlines if "accept it: " in line}
    run(project, *command.split()[1:]).assert_outcomes(passed=1)
    run(project, *GATE).assert_outcomes(passed=2)


def test_missing_baseline_is_offered_outside_of_ci(project: pytest.Pytester) -> None:
    result = run(project, *GATE)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "no baseline yet: baselines/case@nucleo_g071rb.json",
            "accept the present figures, then commit the files: pytest --mcu-update-baseline case.toml",
        ]
    )
    assert not (project.path / "baselines").exists()


def test_missing_baseline_fails_in_ci(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    result = run(project, *GATE, "-n2")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*there is no baseline baselines/case@*", "*what to do: accept the present figures*"])


def test_other_compiler_is_skipped_with_the_reason_and_fails_in_ci(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(project, "--mcu-update-baseline").assert_outcomes(passed=2)
    for board in BOARDS:
        path = project.path / "baselines" / f"case@{board}.json"
        plain = json.loads(path.read_text())
        plain["depends_on"]["compiler"] = "gnu 1.0"
        path.write_text(json.dumps(plain))
    result = run(project, *GATE, "-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(
        ["SKIPPED*cycles, flash: the baseline was made with something else: compiler: gnu 1.0 -> *"]
    )
    result.stdout.fnmatch_lines(["case/small *not comparable*"])
    monkeypatch.setenv("CI", "true")
    run(project, *GATE).assert_outcomes(failed=2)


def test_unused_baselines_are_named_when_whole_scenarios_are_collected(project: pytest.Pytester) -> None:
    run(project, "--mcu-update-baseline").assert_outcomes(passed=2)
    write(project, boards=("stm32f4_discovery",))
    said = "baseline of no case, to be removed: *case@nucleo_g071rb.json"
    run(project).stdout.fnmatch_lines([said])
    run(project, "-n2").stdout.fnmatch_lines([said])
    run(project, "-k", "stm32f4_discovery").stdout.no_fnmatch_line(said)
    run(project, "--mcu-board=nrf52840dk").stdout.no_fnmatch_line(said)


def test_tolerances_from_the_scenario_file_gate_without_options(project: pytest.Pytester) -> None:
    write(project, '[baseline]\ncycles = "2 %"\nflash = "+64 B"\n')
    run(project, "--mcu-update-baseline").assert_outcomes(passed=2)
    run(project).assert_outcomes(passed=2)
    edit(project, "stm32f4_discovery", {"flash_bytes": 0.5})
    result = run(project)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*flash *exceeds its baseline by more than +64*"])
    run(project, "--mcu-compare-fail=flash:200%").assert_outcomes(passed=2)


def test_ini_twins_hold_when_options_are_absent(project: pytest.Pytester) -> None:
    project.makeini(
        """
        [pytest]
        mcu_board = stm32f4_discovery
        mcu_compare_fail =
            cycles:2%
            flash:+64
        mcu_baseline_dir = accepted
        mcu_columns = cycles, core
        """
    )
    run(project, "--mcu-update-baseline").assert_outcomes(passed=1)
    path = project.path / "accepted" / "case@stm32f4_discovery.json"
    plain = json.loads(path.read_text())
    plain["figures"]["cycles"] /= 2
    path.write_text(json.dumps(plain))
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cycles *exceeds its baseline*", "scenario *board *verdict *cycles *core*"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--mcu-compare-fail=cycles", "*cannot read the tolerance 'cycles'*"),
        ("--mcu-compare-fail=speed:2%", "*figures: instructions, cycles*"),
        ("--mcu-columns=cyclse", "*did you mean 'cycles'*"),
    ],
)
def test_unreadable_option_is_a_usage_error(project: pytest.Pytester, option: str, said: str) -> None:
    result = run(project, option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


def test_damaged_baseline_is_a_set_up_error_with_the_way_out(project: pytest.Pytester) -> None:
    run(project, "--mcu-update-baseline").assert_outcomes(passed=2)
    (project.path / "baselines" / "case@nucleo_g071rb.json").write_text("{")
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*set-up error: *case@nucleo_g071rb.json: not JSON*"])
    run(project, "--mcu-update-baseline").assert_outcomes(passed=2)


def test_fixture_has_no_baseline(project: pytest.Pytester) -> None:
    project.makepyfile('def test_it(mcu_profile):\n    mcu_profile("small.tflite", "stm32f4_discovery")\n')
    run(project, "--mcu-update-baseline", "test_fixture_has_no_baseline.py").assert_outcomes(passed=1)
    assert not (project.path / "baselines").exists()


def test_baselines_do_not_depend_on_workers(project: pytest.Pytester) -> None:
    run(project, "--mcu-update-baseline").assert_outcomes(passed=2)
    alone = {path.name: path.read_text() for path in (project.path / "baselines").iterdir()}
    run(project, "--mcu-update-baseline", "-n2").assert_outcomes(passed=2)
    assert {path.name: path.read_text() for path in (project.path / "baselines").iterdir()} == alone


def test_command_line_gates_in_the_same_way(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project.path)
    run_it = ("run", "case.toml", "--board", "nucleo_g071rb", "--emulator", "unicorn")
    assert main([*run_it, "--compare-fail", "cycles:2%"]) == 0
    said = capsys.readouterr().out
    assert "mcu-harness run --update-baseline case.toml" in said and not (project.path / "baselines").exists()
    assert main([*run_it, "--update-baseline"]) == 0
    edit(project, "nucleo_g071rb", {"cycles": 0.5})
    assert main([*run_it]) == 0, "without tolerances nothing is held"
    assert main([*run_it, "--compare-fail", "cycles:2%", "--json", "r.json"]) == 1
    said = capsys.readouterr().out
    assert "accept it: mcu-harness run --update-baseline case.toml --board nucleo_g071rb" in said
    assert main(["report", "r.json", "--format", "pr-comment", "--output", "comment.md"]) == 0
    assert "| cycles |" in (project.path / "comment.md").read_text()
    assert main([*run_it, "--compare-fail", "cycles"]) == 2
