"""User's firmware run as `mcu-harness profile` runs it, for tests of what is found in it."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.results.records import Finding, RunResult, Verdict
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.firmware_tables import FirmwareSpec
from mcu_harness.scenario.scenario import scenario_for_firmware


def profiled(image: Path, board: str = "stm32f4_discovery", emulator: str = "unicorn", **options: object) -> RunResult:
    """The result of running `image`; `options` are keys of a scenario's [firmware] table."""
    spec = FirmwareSpec(image=str(image), **options)  # type: ignore[arg-type]
    session = Session()
    try:
        (case,) = cases_of(scenario_for_firmware(image, (board,), spec))
        return session.run(case, Options(emulator=emulator), gated=False)
    finally:
        session.close()


def failed(result: RunResult) -> list[Finding]:
    """The findings that are failures."""
    return [finding for finding in result.findings if finding.verdict is Verdict.FAIL]


def line_of(code: str, text: str) -> int:
    """The number of the only line of `code` that holds `text`."""
    (number,) = (number for number, line in enumerate(code.splitlines(), 1) if text in line)
    return number
