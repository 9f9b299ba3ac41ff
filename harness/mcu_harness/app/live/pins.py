"""Pins of a live board, as a test has them: driven from outside, read, and waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.app.live.failures import Explainer
from mcu_harness.app.live.uart import DEFAULT_TIMEOUT, Time, shown
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.live import Stop, StopReason
from mcu_harness.emulator.live_peripherals import HasPeripherals


@dataclass(frozen=True, slots=True)
class Edge:
    """A pin went to `level` at `time_s`, in seconds since the start."""

    time_s: float
    level: int


class LivePin:
    """One pin. `go` lets time pass up to a time in cycles, and `after` gives the time from now on."""

    def __init__(
        self,
        name: str,
        machine: HasPeripherals,
        explainer: Explainer,
        go: Callable[[int], Stop],
        after: Callable[[Time], int],
        clock_hz: int,
    ) -> None:
        if not isinstance(name, str):
            raise HarnessError(f"a pin has a name, got {name!r}", hint='as in pin("PC13")')
        self._name = name
        self._machine = machine
        self._line = machine.pin(name)
        self._explainer = explainer
        self._go = go
        self._after = after
        self._clock_hz = clock_hz

    def set(self, level: int) -> None:
        """Drive the pin to 0 or 1 from outside, as a button or a signal would; interrupts that it makes are taken as time passes."""
        if level not in (0, 1):
            raise HarnessError(f"pin {self._name}: a level is 0 or 1, got {level!r}")
        self._line.drive(int(level))

    def release(self) -> None:
        """Drive it no longer: its pull says what it is, and it is 0 without one."""
        self._line.drive(None)

    def read(self) -> int:
        """Its level, 0 or 1. Raises HarnessError for a pin that a peripheral has: what that drives is not known."""
        if self.mode == "alternate":
            raise HarnessError(
                f"pin {self._name} belongs to a peripheral (alternate function), which drives no pins here",
                hint="look at the peripheral: a UART's text, the bytes of a bus",
            )
        return self._line.level

    @property
    def mode(self) -> str:
        """What the firmware uses it as: "input", "output", "alternate" or "analog"."""
        return self._line.mode

    @property
    def edges(self) -> list[Edge]:
        """Every change of its level since the start, whoever made it."""
        return [Edge(at / self._clock_hz, level) for at, level in self._line.edges]

    def expect(self, level: int, timeout: Time = DEFAULT_TIMEOUT) -> None:
        """Run until the pin is at `level`; raises BoardFailure with what is known when it does not get there in time."""
        __tracebackhide__ = True
        until = self._after(timeout)
        line = self._line

        def on_edge() -> None:
            if line.level == level:
                self._machine.ask()

        line.watch(on_edge)
        try:
            while line.level != level:
                stop = self._go(until)
                if line.level == level:
                    break
                if stop.reason is not StopReason.ASKED:
                    self._explainer.check(stop)
                    said = f"pin {self._name}: expect({level}): it was still {line.level} after {shown(timeout)}"
                    raise self._explainer.missing(f"{said}, as {self.mode}", stop)
        finally:
            line.unwatch(on_edge)
