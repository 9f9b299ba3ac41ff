"""Runs of the user's own firmware, and what tests ask of their results."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.firmware_tables import FirmwareSpec
from mcu_harness.scenario.scenario import scenario_for_firmware

BOARD = "stm32f4_discovery"

SQUARES = """
volatile int total;
__attribute__((noinline)) int square(int x) { return x * x; }
__attribute__((noinline)) int sum(int n) { int s = 0; for (int i = 0; i < n; i++) s += square(i); return s; }
int main(void) { for (int i = 1; i <= 5; i++) total = sum(10 * i); return 0; }
"""


def run(
    image: Path, board: str = BOARD, emulator: str = "unicorn", session: Session | None = None, **options: object
) -> RunResult:
    spec = FirmwareSpec(image=str(image), **options)  # type: ignore[arg-type]
    return run_case(scenario_for_firmware(image, (board,), spec), emulator, session)


def run_case(scenario, emulator: str = "unicorn", kept: Session | None = None) -> RunResult:  # type: ignore[no-untyped-def]
    """Run the one case of `scenario`; a `kept` session keeps its emulator for the next."""
    session = kept or Session()
    try:
        (case,) = cases_of(scenario)
        return session.run(case, Options(emulator=emulator), gated=False)
    finally:
        if session is not kept:
            session.close()


def codes(result: RunResult) -> list[str]:
    return [finding.code for finding in result.findings]


def calls(result: RunResult) -> dict[str, float]:
    return {function.name: function.calls for function in result.functions}


def run_alike(image: Path, emulator: str, session: Session, **options: object) -> RunResult:
    """As `run`; what another than the embedded emulator says must be what that says, in figures and words."""
    result = run(image, emulator=emulator, session=session, **options)
    if emulator != "unicorn":
        embedded = run(image, session=session, **options)
        assert said(result) == said(embedded)
    return result


def said(result: RunResult) -> dict[str, object]:
    """What a run says of the windows: the verdict, the findings in words, the figures that are counted, the calls."""
    counted = ("instructions", "instructions_max", "cycles", "cycles_max", "stack_hwm_bytes")
    return {
        "verdict": result.verdict,
        "findings": [(finding.code, finding.message) for finding in result.findings],
        "figures": {name: result.value(name) for name in counted},
        "spread": result.spreads.get("instructions"),
        "calls": calls(result),
    }
