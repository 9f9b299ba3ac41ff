"""Runs of variants with chosen figures, for tests of what compares them."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.finding_codes import Code, budget_code
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Finding, Measurement, RunResult, Verdict
from mcu_harness.scenario.figure_catalogue import FIGURES
from sample_results import PASSING


def variant(
    name: str,
    accuracy: float | None,
    latency_ms: float,
    flash: int,
    ram: int = 1000,
    *,
    scenario: str = "nets",
    board: str = "board_a",
    sqnr_db: float | None = None,
    layers: tuple[tuple[str, float], ...] = (("CONV_2D", 1000.0),),
    over_budget: bool = False,
) -> RunResult:
    """A run that passed, or broke its latency budget; `layers` are operators with their cycles."""
    values = {
        "accuracy": accuracy,
        "sqnr_db": sqnr_db,
        "latency_s": latency_ms / 1e3,
        "instructions": latency_ms * 1e5,
        "cycles": latency_ms * 1.68e5,
        "flash_bytes": flash,
        "ram_bytes": ram,
    }
    found = {
        key: Measurement(key, value, FIGURES[key].unit, "made up", OriginKind.COUNTED) for key, value in values.items()
    }
    broken = Finding(budget_code("latency"), Verdict.FAIL, "too slow", "") if over_budget else None
    return replace(
        PASSING,
        scenario=scenario,
        model=name,
        board=board,
        provenance=replace(PASSING.provenance, model_digest=f"digest of {name}"),
        measurements={key: value for key, value in found.items() if value.value is not None},
        budgets={"latency_s": 0.001} if over_budget else {},
        layers=tuple(
            LayerResult(number, f"{number:02} {operator}", operator, 10, cycles, cycles, 100)
            for number, (operator, cycles) in enumerate(layers)
        ),
        findings=(broken,) if broken else (),
        verdict=Verdict.FAIL if broken else Verdict.PASS,
    )


def not_set_up(name: str, why: str = "no such operator") -> RunResult:
    """A variant of the same scenario whose model could not be read."""
    finding = Finding(Code.SETUP_ERROR, Verdict.NOT_MEASURED, why, "")
    run = variant(name, None, 1, 1)
    tools = {"toolchain": replace(run.toolchain, name="auto", flags=()), "emulator": replace(run.emulator, name="auto")}
    return replace(run, verdict=Verdict.NOT_MEASURED, findings=(finding,), measurements={}, layers=(), **tools)
