"""One UART of a live board, the console's or another: send to it, and wait for what the firmware writes."""

from __future__ import annotations

import re
from collections.abc import Callable

from mcu_harness.app.live.console import Console, Pattern
from mcu_harness.app.live.failures import Explainer
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.live import LiveMachine, Stop, StopReason

DEFAULT_TIMEOUT = "1 s"
_SETTLE_S = 1e-3  # how long a match that could grow waits for more text

Time = str | float


class LiveUart:
    """`name` is "" for the console. `go` lets time pass up to a time in cycles, and `after` gives the time from now on."""

    def __init__(
        self,
        name: str,
        console: Console,
        machine: LiveMachine,
        explainer: Explainer,
        go: Callable[[int], Stop],
        after: Callable[[Time], int],
    ) -> None:
        self.console = console
        self._name = name
        self._machine = machine
        self._explainer = explainer
        self._go = go
        self._after = after

    def send(self, data: str | bytes) -> None:
        """The firmware can read `data` from this UART from now on; no time passes.

        It is lost where the firmware has not switched the receiver on, as on silicon; a later failure says so.
        """
        if not isinstance(data, str | bytes | bytearray):
            raise HarnessError(
                f"send({data!r}): text or bytes can be sent", hint='as in send("on\\n") or send(b"\\x01")'
            )
        sent = data.encode() if isinstance(data, str) else bytes(data)
        self.console.sent(sent, self._machine.now)
        self._machine.send(sent, self._name)

    def expect(
        self, pattern: str | bytes | re.Pattern[str] | re.Pattern[bytes], timeout: Time = DEFAULT_TIMEOUT
    ) -> re.Match[str] | re.Match[bytes]:
        """Run until `pattern`, a regular expression, is on this UART; returns the match.

        What came before the end of an earlier match is not looked at again. A match that more text could make longer, as
        of "(\\d+)", waits a millisecond for that. Raises BoardFailure with what is known when it does not come in time.
        """
        __tracebackhide__ = True
        if not isinstance(pattern, str | bytes | re.Pattern):
            raise HarnessError(
                f"expect({pattern!r}): no regular expression", hint="give text, bytes, or a compiled one"
            )
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
                    self._explainer.check(stop)
                    of = f"{self._name}: " if self._name else ""
                    said = f"{of}expect({pattern!r}): it did not come within {shown(timeout)}"
                    raise self._explainer.missing(said, stop)
                stop = self._go(until)
            match, can_grow = found
            self.console.want(None, any_byte=True)
            settle = self._after(_SETTLE_S)
            while can_grow and self._machine.now < settle:
                if self._go(settle).reason is not StopReason.ASKED:
                    break  # a fault is the next one's to report: the text did come
                found = self.console.match(wanted)
                match, can_grow = found if found else (match, False)
        finally:
            self.console.want(None)
        self.console.take(wanted)
        return match


def shown(time: Time) -> str:
    """A time as the test gave it."""
    return time if isinstance(time, str) else f"{time:g} s"
