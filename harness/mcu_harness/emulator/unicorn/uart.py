"""One console UART as programs see it: registers around the description in `hardware/uarts.py`.

A transmitter here is always ready; a receiver has a byte as long as there is something to read, and never loses one. To
programs that poll, the next byte is there at once; with interrupts it comes some time after the last one was read, so
that the program gets something else done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.emulator.dialogue import Dialogue
from mcu_harness.hardware.uarts import Uart

SPAN = 0x1000  # bytes of registers that are looked after from the console's base
_APART = 1000  # instructions from the reading of one byte to the next one's interrupt


@dataclass(frozen=True, slots=True)
class UartLine:
    """One UART: its kind, registers and interrupt, what takes the bytes that it sends, and where it receives from."""

    uart: Uart
    base: int
    irq: int | None
    send: Callable[[bytes], None]
    dialogue: Dialogue


class UartRegisters:
    """The registers around one UART: plain memory, but for what `Uart` says.

    `dialogue` is who talks to it from outside. `ask(level)` is called when it begins or ceases to ask for its interrupt;
    `now()` gives the time in instructions, for interrupts alone.
    """

    def __init__(
        self,
        uart: Uart,
        base: int,
        page: int,
        size: int,
        send: Callable[[bytes], None],
        dialogue: Dialogue,
        *,
        ask: Callable[[bool], None] = lambda _: None,
        now: Callable[[], int] = lambda: 0,
    ) -> None:
        self._dialogue = dialogue
        self._uart = uart
        self._base = base - page
        self._words = bytearray(size)
        self._send = send
        self._ask = ask
        self._now = now
        self._asks = False
        self._next_byte = 0  # when there will be one, as far as interrupts are concerned
        for offset, value in uart.ready.items():
            self._set(offset, value)

    def read(self, offset: int, size: int) -> int:
        """What a read of `size` bytes at `offset` from the page gives."""
        uart, at = self._uart, offset - self._base
        if at == uart.input:
            return self._take()
        if uart.masked and at == uart.masked[0]:
            _, status, enabled = uart.masked
            return self.read(self._base + status, size) & self._get(enabled)
        if self._received:
            bits = sum(
                bits << 8 * (register - at) for register, bits in uart.received.items() if at <= register < at + size
            )
            return self._get(at, size) ^ bits
        return self._get(at, size)

    def write(self, offset: int, size: int, value: int) -> None:
        """What a write does; status registers keep saying "send on"."""
        uart, at = self._uart, offset - self._base
        if at == uart.data:
            self._send(bytes([value & 0xFF]))
            if uart.clear is not None:
                register, bits = uart.sent
                self._set(register, self._get(register) | bits)
                self.look()
            return
        if at == uart.clear:
            register, bits = uart.sent
            self._set(register, self._get(register) & ~(bits & value))
            self.look()
            return
        if any(at & ~3 == register & ~3 for register in uart.ready):
            return
        self._words[offset : offset + size] = value.to_bytes(8, "little")[:size]
        self.look()

    @property
    def switched_off(self) -> str:
        """What would have to be on for bytes to be received, "" when all of it is."""
        off = [s.name for s in self._uart.receives if self._get(s.register) & s.mask != s.value]
        return " and ".join(off)

    @property
    def waits(self) -> bool:
        """Whether time alone can make it ask for its interrupt."""
        return self._dialogue.waiting

    @property
    def next_byte(self) -> int | None:
        """When a byte will ask for an interrupt that does not yet; None when none will."""
        waits = self._dialogue.waiting and self._interrupting and not self._received
        return self._next_byte if waits else None

    def look(self) -> None:
        """See whether to ask for the interrupt: something may have changed."""
        asks = any(
            self._get(control) & enable and self.read(self._base + status, 4) & wanted
            for control, enable, status, wanted in self._uart.interrupts
        )
        if asks != self._asks:
            self._asks = asks
            self._ask(asks)

    def _take(self) -> int:
        if not self._received:
            return 0
        taken = self._dialogue.take()
        if self._interrupting:
            self._next_byte = self._now() + _APART
            self.look()
        return taken

    @property
    def _received(self) -> bool:
        """Whether there is a byte to read."""
        if not self._dialogue.waiting or self._uart.input is None:
            return False
        return not self._interrupting or self._now() >= self._next_byte

    @property
    def _interrupting(self) -> bool:
        """Whether a byte that comes is to interrupt the program."""
        changes = self._uart.received
        return any(self._get(c) & e and changes.get(s, 0) & w for c, e, s, w in self._uart.interrupts)

    def _get(self, register: int, size: int = 4) -> int:
        at = self._base + register
        return int.from_bytes(self._words[at : at + size], "little")

    def _set(self, register: int, value: int) -> None:
        at = self._base + register
        self._words[at : at + 4] = value.to_bytes(4, "little")
