"""Models x boards: standing, what binds, the ranking, and what `fit` prints and writes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from big_results import big_run, with_breach
from mcu_harness.app.board_trials import fit_cases, try_boards
from mcu_harness.app.cli.main import main
from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.errors import EmulatorError, HarnessError
from mcu_harness.results.board_matrix import Standing, matrix
from mcu_harness.results.memory_records import RegionResult
from mcu_harness.results.records import Finding, Results, RunResult, Verdict
from mcu_harness.results.report.board_matrix_text import fit_json, fit_text
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.limits import parse_limits
from mcu_harness.scenario.scenario import scenario_for_model
from sample_results import PASSING


def run(board: str, ram_kib: int, flash_kib: int = 512, clock_hz: int = 64_000_000, **changes: object) -> RunResult:
    made = big_run("kws", board, layers=3, symbols=30)
    regions = (
        replace(made.regions[0], capacity_bytes=flash_kib << 10),
        replace(made.regions[1], capacity_bytes=ram_kib << 10),
    )
    return replace(made, regions=regions, clock_hz=clock_hz, budgets={}, **changes)  # type: ignore[arg-type]


def failed(code: str) -> dict[str, object]:
    return {"verdict": Verdict.FAIL, "findings": (Finding(code, Verdict.FAIL, code, ""),)}


def ranked(*runs: RunResult) -> list[str]:
    return [fit.run.board for fit in matrix(Results(runs)).ranked("kws")]


def test_smallest_board_has_least_ram_then_least_flash_then_slowest_clock() -> None:
    runs = (
        run("much_ram", 64),
        run("fast", 32, clock_hz=80_000_000),
        run("slow", 32),
        run("little_flash", 32, 256),
        run("also_slow", 32),
    )
    assert ranked(*runs) == ["little_flash", "also_slow", "slow", "fast", "much_ram"]
    smallest = matrix(Results(runs)).smallest("kws")
    assert smallest is not None and smallest.run.board == "little_flash"


def test_memory_of_the_whole_chip_counts_for_its_size() -> None:
    more = RegionResult("sram2", "ram", 0x30000000, 0, 512 << 10)
    one = run("one_memory", 64)
    two = run("two_memories", 32)
    assert ranked(replace(two, regions=(*two.regions, more)), one) == ["one_memory", "two_memories"]


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        ("fit.ram", Standing.TOO_SMALL),
        ("run.stack-overflow", Standing.TOO_SMALL),
        ("budget.latency", Standing.MISSES),
        ("output.mismatch", Standing.FAILS),
        ("run.fault", Standing.FAILS),
        ("baseline.cycles", Standing.MEETS),
    ],
)
def test_standing_follows_from_the_findings(code: str, standing: Standing) -> None:
    found = matrix(Results((run("b", 64, **failed(code)),)))
    assert found.fits["kws", "b"].standing is standing


def test_budget_that_was_not_measured_is_not_met() -> None:
    unknown = Finding("budget.latency", Verdict.NOT_MEASURED, "no cycles", "")
    found = matrix(Results((run("b", 64, findings=(unknown,), verdict=Verdict.NOT_MEASURED),)))
    assert found.fits["kws", "b"].standing is Standing.UNKNOWN
    assert found.smallest("kws") is None


def test_stack_takes_from_the_ram_that_is_left() -> None:
    fit = matrix(Results((run("b", 16),))).fits["kws", "b"]
    ram = fit.on_board("ram_bytes")
    assert ram is not None and ram.spare == 16 * 1024 - 13_064 - 480
    assert fit.binding is ram


def test_what_binds_is_what_has_least_to_spare_and_a_kept_minimum_never_does() -> None:
    tight = replace(run("b", 256), budgets={"latency_s": 1e9, "stack_hwm_bytes": 481.0, "accuracy": 0.99})
    accuracy = replace(tight.measurements["cycles"], name="accuracy", value=0.99, unit="fraction")
    tight = replace(tight, measurements={**tight.measurements, "accuracy": accuracy})
    binding = matrix(Results((tight,))).fits["kws", "b"].binding
    assert binding is not None and binding.title == "stack budget"
    broken = replace(tight, budgets={"accuracy": 0.999})
    binding = matrix(Results((broken,))).fits["kws", "b"].binding
    assert binding is not None and binding.title == "accuracy budget" and binding.spare < 0


def test_boards_that_do_not_do_come_after_the_others_nearest_first() -> None:
    far, near = run("far", 4, **failed("fit.ram")), run("near", 12, **failed("fit.ram"))
    assert ranked(far, run("large", 1024), near) == ["large", "near", "far"]


def test_results_without_roles_of_memories_are_judged_by_kind() -> None:
    old = run("b", 64)
    old = replace(old, regions=tuple(replace(region, role="") for region in old.regions))
    constraints = matrix(Results((old,))).fits["kws", "b"].constraints
    assert [constraint.title for constraint in constraints] == ["flash", "RAM"]


def test_text_names_the_smallest_and_says_what_that_means() -> None:
    text = fit_text(matrix(Results((run("small", 32), run("large", 64), with_breach(run("slow", 16))))))
    assert "smallest board that meets every limit: small (32.0 KiB RAM" in text
    assert "smallest = the least RAM on the chip, then the least flash, then the slowest clock" in text
    assert "over budget" in text and "price class" in text


def test_text_names_the_closest_board_where_none_will_do() -> None:
    text = fit_text(matrix(Results((run("far", 4, **failed("fit.ram")), run("near", 12, **failed("fit.ram"))))))
    assert "no board meets every limit; near comes closest: RAM: 13.2 KiB of 12.0 KiB" in text


def test_json_has_the_ranking_and_the_choice() -> None:
    plain = json.loads(fit_json(matrix(Results((run("small", 32), run("tiny", 8, **failed("fit.ram")))))))
    (case,) = plain["cases"]
    assert case["smallest"] == "small"
    assert [row["board"] for row in case["ranking"]] == ["small", "tiny"]
    assert case["ranking"][1]["ram_spare_bytes"] < 0


def test_empty_results_have_an_empty_matrix() -> None:
    assert fit_text(matrix(Results(()))) == "no runs"


def test_limits_are_read_with_units_and_mistakes_are_named() -> None:
    assert parse_limits(["flash=64KiB", "latency=20ms"])["flash"].limit == 65536
    with pytest.raises(HarnessError, match="cannot read the budget"):
        parse_limits(["flash"])
    with pytest.raises(HarnessError, match="no budget is called 'flsh'"):
        parse_limits(["flsh=1"])


def test_given_limits_win_over_those_of_a_scenario(small_model: Path, tmp_path: Path) -> None:
    scenario = tmp_path / "s.toml"
    scenario.write_text(
        f'model = "{small_model}"\nboards = ["nucleo_l4r5zi"]\n[budgets]\nram = "1 KiB"\nflash = "9 KiB"\n'
        '[budgets.nucleo_l4r5zi]\nram = "2 KiB"\n'
    )
    (case,) = fit_cases([scenario], ("nucleo_l4r5zi",), parse_limits(["ram=3KiB"]))
    assert (case.budgets["ram"].limit, case.budgets["flash"].limit) == (3072, 9216)


def test_board_that_cannot_be_set_up_is_a_row_and_not_the_end(small_model: Path) -> None:
    class Broken(Session):
        def measure(self, case, *_):  # type: ignore[no-untyped-def,override]
            if case.board.name == "nucleo_l4r5zi":
                raise EmulatorError("cannot run this board", hint="take another")
            return replace(PASSING, board=case.board.name, scenario=case.scenario.name), ()

    boards = ("nucleo_l4r5zi", "nrf52840dk")
    session = Broken()
    try_boards(cases_of(scenario_for_model(small_model, boards)), Options(), session, lambda _: lambda _: None)
    found = matrix(session.results)
    standings = {board: fit.standing for (_, board), fit in found.fits.items()}
    assert standings == {"nucleo_l4r5zi": Standing.NOT_RUN, "nrf52840dk": Standing.MEETS}
    assert "cannot run this board" in fit_text(found)


def test_command_tries_boards_and_writes_what_was_asked_for(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {name: tmp_path / f"{name}.out" for name in ("json", "html", "results")}
    options = [piece for name, path in outputs.items() for piece in (f"--{name}", str(path))]
    boards = "nucleo_f103rb,stm32f072b_disco"
    command = ["fit", str(small_model), "--boards", boards, "--emulator", "unicorn", *options]
    assert main([*command, "--budget", "ram=16KiB"]) == 0
    printed = capsys.readouterr().out
    assert "smallest board that meets every limit: stm32f072b_disco" in printed
    assert json.loads(outputs["json"].read_text())["cases"][0]["smallest"] == "stm32f072b_disco"
    assert 'data-first="fit"' in outputs["html"].read_text()
    assert len(json.loads(outputs["results"].read_text())["runs"]) == 2
    assert main([*command, "--budget", "flash=100B"]) == 1
    assert "no board meets every limit" in capsys.readouterr().out
