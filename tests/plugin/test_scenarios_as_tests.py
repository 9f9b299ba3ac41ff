"""Scenario files under pytest, as a user meets them: through pytester, with real builds and a real emulator."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

BOARDS = ("stm32f4_discovery", "nucleo_g071rb")


@pytest.fixture
def project(pytester: pytest.Pytester, small_model: Path) -> pytest.Pytester:
    shutil.copy(small_model, pytester.path / "small.tflite")
    write(pytester)
    return pytester


def write(pytester: pytest.Pytester, extra: str = "", boards: tuple[str, ...] = BOARDS, name: str = "case") -> None:
    text = f'model = "small.tflite"\nboards = {json.dumps(boards)}\n{extra}'
    (pytester.path / f"{name}.toml").write_text(text)


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn", *arguments)


def test_scenario_becomes_one_test_per_board(project: pytest.Pytester) -> None:
    result = run(project, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*case.toml::stm32f4_discovery PASSED*", "*case.toml::nucleo_g071rb PASSED*"])


def test_summary_shows_a_row_per_run_and_says_how_cycles_were_obtained(project: pytest.Pytester) -> None:
    result = run(project)
    result.stdout.fnmatch_lines(
        [
            "*= mcu-harness =*",
            "scenario *verdict *instructions *",
            "case/small *stm32f4_discovery *pass *",
            "cycles: *cortex-m*",
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "passed", "deselected"),
    [
        (("-k", "nucleo_g071rb"), 1, 1),
        (("-k", "case"), 2, 0),
        (("-k", "cortex-m4"), 1, 1),
        (("-m", "mcu"), 2, 0),
        (("-m", "not mcu"), 0, 2),
        (("case.toml::stm32f4_discovery",), 1, 0),
        (("--mcu-board", "nucleo_f103rb"), 1, 0),
    ],
)
def test_selection_works_as_for_any_test(
    project: pytest.Pytester, arguments: tuple[str, ...], passed: int, deselected: int
) -> None:
    run(project, *arguments).assert_outcomes(passed=passed, deselected=deselected)


def test_breach_fails_and_names_limit_excess_contributors_and_way_out(project: pytest.Pytester) -> None:
    write(project, '[budgets]\nflash = "1 KiB"\ncycles = 10\n')
    result = run(project, "-x")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*flash is *over the budget of 1.0 KiB*budget.flash*",
            "*largest contributors:*",
            "*what to do:*raise `flash` under [[]budgets[]]*",
            "*cycles is *over the budget of 10*",
            "*layer 00 CONV_2D*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_more_verbosity_shows_the_layer_table(project: pytest.Pytester) -> None:
    write(project, "[budgets]\ncycles = 10\n", boards=("stm32f4_discovery",))
    run(project, "-v").stdout.fnmatch_lines(["*layer *MACs *instructions *", "*02 FULLY_CONNECTED*"])


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("[inpts]\nseed = 1\n", "*case.toml:3: inpts: unknown key*"),
        ('[budgets]\nflash = "3 ms"\n', "*case.toml:4: budgets.flash: unknown unit*"),
    ],
)
def test_broken_scenario_is_an_error_with_file_and_line_and_stops_nobody(
    project: pytest.Pytester, extra: str, said: str
) -> None:
    write(project, extra)
    project.makepyfile("def test_of_somebody_else(): pass")
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_what_is_left_of_a_scenario_is_an_error_named_or_met(project: pytest.Pytester) -> None:
    (project.path / "empty.toml").touch()
    (project.path / "other.toml").write_text('model = "large"\n')
    result = run(project, "-k", "empty or other")
    result.assert_outcomes(errors=1, deselected=2)
    result.stdout.fnmatch_lines(["*empty.toml:1: boards: missing*"])
    (project.path / "case.toml").unlink()
    result = run(project, "empty.toml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*empty.toml:1: boards: missing*"])


def test_set_up_error_has_no_traceback(project: pytest.Pytester) -> None:
    (project.path / "small.tflite").write_bytes(b"not a model at all")
    result = run(project)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*set-up error: *small.tflite*", "*stm32f4_discovery *set-up error*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_results_are_written_the_same_with_and_without_workers(project: pytest.Pytester) -> None:
    run(project, "--mcu-report-dir=alone").assert_outcomes(passed=2)
    run(project, "--mcu-report-dir=together", "-n2").assert_outcomes(passed=2)
    alone, together = ((project.path / name / "results.json").read_text() for name in ("alone", "together"))
    assert alone == together
    runs = json.loads(alone)["runs"]
    assert [run["board"] for run in runs] == sorted(BOARDS)
    assert all((project.path / "alone" / f"{board}.md").is_file() for board in BOARDS)


def test_ini_settings_hold_when_the_option_is_absent(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nmcu_report_dir = from_ini\n")
    run(project).assert_outcomes(passed=2)
    assert (project.path / "from_ini" / "results.json").is_file()


def test_figures_are_properties_in_junit(project: pytest.Pytester) -> None:
    run(project, "--junitxml=junit.xml").assert_outcomes(passed=2)
    root = ET.parse(project.path / "junit.xml").getroot()
    for case in root.iter("testcase"):
        found = {p.get("name"): p.get("value") for p in case.iter("property")}
        assert found["mcu_board"] == case.get("name")
        assert int(found["mcu_flash_bytes"]) > 1000
        assert float(found["mcu_cycles"]) > float(found["mcu_instructions"]) > 0


@pytest.mark.parametrize("option", ["--mcu-emulator=qemux", "--mcu-toolchain=iar"])
def test_unknown_tool_is_a_usage_error_that_lists_the_known_ones(project: pytest.Pytester, option: str) -> None:
    result = project.runpytest_subprocess("-p", "no:cacheprovider", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR and "collected" not in result.stdout.str()
    assert any(known in result.stderr.str() for known in ("unicorn", "zig"))


def test_unknown_tool_in_ini_is_a_set_up_error(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\nmcu_emulator = qemux\n")
    result = project.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*set-up error: no emulator named 'qemux'*"])


@pytest.mark.usefixtures("nothing_imported")
def test_unrelated_project_sees_nothing_of_the_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_heavy_is_imported():
            heavy = {"numba", "unicorn", "capstone", "numpy", "elftools", "mcu_harness.app.pipeline"}
            assert not heavy & set(sys.modules)
        """
    )
    (pytester.path / "other.toml").write_text("[tool]\nmodel = 1\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*= mcu-harness =*")


@pytest.mark.parametrize("arguments", [(), ("--tb=line",), ("-vv",)])
def test_breach_is_one_line_in_the_short_summary(project: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    write(project, '[budgets]\nflash = "1 KiB"\nram = "1 B"\n', boards=("stm32f4_discovery",))
    result = run(project, "--junitxml=junit.xml", *arguments)
    result.stdout.re_match_lines([r"FAILED case\.toml::stm32f4_discovery - flash is .*"])
    failure = next(ET.parse(project.path / "junit.xml").getroot().iter("failure"))
    assert failure.get("message", "").endswith("over the budget of 1.0 KiB (and 1 more)")
    assert "largest contributors" in (failure.text or "")


@pytest.mark.usefixtures("nothing_imported")
def test_an_unrelated_project_pays_for_next_to_nothing(pytester: pytest.Pytester) -> None:
    pytester.makefile(".toml", settings="[tool.other]\nx = 1\n")
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            ours = {name for name in sys.modules if name.startswith("mcu_harness.")}
            assert ours <= {
                "mcu_harness.app", "mcu_harness.app.pytest_plugin", "mcu_harness.app.pytest_hooks",
                "mcu_harness.app.options", "mcu_harness.scenario", "mcu_harness.scenario.discovery",
                "mcu_harness.app.pytest_board", "mcu_harness.app.pytest_unit_tests", "mcu_harness.app.settings", "mcu_harness.scenario.kernels", "mcu_harness.base",
                "mcu_harness.scenario.placement", "mcu_harness.scenario.model_files",
                "mcu_harness.base.errors", "mcu_harness.base.files",
            }, ours
            assert "mcu_harness.app.options" in ours
            assert "numba" not in sys.modules and "unicorn" not in sys.modules
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def collected(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    lines = run(pytester, "--collect-only", "-q", *arguments).outlines
    return sorted(line.partition("::")[0] for line in lines if "::" in line)


def test_ini_names_the_files_that_are_scenarios(project: pytest.Pytester) -> None:
    for name in ("scenarios/deep", "other"):
        (project.path / name).mkdir(parents=True)
    text = f'model = "../small.tflite"\nboards = ["{BOARDS[0]}"]\n'
    (project.path / "scenarios" / "one.toml").write_text(text)
    (project.path / "scenarios" / "deep" / "two.toml").write_text(text.replace("../", "../../"))
    (project.path / "scenarios" / "misspelt.toml").write_text(text.replace("model", "mdl").replace("boards", "on"))
    (project.path / "other" / "three.toml").write_text(text)
    (project.path / "other" / "x.scenario.toml").write_text(text)
    every = ["case.toml", "case.toml", "other/three.toml", "other/x.scenario.toml"]
    assert collected(project) == sorted([*every, "scenarios/deep/two.toml", "scenarios/one.toml"])
    project.makeini("[pytest]\nmcu_scenarios = scenarios/*.toml *.scenario.toml\n")
    named = ["other/x.scenario.toml", "scenarios/deep/two.toml", "scenarios/misspelt.toml", "scenarios/one.toml"]
    assert collected(project) == named
    assert collected(project, "other/three.toml", "scenarios/misspelt.toml") == [
        "other/three.toml",
        "scenarios/misspelt.toml",
    ]
    run(project, "-k", "misspelt").stdout.fnmatch_lines(["*misspelt.toml:1: boards: missing"])
