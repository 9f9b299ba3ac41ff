"""A failed run as pytest shows it: the whole text where it failed, one line in the short summary and in JUnit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mcu_harness.base.text import for_terminal
from mcu_harness.results.records import RunResult, Verdict
from mcu_harness.results.report.terminal import failure_text


class Writer(Protocol):
    """What is used of pytest's terminal writer."""

    def line(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Crash:
    """Where pytest looks for the one line; `path` and `lineno` stand in what it prints for errors of its own."""

    message: str
    path: str = ""
    lineno: int = 0

    def __str__(self) -> str:  # --tb=line prints it
        return self.message


class FailureText:
    """Takes the place of pytest's own representation of an exception."""

    def __init__(self, run: RunResult, verbosity: int) -> None:
        wrong = [finding for finding in run.findings if finding.verdict is not Verdict.PASS]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        self._text = failure_text(run, verbosity)
        self.reprcrash = Crash(for_terminal(f"{wrong[0].message}{more}") if wrong else str(run.verdict))

    def toterminal(self, writer: Writer) -> None:
        """Print the whole text."""
        for line in self._text.splitlines():
            writer.line(line)

    def __str__(self) -> str:
        return self._text
