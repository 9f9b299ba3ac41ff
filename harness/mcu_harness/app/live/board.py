"""The live board that a test holds: let time pass, listen, speak, look, change, measure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mcu_harness.app.live import failures
from mcu_harness.app.live.console import Console, Pattern
from mcu_harness.app.live.failures import BoardFailure
from mcu_harness.app.live.firmware import LiveFirmware, parse_budgets
from mcu_harness.app.live.measurement import Measurement, Measuring
from mcu_harness.app.live.values import PlainType, Value
from mcu_harness.base import units
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.contract import STACK_PAINT, Execution, ExitReason
from mcu_harness.emulator.live import Listener, LiveMachine, Stop, StopReason
from mcu_harness.image.symbol_names import titles
from mcu_harness.results.records import RunResult, Verdict
from mcu_harness.results.regression_gate import undecided
from mcu_harness.results.report.terminal import failure_text
from mcu_harness.scenario.cases import Case

DEFAULT_TIMEOUT = "1 s"
_SETTLE_S = 1e-3  # how long a match that could grow waits for more text

Time = str | float
# Takes a measurement's case and result; returns the result as it is kept, with what a baseline says.
Keep = Callable[[Case, RunResult], RunResult]


class LiveBoard:
    """Firmware on a board, just after reset. Times are virtual: a number is in seconds, text has a unit ("50 ms").

    Every method that lets time pass raises BoardFailure where the firmware faults, and HarnessError for what it is asked
    wrongly.
    """

    def __init__(self, firmware: LiveFirmware, make: Callable[[Listener], LiveMachine], test: str, keep: Keep) -> None:
        self._firmware = firmware
        self._test = test
        self._keep = keep
        self._measuring = False
        self.console = Console()
        self._machine = make(lambda data: self.console.heard(data, self.cycles))
        low, high = firmware.under_test.plan.stack
        self._machine.write(low, bytes([STACK_PAINT]) * (high - low))
        self._since_reset = self._machine.begin(traced=False)

    # Time.

    @property
    def cycles(self) -> int:
        """The time in cycles of the core since reset, slept ones included."""
        return self._machine.now

    @property
    def time_s(self) -> float:
        """The same in seconds, at the board's clock."""
        return self.cycles / self._firmware.board.clock_hz

    def run_for(self, time: Time) -> None:
        """Let `time` pass."""
        __tracebackhide__ = True
        self._check(self._machine.go(self._after(time)))

    def run_until(self, place: str | int, timeout: Time = DEFAULT_TIMEOUT) -> None:
        """Run up to the function, label or address `place`; it has not been executed then."""
        __tracebackhide__ = True
        address = self._firmware.address(place) & ~1
        stop = self._machine.go(self._after(timeout), {address})
        self._check(stop)
        if stop.reason is not StopReason.PLACE:
            name = place if isinstance(place, str) else f"{place:#010x}"
            raise self._failure(f"run_until({name!r}): it was not reached within {_shown(timeout)}", stop)

    # Console.

    def send(self, data: str | bytes) -> None:
        """The firmware can read `data` from its console from now on; no time passes."""
        sent = data.encode() if isinstance(data, str) else data
        self.console.sent(sent, self.cycles)
        self._machine.send(sent)

    def expect(
        self, pattern: str | bytes | re.Pattern[str] | re.Pattern[bytes], timeout: Time = DEFAULT_TIMEOUT
    ) -> re.Match[str] | re.Match[bytes]:
        """Run until `pattern`, a regular expression, is on the console; returns the match.

        What came before the end of an earlier match is not looked at again. A match that more text could make longer, as
        of "(\\d+)", waits a millisecond for that. Raises BoardFailure with what is known when it does not come in time.
        """
        __tracebackhide__ = True
        try:
            wanted = Pattern(pattern)
        except re.error as error:
            hint = "escape what is meant literally: re.escape(...)"
            raise HarnessError(f"expect({pattern!r}): no regular expression: {error}", hint=hint) from error
        until = self._after(timeout)
        self.console.want(wanted)
        try:
            stop: Stop | None = None
            while (found := self.console.match(wanted)) is None:
                if stop is not None and stop.reason is not StopReason.ASKED:
                    self._check(stop)
                    raise self._failure(f"expect({pattern!r}): it did not come within {_shown(timeout)}", stop)
                stop = self._machine.go(until)
            match, can_grow = found
            self.console.want(None, any_byte=True)
            settle = self.cycles + round(_SETTLE_S * self._firmware.board.clock_hz)
            while can_grow and self.cycles < settle:
                if self._machine.go(settle).reason is not StopReason.ASKED:
                    break  # a fault is the next one's to report: the text did come
                found = self.console.match(wanted)
                match, can_grow = found if found else (match, False)
        finally:
            self.console.want(None)
        self.console.take(wanted)
        return match

    @property
    def transcript(self) -> str:
        """All that was said on the console, with its times."""
        return "\n".join(self.console.transcript(self._firmware.board.clock_hz))

    # Memory and registers.

    def read(self, place: str | int, type: str) -> Value:
        """The value of a variable, or at an address; `type` as in "u8", "i32", "f32", "u16[4]", "char[16]"."""
        kind = PlainType(type)
        return kind.decode(self.read_bytes(place, kind.size))

    def write(self, place: str | int, value: Value, type: str) -> None:
        """Set a variable, or what is at an address."""
        self.write_bytes(place, PlainType(type).encode(value))

    def read_bytes(self, place: str | int, size: int) -> bytes:
        return self._machine.read(self._firmware.address(place), size)

    def write_bytes(self, place: str | int, data: bytes) -> None:
        self._machine.write(self._firmware.address(place), data)

    @property
    def registers(self) -> Mapping[str, int]:
        """The core's registers as they are: r0 to r12, sp, lr, pc, xpsr, primask, ..."""
        return self._machine.registers()

    def set_register(self, name: str, value: int) -> None:
        """Set r0 to r12, sp, lr or pc."""
        if name not in (*(f"r{nth}" for nth in range(13)), "sp", "lr", "pc"):
            raise HarnessError(f"no register {name!r} can be set", hint="r0 to r12, sp, lr and pc can")
        self._machine.set_register(name, value)

    # Measuring.

    @contextmanager
    def measure(
        self, function: str = "", *, name: str = "", budget: Mapping[str, object] | None = None
    ) -> Iterator[Measurement]:
        """Measure what runs inside of the `with` block: all calls of `function`, or without one, everything.

        It is a row of the reports, called `name`. A figure over its `budget` fails the test.
        """
        __tracebackhide__ = True
        if self._measuring:
            raise HarnessError("a measurement is under way", hint="end its `with` block before the next one begins")
        symbol = self._firmware.function(function) if function else None
        title = titles(self._firmware.program, [symbol])[symbol.address] if symbol else ""
        measurement = Measurement(name or function or "stretch", symbol, title, parse_budgets(budget or {}))
        measuring = Measuring(self._machine, self._firmware, measurement, self.console.text)
        self._measuring = True
        try:
            yield measurement
        except BaseException:
            measuring.abandon()
            raise
        finally:
            self._measuring = False
        result = self._keep(*measuring.end(self._test, self.console.text))
        measurement.finish(result)
        if result.verdict is not Verdict.PASS and not undecided(result):
            raise BoardFailure(failure_text(result))

    # The end.

    def close(self) -> None:
        """Give the emulator back; harmless when called twice."""
        self._machine.close()

    # What goes wrong.

    def _after(self, time: Time) -> int:
        seconds = units.parse(time, "seconds")
        if seconds < 0:
            raise HarnessError(f"time does not go back: {time!r}")
        return self.cycles + round(seconds * self._firmware.board.clock_hz)

    def _check(self, stop: Stop) -> None:
        """Raises for a stop that no test can want."""
        __tracebackhide__ = True
        if stop.reason is StopReason.FAULT:
            raise BoardFailure("\n".join([*self._explained(stop), *self._console_lines()]))

    def _failure(self, said: str, stop: Stop) -> BoardFailure:
        places = self._firmware.places
        lines = [said]
        if stop.reason is StopReason.EXITED:
            lines.append(stop.detail)
        lines += failures.core_lines(self._machine, places)
        if self._machine.unread:
            lines.append(f"the firmware has not read {self._machine.unread!r} of what was sent")
        return BoardFailure("\n".join([*lines, *self._console_lines()]))

    def _console_lines(self) -> list[str]:
        return failures.console_lines(self.console.transcript(self._firmware.board.clock_hz))

    def _explained(self, stop: Stop) -> list[str]:
        """A fault, as reports of scenarios explain it."""
        under_test, machine = self._firmware.under_test, self._machine
        low, high = under_test.plan.stack
        stretch = machine.end(self._since_reset)
        execution = Execution(
            reason=ExitReason.FAULT,
            status=stop.status,
            pc=stop.pc,
            detail=stop.detail,
            console=self.console.text,
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
        return failures.explained(execution, self._firmware)


def _shown(time: Time) -> str:
    return time if isinstance(time, str) else f"{time:g} s"
