"""The gate: which baseline, which tolerances, what is written and what never is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.base.errors import ResultsError
from mcu_harness.results import baseline
from mcu_harness.results.finding_codes import baseline_code
from mcu_harness.results.origin import Origin, OriginKind
from mcu_harness.results.records import (
    BaselineCheck,
    FigureChange,
    Finding,
    Measurement,
    Results,
    RunResult,
    Verdict,
    with_findings,
)
from mcu_harness.results.regression_gate import Gate, in_ci, undecided
from mcu_harness.results.report.baseline_notes import baseline_notes
from mcu_harness.scenario.cases import Case, cases_of
from mcu_harness.scenario.figure_catalogue import FIGURES
from mcu_harness.scenario.scenario import load_scenario
from mcu_harness.scenario.tolerance import parse_tolerance
from sample_results import PASSING

CYCLES = (parse_tolerance("cycles:2%"),)
BOARDS = ("stm32f4_discovery", "nucleo_g071rb")


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def write_scenario(folder: Path, name: str = "tiny", extra: str = "", models: int = 1) -> list[Case]:
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"m{i}.tflite" for i in range(models)]
    for model in names:
        (folder / model).touch()
    listed = ", ".join(f'"{model}"' for model in names)
    boards = ", ".join(f'"{board}"' for board in BOARDS)
    path = folder / f"{name}.toml"
    path.write_text(f"models = [{listed}]\nboards = [{boards}]\n{extra}")
    return cases_of(load_scenario(path))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return write_scenario(tmp_path)[0]


def slower(factor: float, run: RunResult = PASSING) -> RunResult:
    cycles = run.measurements["cycles"]
    assert cycles.value is not None
    return replace(run, measurements={**run.measurements, "cycles": replace(cycles, value=cycles.value * factor)})


def failed(code: str) -> RunResult:
    return with_findings(PASSING, [Finding(code, Verdict.FAIL, "went wrong", "correct it")])


def accept(case: Case, run: RunResult = PASSING, gate: Gate | None = None) -> Path:
    gate = replace(gate or Gate(), update=True)
    gate.judge(case, run)
    return gate.path(case, run.toolchain.name)


@pytest.mark.parametrize(
    ("figure", "factor", "verdict"),
    [
        ("latency_s", 1.03, Verdict.FAIL),
        ("latency_s", 0.5, Verdict.PASS),
        ("accuracy", 0.97, Verdict.FAIL),
        ("accuracy", 1.0, Verdict.PASS),
        ("energy_j", 1.03, Verdict.FAIL),
    ],
)
def test_latency_energy_and_accuracy_are_held_to_a_baseline(
    case: Case, figure: str, factor: float, verdict: Verdict
) -> None:
    given = {
        name: Measurement.of(name, value, Origin(OriginKind.COUNTED))
        for name, value in (("latency_s", 0.01), ("accuracy", 0.9), ("energy_j", 1e-3))
    }
    run = replace(PASSING, measurements={**PASSING.measurements, **given})
    accept(case, run)
    now = replace(given[figure], value=(given[figure].value or 0) * factor)
    key = FIGURES[figure].key
    judged = Gate((parse_tolerance(f"{key}:2%"),)).judge(
        case, replace(run, measurements={**run.measurements, figure: now})
    )
    assert judged.verdict is verdict
    assert [finding.code for finding in judged.findings] == ([baseline_code(key)] if verdict is Verdict.FAIL else [])


def test_accepted_run_passes_and_one_beyond_the_tolerance_fails(case: Case) -> None:
    path = accept(case)
    assert path.parent.name == "baselines" and path.name == "tiny@stm32f4_discovery.json"
    gate = Gate(tolerances=CYCLES)
    assert gate.judge(case, PASSING).baseline.verdict is Verdict.PASS  # type: ignore[union-attr]
    assert gate.judge(case, slower(1.02)).verdict is Verdict.PASS
    worse = gate.judge(case, slower(1.03))
    assert worse.verdict is Verdict.FAIL
    assert [finding.code for finding in worse.findings] == ["baseline.cycles"]
    assert "pytest --mcu-update-baseline" in worse.findings[0].advice and "tiny.toml::" in worse.findings[0].advice


def test_without_tolerances_changes_are_shown_and_nothing_fails(case: Case) -> None:
    accept(case)
    run = Gate().judge(case, slower(3))
    assert run.verdict is Verdict.PASS and run.findings == ()
    assert run.baseline is not None and [change.figure for change in run.baseline.changes] == ["cycles"]


def test_without_tolerances_and_baseline_nothing_is_said(case: Case) -> None:
    assert Gate().judge(case, PASSING) is PASSING


@pytest.mark.parametrize(
    ("ci", "verdict"), [("true", Verdict.FAIL), ("1", Verdict.FAIL), ("", Verdict.PASS), ("false", Verdict.PASS)]
)
def test_missing_baseline_fails_in_ci_and_is_offered_elsewhere(
    case: Case, monkeypatch: pytest.MonkeyPatch, ci: str, verdict: Verdict
) -> None:
    monkeypatch.setenv("CI", ci)
    assert in_ci() == (verdict is Verdict.FAIL)
    run = Gate(tolerances=CYCLES).judge(case, PASSING)
    assert run.verdict is verdict
    assert [finding.code for finding in run.findings] == ["baseline.missing"]
    assert "--mcu-update-baseline" in run.findings[0].advice
    assert not Gate().path(case, "gnu").exists(), "nothing is accepted on the side"


def test_other_compiler_neither_passes_nor_fails_except_in_ci(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(case)
    other = replace(PASSING, toolchain=replace(PASSING.toolchain, version="13.3.1"))
    run = Gate(tolerances=CYCLES).judge(case, other)
    assert run.verdict is Verdict.NOT_COMPARABLE
    assert "gnu 12.2.1 -> gnu 13.3.1" in undecided(run)
    monkeypatch.setenv("CI", "true")
    assert undecided(run) == ""


def test_budget_breach_is_still_compared_and_accepted(case: Case) -> None:
    breach = failed("budget.flash")
    accept(case, breach)
    told = replace(Gate(), update=True).judge(case, breach).findings[-1].message
    assert "the case still fails (budget.flash)" in told
    assert "still fails" not in replace(Gate(), update=True).judge(case, slower(1)).findings[-1].message
    run = Gate(tolerances=CYCLES).judge(case, slower(2, breach))
    assert [finding.code for finding in run.findings] == ["budget.flash", "baseline.cycles"]


@pytest.mark.parametrize("code", ["output.mismatch", "run.fault", "fit.flash"])
def test_wrong_run_is_neither_compared_nor_accepted(case: Case, code: str) -> None:
    path = accept(case, failed(code))
    assert not path.exists()
    run = replace(Gate(), update=True).judge(case, failed(code))
    assert run.findings[-1].code == "baseline.refused"
    accept(case)
    held = Gate(tolerances=CYCLES).judge(case, slower(2, failed(code)))
    assert [finding.code for finding in held.findings] == [code]
    assert held.baseline is not None and held.baseline.verdict is Verdict.NOT_MEASURED


def test_update_says_what_moved(case: Case) -> None:
    accept(case)
    run = Gate(update=True, tolerances=CYCLES).judge(case, slower(1.5))
    (finding,) = run.findings
    assert (finding.code, run.verdict) == ("baseline.accepted", Verdict.PASS)
    assert "+50.00 %" in finding.message
    assert Gate(tolerances=CYCLES).judge(case, slower(1.5)).verdict is Verdict.PASS


def test_damaged_baseline_is_an_error_and_an_update_replaces_it(case: Case) -> None:
    path = accept(case)
    path.write_text("<<<<<<< HEAD\n")
    with pytest.raises(ResultsError, match="not JSON"):
        Gate().judge(case, PASSING)
    accept(case)
    assert baseline.load(path).scenario == "tiny"


def test_tolerances_of_the_command_line_win_over_scenario_over_ini(tmp_path: Path) -> None:
    case = write_scenario(tmp_path, extra='[baseline]\ncycles = "5 %"\nram = "+16 B"\n')[0]
    gate = Gate(
        tolerances=tuple(map(parse_tolerance, ("cycles:1%", "cycles:+9"))),
        defaults=tuple(map(parse_tolerance, ("cycles:9%", "ram:9%", "flash:9%"))),
    )
    assert [t.text for t in gate.tolerances_for(case)] == ["cycles:1%", "cycles:+9", "ram:+16", "flash:9%"]


def test_directory_of_the_scenario_and_of_the_command_line(tmp_path: Path) -> None:
    case = write_scenario(tmp_path / "s", extra='[baseline]\ndirectory = "../accepted"\n')[0]
    assert accept(case).resolve() == tmp_path / "accepted" / "tiny@stm32f4_discovery.json"
    assert accept(case, gate=Gate(directory=tmp_path / "mine")).parent == tmp_path / "mine"


def test_several_models_and_compilers_have_files_of_their_own(tmp_path: Path) -> None:
    cases = write_scenario(tmp_path, models=2)
    assert {accept(case).name for case in cases[::2]} == {f"tiny+m{i}@stm32f4_discovery.json" for i in (0, 1)}
    several = Gate(per_toolchain=True, tolerances=CYCLES)
    assert accept(cases[0], gate=several).name == "tiny+m0@stm32f4_discovery+gnu.json"
    assert Gate().path(cases[0], "gnu").name == "tiny+m0@stm32f4_discovery+gnu.json", "the compiler's own comes first"
    assert Gate().path(cases[0], "zig").name == "tiny+m0@stm32f4_discovery.json"


def test_unused_baselines_are_those_of_gone_boards_models_and_scenarios(tmp_path: Path) -> None:
    cases = write_scenario(tmp_path)
    folder = accept(cases[0]).parent
    for name in ("tiny@old_board.json", "tiny+old@stm32f4_discovery.json", "gone@stm32f4_discovery.json"):
        (folder / name).touch()
    for name in ("tiny@stm32f4_discovery+zig.json", "README.json", "other@stm32f4_discovery.json"):
        (folder / name).touch()
    write_scenario(tmp_path, "other")
    unused = [path.name for path in Gate().unused(cases)]
    assert unused == ["gone@stm32f4_discovery.json", "tiny+old@stm32f4_discovery.json", "tiny@old_board.json"]


def test_baselines_of_other_scenarios_are_left_alone_where_their_scenarios_may_lie_elsewhere(tmp_path: Path) -> None:
    cases = write_scenario(tmp_path / "s", extra='[baseline]\ndirectory = "../shared"\n')
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "elsewhere@stm32f4_discovery.json").touch()
    (tmp_path / "shared" / "tiny@gone.json").touch()
    assert [path.name for path in Gate().unused(cases)] == ["tiny@gone.json"]
    (tmp_path / "s" / "broken.toml").write_text('boards = ["b"]\nmodel = "x')
    assert [path.name for path in Gate().unused(write_scenario(tmp_path / "t"))] == []


def test_no_scenario_counts_as_gone_while_one_cannot_be_read(tmp_path: Path) -> None:
    cases = write_scenario(tmp_path)
    folder = accept(cases[0]).parent
    (folder / "gone@stm32f4_discovery.json").touch()
    (tmp_path / "broken.toml").write_text('boards = ["b"]\nmodel = "x')
    assert Gate().unused(cases) == []


def test_accept_command_is_quoted_and_repeats_what_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case = write_scenario(tmp_path / "my models")[0]
    gate = Gate(options=("--mcu-baseline-dir=a b",))
    assert gate.accept_command(case) == (
        "pytest --mcu-update-baseline '--mcu-baseline-dir=a b' 'my models/tiny.toml::stm32f4_discovery'"
    )
    command = Gate(is_pytest=False).accept_command(case)
    assert command == "mcu-harness run --update-baseline 'my models/tiny.toml' --board stm32f4_discovery"


def test_notes_after_a_session_are_few_and_show_first_what_moved() -> None:
    def run(code: str, message: str, board: str) -> RunResult:
        check = BaselineCheck(f"baselines/tiny@{board}.json", Verdict.NOT_MEASURED)
        noted = with_findings(PASSING, [Finding(code, Verdict.PASS, message, "")])
        return replace(noted, board=board, baseline=check, scenario_path="my dir/tiny.toml")

    accepted = [run("baseline.accepted", f"accepted as {i}: new", f"b{i}") for i in range(9)]
    last = run("baseline.accepted", "accepted as 8: cycles 1 -> 2", "b8")
    accepted[8] = replace(last, baseline=BaselineCheck("8", Verdict.PASS, changes=(FigureChange("cycles", 1, 2),)))
    lines = baseline_notes(Results(tuple(accepted)), [], ["pytest"])
    assert lines[0].endswith("cycles 1 -> 2") and lines[-1].startswith("baseline: 4 more") and len(lines) == 6
    missing = [run("baseline.missing", "there is none", f"b{i}") for i in range(9)]
    lines = baseline_notes(Results(tuple(missing)), ["baselines/old@b.json"], ["pytest", "--mcu-update-baseline"])
    assert len(lines) == 8
    assert lines[-2].endswith("pytest --mcu-update-baseline 'my dir/tiny.toml'")
    assert lines[-1].endswith("baselines/old@b.json")
