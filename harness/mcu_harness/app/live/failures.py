"""Failures of tests with a live board, which say where the firmware was and how it got there."""

from __future__ import annotations

from mcu_harness.app.live.calls import Hooks
from mcu_harness.app.live.console import Consoles
from mcu_harness.app.live.firmware import LiveFirmware
from mcu_harness.base.text import for_terminal
from mcu_harness.emulator.contract import Execution, ExitReason
from mcu_harness.emulator.live import LiveMachine, Stop, StopReason

_LAST_LINES = 15


class BoardFailure(AssertionError):
    """What a test wanted of a board did not happen: the message is all there is to say."""

    def __str__(self) -> str:
        return for_terminal(super().__str__())


class Explainer:
    """Says what is known of `machine` when something went wrong; `since_reset` is its stretch from the start."""

    def __init__(
        self, machine: LiveMachine, firmware: LiveFirmware, consoles: Consoles, hooks: Hooks, since_reset: object
    ) -> None:
        self._machine = machine
        self._firmware = firmware
        self._consoles = consoles
        self._hooks = hooks
        self._since_reset = since_reset

    def missing(self, said: str, stop: Stop) -> BoardFailure:
        """What was waited for did not come, as `said`; the machine stands at `stop`."""
        ended = [stop.detail] if stop.reason is StopReason.EXITED else []
        return BoardFailure("\n".join([said, *ended, *self._core(), *self._left(), *self._unmet(), *self._said()]))

    def check(self, stop: Stop) -> None:
        """Raises for a stop that no test can want."""
        __tracebackhide__ = True
        if stop.reason is StopReason.FAULT:
            raise self.fault(stop)

    def fault(self, stop: Stop) -> BoardFailure:
        """A fault, as reports of scenarios explain it."""
        from mcu_harness.analysis.diagnose.findings import execution_findings  # late: most tests do not fail
        from mcu_harness.results.report.text import finding_lines

        firmware = self._firmware
        findings = execution_findings(self._execution(stop), firmware.under_test, firmware.board)
        return BoardFailure(
            "\n".join([*(line for finding in findings for line in finding_lines(finding)), *self._said()])
        )

    def _left(self) -> list[str]:
        """What was sent and never read."""
        lines = []
        for uart in ("", *self._machine.uarts):
            of = f" to {uart}" if uart else ""
            lost, why = self._machine.lost(uart)
            if lost:
                lines.append(
                    f"{lost!r} was sent{of} and lost: {why}; send it when the firmware has said that it is ready"
                )
            if unread := self._machine.unread(uart):
                lines.append(f"the firmware has not read {unread!r} of what was sent{of}")
        return lines

    def _unmet(self) -> list[str]:
        """Callbacks at functions that were never entered: mostly, the compiler has put their code where they are called."""
        names = dict.fromkeys(hook.name for hook in self._hooks.hooks if not hook.count and not hook.removed)
        return [f"on({name!r}) has not been called: calls that the compiler inlined are none" for name in names]

    def _core(self) -> list[str]:
        """Where the core is, and the calls under way."""
        machine, places = self._machine, self._firmware.places
        waits = f", in {machine.sleeps}" if machine.sleeps else ""
        lines = [f"the core is {places.where(machine.pc)}{waits}"]
        calls = [call.entry for call in machine.calls()]
        return [*lines, f"calls: {places.path_text(calls)}"] if calls else lines

    def _said(self) -> list[str]:
        """The last of what was said on the console, or that nothing was."""
        transcript = self._consoles.transcript(self._firmware.board.clock_hz)
        if not transcript:
            return ["nothing was said on the console so far"]
        left_out = len(transcript) - _LAST_LINES
        title = "the console so far" + (f" (without the first {left_out} lines)" if left_out > 0 else "")
        return [f"{title}:", *(f"  {line}" for line in transcript[-_LAST_LINES:])]

    def _execution(self, stop: Stop) -> Execution:
        """The run up to the fault, as a finished one."""
        machine = self._machine
        low, high = self._firmware.under_test.plan.stack
        stretch = machine.end(self._since_reset)
        return Execution(
            reason=ExitReason.FAULT,
            status=stop.status,
            pc=stop.pc,
            detail=stop.detail,
            console=self._consoles[""].text,
            reads=(),
            window_instructions=(),
            stack_bytes=machine.read(low, high - low) if high > low else b"",
            registers=machine.registers(),
            blocks=stretch.counts,
            emulation_s=0.0,
            fault=stop.fault,
            calls=tuple(machine.calls()),
            heap=stretch.heap,
        )
