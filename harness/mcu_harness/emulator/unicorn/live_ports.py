"""The UARTs of a live run: the console's, called "", and all others that the board names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mcu_harness.emulator.unicorn.live_parts import LiveInput
from mcu_harness.emulator.unicorn.uart import UartLine
from mcu_harness.emulator.unicorn.uart_models import UartModel
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.uarts import UARTS


@dataclass(slots=True)
class _Port:
    """`name` is the peripheral's; `registers` are there once the engine is."""

    name: str
    input: LiveInput
    registers: UartModel | None = None


class LivePorts:
    """`hear(data, uart)` is told of what the program writes.

    What is sent while a UART does not receive is lost, as on silicon. The console's bytes stay for semihosting then: a
    debugger keeps them until they are asked for.
    """

    def __init__(self, board: Board, hear: Callable[[bytes, str], None]) -> None:
        self.host = LiveInput()
        self._ports: dict[str, _Port] = {}
        self.lines: list[UartLine] = []
        console = board.console
        named = [p for p in board.peripherals if p.kind in UARTS and p.base != console.base]
        if console.driver in UARTS:
            self._add("", console.driver, console.base, console.irq, hear, board.console_name)
        for uart in named:
            self._add(uart.name, uart.kind, uart.base, uart.irq, hear, uart.name)

    def _add(
        self, port: str, kind: str, base: int, irq: int | None, hear: Callable[[bytes, str], None], name: str
    ) -> None:
        self._ports[port] = _Port(name, LiveInput())
        line = UartLine(UARTS[kind], base, irq, lambda data: hear(data, port), self._ports[port].input)
        self.lines.append(line)

    def connect(self, registers: Sequence[UartModel]) -> None:
        """The registers of `lines` are these."""
        for port, made in zip(self._ports.values(), registers, strict=True):
            port.registers = made

    @property
    def names(self) -> tuple[str, ...]:
        """All but the console's."""
        return tuple(name for name in self._ports if name)

    @property
    def inputs(self) -> tuple[LiveInput, ...]:
        return (self.host, *(port.input for port in self._ports.values()))

    def send(self, data: bytes, uart: str) -> None:
        """The program can read `data` from now on, if it has switched on what receives it."""
        port = self._ports.get(uart)
        if port is None or port.registers is None:
            self.host.say(data)
        elif off := port.registers.switched_off:
            port.input.lost += data
            port.input.why_lost = f"{port.name} did not receive yet: the firmware had not set {off}"
            if not uart:
                self.host.say(data)
        else:
            port.input.say(data)
            port.registers.look()

    def unread(self, uart: str) -> bytes:
        """What it has not read of that, and still can."""
        port = self._ports.get(uart)
        return port.input.unread if port else self.host.unread

    def lost(self, uart: str) -> tuple[bytes, str]:
        """What the program never could read, and why."""
        port = self._ports.get(uart)
        if port is None:
            return b"", ""
        lost = port.input.lost
        if not uart:  # the others were read by semihosting
            lost = lost[len(lost) - len(self.host.unread) :]
        return lost, port.input.why_lost if lost else ""
