"""UARTE of nRF, which fetches and leaves bytes in memory, and UART, its predecessor at the same address: ENABLE chooses.

Registers: Nordic nRF52840 PS v1.7, 6.33 and 6.34. What is sent is gone at once. A byte that comes while no buffer is
given waits for one, as in the receiver's FIFO, which has no end here.
"""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.emulator.dialogue import Dialogue
from mcu_harness.emulator.unicorn.peripherals.nrf_registers import EVENTS, SHORTS, NrfRegisters
from mcu_harness.emulator.unicorn.peripherals.registers import Wiring

_STARTRX, _STOPRX, _STARTTX, _STOPTX, _SUSPEND, _FLUSHRX = 0x000, 0x004, 0x008, 0x00C, 0x01C, 0x02C
_RXDRDY, _ENDRX, _TXDRDY, _ENDTX = 0x108, 0x110, 0x11C, 0x120
_RXTO, _RXSTARTED, _TXSTARTED, _TXSTOPPED = 0x144, 0x14C, 0x150, 0x158
_ENABLE, _RXD, _TXD = 0x500, 0x518, 0x51C
_RX, _TX = 0x534, 0x544  # of each: pointer, most, amount
_UART = 4
_SHORTCUTS = {5: _STARTRX, 6: _STOPRX}  # bits of SHORTS: ENDRX starts that task
_APART = 1000  # instructions from one byte to the next


class NrfUart(NrfRegisters):
    """`send` takes what it sends; `dialogue` is who talks to it from outside."""

    def __init__(
        self, base: int, irq: int | None, wiring: Wiring, send: Callable[[bytes], None], dialogue: Dialogue
    ) -> None:
        super().__init__(base, irq, wiring)
        self._send = send
        self._dialogue = dialogue
        self._receives = self._has_buffer = False
        self._pointer = self._most = self._amount = 0
        self._next_byte = 0

    @property
    def switched_off(self) -> str:
        """As `UartRegisters`."""
        if not self.words.get(_ENABLE, 0):
            return "ENABLE"
        return "" if self._receives else "TASKS_STARTRX"

    @property
    def waits(self) -> bool:
        """As `UartRegisters`."""
        return self._dialogue.waiting

    @property
    def next_byte(self) -> int | None:
        """As `UartRegisters`."""
        awaited = any(map(self.is_awaited, (_RXDRDY, _ENDRX)))
        return self._next_byte if awaited and self._can_take else None

    def look(self) -> None:
        """As `UartRegisters`."""
        while self._can_take and self._wiring.now() >= self._next_byte:
            self._take()
            self._next_byte = self._wiring.now() + _APART
        self.ask()

    def load(self, at: int) -> int:
        self.look()
        value = super().load(at)
        if at == _RXD and self._is_uart:
            self._has_buffer = self._receives
        return value

    def store(self, at: int, value: int, mask: int) -> None:
        if at == _TXD and self._is_uart:
            self._send(bytes([value & 0xFF]))
            self.happen(_TXDRDY)
            self.ask()
            return
        super().store(at, value, mask)
        if EVENTS <= at < SHORTS:
            self.look()

    def task(self, at: int) -> None:
        words = self.words
        if at == _STARTRX:
            self._receives = self._has_buffer = True
            self._pointer, self._most, self._amount = words.get(_RX, 0), words.get(_RX + 4, 0), 0
            self._has_buffer = self._is_uart or self._most > 0
            self.happen(_RXSTARTED)
            self.look()
        elif at == _STARTTX and not self._is_uart:
            most = words.get(_TX + 4, 0)
            self.happen(_TXSTARTED)
            if most:
                self._send(self._wiring.peek(words.get(_TX, 0), most) or b"")
                self.happen(_TXDRDY)
            words[_TX + 8] = most
            self.happen(_ENDTX)
        elif at == _STOPTX:
            self.happen(_TXSTOPPED)
        elif at in (_STOPRX, _SUSPEND):
            if self._receives and self._has_buffer and not self._is_uart:
                self._end()
            self._receives = self._has_buffer = False
            self.happen(_RXTO)
        elif at == _FLUSHRX:
            words[_RX + 8] = 0
            self.happen(_ENDRX)

    @property
    def _is_uart(self) -> bool:
        return self.words.get(_ENABLE, 0) == _UART

    @property
    def _can_take(self) -> bool:
        return self._dialogue.waiting and self._receives and self._has_buffer

    def _take(self) -> None:
        byte = self._dialogue.take()
        if self._is_uart:
            self.words[_RXD] = byte
            self._has_buffer = False
            self.happen(_RXDRDY)
            return
        self._wiring.poke(self._pointer + self._amount, bytes([byte]))
        self._amount += 1
        self.happen(_RXDRDY)
        if self._amount >= self._most:
            self._end()

    def _end(self) -> None:
        """The buffer is over."""
        self._has_buffer = False
        self.words[_RX + 8] = self._amount
        self.happen(_ENDRX)
        for bit, task in _SHORTCUTS.items():
            if self.words.get(SHORTS, 0) >> bit & 1:
                self.task(task)
