"""Failures of tests with a live board, which say where the firmware was and how it got there."""

from __future__ import annotations

from mcu_harness.analysis.address_names import Places
from mcu_harness.analysis.diagnose.findings import execution_findings
from mcu_harness.app.live.firmware import LiveFirmware
from mcu_harness.emulator.contract import Execution
from mcu_harness.emulator.live import LiveMachine
from mcu_harness.results.report.text import finding_lines

_LAST_LINES = 15


class BoardFailure(AssertionError):
    """What a test wanted of a board did not happen: the message is all there is to say."""


def core_lines(machine: LiveMachine, places: Places) -> list[str]:
    """Where the core is, and the calls under way."""
    waits = f", in {machine.sleeps}" if machine.sleeps else ""
    lines = [f"the core is {places.where(machine.pc)}{waits}"]
    calls = [call.entry for call in machine.calls()]
    if calls:
        lines.append(f"calls: {places.path_text(calls)}")
    return lines


def console_lines(transcript: list[str]) -> list[str]:
    """The last of what was said, or that nothing was."""
    if not transcript:
        return ["nothing was said on the console so far"]
    left_out = len(transcript) - _LAST_LINES
    title = "the console so far" + (f" (without the first {left_out} lines)" if left_out > 0 else "")
    return [f"{title}:", *(f"  {line}" for line in transcript[-_LAST_LINES:])]


def explained(execution: Execution, firmware: LiveFirmware) -> list[str]:
    """A run that went wrong, as reports of scenarios explain it."""
    findings = execution_findings(execution, firmware.under_test, firmware.board)
    return [line for finding in findings for line in finding_lines(finding)]
