"""Users' hooks, several compilers in one session, and what CI services get from a pytest run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mcu_harness.image.toolchain import available_toolchains

xmlschema = pytest.importorskip("xmlschema")
SCHEMA = Path(__file__).parent.parent / "data" / "junit_xunit2.xsd"


@pytest.fixture
def project(pytester: pytest.Pytester, small_model: Path) -> pytest.Pytester:
    shutil.copy(small_model, pytester.path / "small.tflite")
    write(pytester)
    return pytester


def write(pytester: pytest.Pytester, extra: str = "") -> None:
    boards = '["stm32f4_discovery", "nucleo_g071rb"]'
    (pytester.path / "case.toml").write_text(f'model = "small.tflite"\nboards = {boards}\n{extra}')


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn", *arguments)


HOOKS = """
from mcu_harness.results.records import Finding, Verdict

def pytest_mcu_boards(config, scenario):
    return ["nrf52840dk"] if scenario.name == "case" else None

def pytest_mcu_findings(config, result):
    share = result.layers[0].instructions / result.value("instructions")
    if share > 0.1:
        return [Finding("own.share", Verdict.FAIL, f"layer 0 takes {share:.0%}", "shrink it")]

def pytest_mcu_result(config, result):
    with open(config.rootpath / "seen.txt", "a") as stream:
        stream.write(f"{result.board} {result.verdict}\\n")

def pytest_mcu_session(config, results):
    with open(config.rootpath / "session.txt", "a") as stream:
        stream.write(f"{len(results.runs)} {results.verdict}\\n")
"""


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_hooks_choose_boards_add_findings_and_see_results(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    project.makeconftest(HOOKS)
    result = run(project, "--mcu-update-baseline", *workers)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*fail: layer 0 takes *% [[]own.share[]]", "*what to do: shrink it"])
    assert (project.path / "seen.txt").read_text() == "nrf52840dk fail\n"
    assert (project.path / "session.txt").read_text() == "1 fail\n"
    assert not (project.path / "baselines").exists()  # what a rule fails is not accepted
    result.stdout.fnmatch_lines(["baseline: *case@nrf52840dk.json was left as it is: *"])


def test_board_option_wins_over_the_hook(project: pytest.Pytester) -> None:
    project.makeconftest("def pytest_mcu_boards(config, scenario):\n    return ['nrf52840dk']\n")
    run(project, "--mcu-board=nucleo_f103rb").stdout.fnmatch_lines(["case/small *nucleo_f103rb *pass*"])


def test_misspelt_hook_is_an_error_of_pytest(project: pytest.Pytester) -> None:
    project.makeconftest("def pytest_mcu_reslt(config, result):\n    pass\n")
    assert run(project).ret != 0


def test_several_compilers_are_cases_and_baselines_of_their_own(project: pytest.Pytester) -> None:
    if len(available_toolchains()) < 2:
        pytest.skip("needs both compilers")
    both = ("--mcu-toolchain=gnu", "--mcu-toolchain=zig", "--mcu-board=stm32f4_discovery")
    result = run(project, *both, "--mcu-update-baseline", "-n2", "--mcu-report-dir=out")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["scenario *board *verdict *compiler *", "*pass *gnu *", "*pass *zig *"])
    names = sorted(path.name for path in (project.path / "baselines").iterdir())
    assert names == [f"case@stm32f4_discovery+{name}.json" for name in ("gnu", "zig")]
    runs = json.loads((project.path / "out" / "results.json").read_text())["runs"]
    assert [each["toolchain"]["name"] for each in runs] == ["gnu", "zig"]
    run(project, *both, "--mcu-compare-fail=cycles:0%", "-v").stdout.fnmatch_lines(
        ["*case.toml::stm32f4_discovery-gnu PASSED*", "*case.toml::stm32f4_discovery-zig PASSED*"]
    )
    single = run(project, "--mcu-toolchain=zig", "--mcu-board=stm32f4_discovery", "--mcu-compare-fail=cycles:0%")
    single.assert_outcomes(passed=1)
    single.stdout.fnmatch_lines(["* same"])


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_junit_of_pytest_is_valid_and_carries_figures(project: pytest.Pytester, workers: tuple[str, ...]) -> None:
    write(project, '[budgets.nucleo_g071rb]\nflash = "1 KiB"\n')
    run(project, "--junitxml=junit.xml", *workers).assert_outcomes(passed=1, failed=1)
    text = (project.path / "junit.xml").read_text()
    xmlschema.XMLSchema(str(SCHEMA)).validate(text)
    assert text.count('name="mcu_flash_bytes"') == 2 and "over the budget of 1.0 KiB" in text


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "workers"])
def test_github_gets_annotations_and_a_summary(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: tuple[str, ...]
) -> None:
    write(project, '\n[budgets.nucleo_g071rb]\nflash = "1 KiB"\n')
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project.path / "summary.md"))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.path))
    result = run(project, *workers)
    result.stdout.fnmatch_lines(
        ["::error file=case.toml,line=5,title=case/small on nucleo_g071rb%3A budget.flash::flash is *%0A*"]
    )
    assert "### mcu-harness: 1 failed, 1 passed" in (project.path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("option", "environment", "wanted"),
    [
        ((), "", False),
        (("--mcu-github",), "", True),
        (("-o", "mcu_github=on"), "", True),
        (("-o", "mcu_github=off"), "true", False),
    ],
)
def test_github_output_can_be_asked_for_and_turned_off(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], environment: str, wanted: bool
) -> None:
    write(project, '[budgets]\nflash = "1 KiB"\n')
    monkeypatch.setenv("GITHUB_ACTIONS", environment)
    lines = run(project, *option, "-k", "nucleo_g071rb").outlines
    assert any(line.startswith("::error ") for line in lines) == wanted


def test_verbosity_grows_the_failure_text(project: pytest.Pytester) -> None:
    write(project, '[budgets]\nflash = "1 KiB"\n')
    sizes = [
        len([line for line in run(project, "-k", "nucleo_g071rb", *more).outlines if line.strip()])
        for more in ((), ("-v",), ("-vv",))
    ]
    assert sizes[0] + 10 < sizes[1] and sizes[1] + 5 < sizes[2]


def test_what_ifs_are_in_the_reports_and_judge_nothing(project: pytest.Pytester) -> None:
    arguments = ("-k", "nucleo_g071rb", "--mcu-report-dir=out", "--mcu-what-if=clock=1MHz")
    write(project, '[budgets]\nlatency = "100 ms"\n')
    run(project, *arguments).assert_outcomes(passed=1)
    (result,) = json.loads((project.path / "out/results.json").read_text())["runs"]
    (answer,) = result["what_ifs"]
    assert answer["name"] == "clock=1MHz"
    assert answer["latency_s"] == pytest.approx(64 * result["measurements"]["latency_s"]["value"])
    assert "### What if" in (project.path / "out/nucleo_g071rb.md").read_text()
    wrong = run(project, *arguments[:2], "--mcu-what-if=clok=1MHz")
    wrong.stdout.fnmatch_lines(["*nucleo_g071rb has no 'clok'*", "*did you mean 'clock'*"])


@pytest.mark.parametrize("words", [("--mcu-notes=off",), ("-o", "mcu_notes=off")])
def test_what_figures_depend_on_can_be_left_out(project: pytest.Pytester, words: tuple[str, ...]) -> None:
    lines = run(project, *words, "-k", "nucleo_g071rb").outlines
    assert any(line.startswith("case/small ") for line in lines)
    assert not [line for line in lines if line.startswith(("outputs: ", "emulator: ", "compiler: ", "cycles: "))]


def test_columns_are_chosen_by_name(project: pytest.Pytester) -> None:
    result = run(project, "--mcu-columns=cycles-per-mac,core", "-k", "nucleo_g071rb")
    result.stdout.fnmatch_lines(["scenario *board *verdict *cycles/MAC *core*", "case/small *cortex-m0+*"])
