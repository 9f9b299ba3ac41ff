"""TWIM and SPIM of nRF, which share their registers: ENABLE says which of them it is. Both fetch and leave bytes in memory.

Registers: Nordic nRF52840 PS v1.7, 6.25.7 and 6.31.7. TWI and SPI, their predecessors without DMA, are not modelled.
"""

from __future__ import annotations

from mcu_harness.emulator.unicorn.peripherals.i2c import I2cWires
from mcu_harness.emulator.unicorn.peripherals.nrf_registers import SHORTS, NrfRegisters
from mcu_harness.emulator.unicorn.peripherals.registers import Wiring
from mcu_harness.emulator.unicorn.peripherals.spi import SpiWires

_STARTRX, _STARTTX, _START, _STOP, _SUSPEND, _RESUME = 0x000, 0x008, 0x010, 0x014, 0x01C, 0x020
_STOPPED, _ENDRX, _END, _ENDTX, _ERROR, _SUSPENDED = 0x104, 0x110, 0x118, 0x120, 0x124, 0x148
_RXSTARTED, _TXSTARTED, _LASTRX, _LASTTX, _STARTED = 0x14C, 0x150, 0x15C, 0x160, 0x14C
_ERRORSRC, _ENABLE = 0x4C4, 0x500
_RX, _TX, _ADDRESS, _ORC = 0x534, 0x544, 0x588, 0x5C0  # of RX and TX: pointer, most, amount
_TWIM, _SPIM = 6, 7
_NO_ADDRESS = 1 << 1
_SHORTCUTS = {  # of TWIM: the event's bit in SHORTS, and the task that it starts
    _LASTTX: ((7, _STARTRX), (8, _SUSPEND), (9, _STOP)),
    _LASTRX: ((10, _STARTTX), (12, _STOP)),
}


class NrfSerial(NrfRegisters):
    """`i2c` and `spi` are the buses that it is the master of."""

    def __init__(self, base: int, irq: int | None, wiring: Wiring) -> None:
        super().__init__(base, irq, wiring)
        self.i2c, self.spi = I2cWires(), SpiWires()

    def store(self, at: int, value: int, mask: int) -> None:
        if at == _ERRORSRC:
            self.words[at] = self.words.get(at, 0) & ~value
        else:
            super().store(at, value, mask)

    def task(self, task: int) -> None:
        enabled = self.words.get(_ENABLE, 0)
        if enabled == _TWIM and task in (_STARTRX, _STARTTX):
            self._transfer(task == _STARTRX)
        elif enabled == _SPIM and task == _START:
            self._exchange()
        elif task == _STOP:
            self.i2c.stop()
            self.happen(_STOPPED)
        elif task == _SUSPEND:
            self.happen(_SUSPENDED)

    def _transfer(self, reads: bool) -> None:
        words, place = self.words, _RX if reads else _TX
        pointer, most = words.get(place, 0), words.get(place + 4, 0)
        words[place + 8] = 0
        if not self.i2c.start(words.get(_ADDRESS, 0) & 0x7F, reads):
            words[_ERRORSRC] = words.get(_ERRORSRC, 0) | _NO_ADDRESS
            self.happen(_ERROR)
            return
        self.happen(_RXSTARTED if reads else _TXSTARTED)
        if reads:
            self._wiring.poke(pointer, bytes(self.i2c.get() for _ in range(most)))
        else:
            for byte in self._wiring.peek(pointer, most) or b"":
                self.i2c.put(byte)
        words[place + 8] = most
        event = _LASTRX if reads else _LASTTX
        self.happen(event)
        for bit, task in _SHORTCUTS[event]:
            if words.get(SHORTS, 0) >> bit & 1:
                self.task(task)

    def _exchange(self) -> None:
        words = self.words
        sent = self._wiring.peek(words.get(_TX, 0), words.get(_TX + 4, 0)) or b""
        most = words.get(_RX + 4, 0)
        fill = words.get(_ORC, 0) & 0xFF
        frames = sent + bytes([fill]) * (most - len(sent))
        received = bytes(self.spi.exchange(frame, 8) for frame in frames)
        if most:
            self._wiring.poke(words.get(_RX, 0), received[:most])
        words[_TX + 8], words[_RX + 8] = len(sent), most
        for event in (_STARTED, _ENDTX, _ENDRX, _END):
            self.happen(event)
