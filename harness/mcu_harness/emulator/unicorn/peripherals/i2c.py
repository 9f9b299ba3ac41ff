"""Controllers of I2C as masters: what is on the bus is devices that a test attaches. Transfers take no time.

Slave mode, 10-bit addresses, SMBus and DMA of STM32 and RP2040 are not modelled.
"""

from __future__ import annotations

from mcu_harness.emulator.live_peripherals import I2cDevice
from mcu_harness.emulator.unicorn.peripherals.registers import AtomicRegisters, Registers, Wiring
from mcu_harness.hardware.peripheral import Peripheral


class I2cWires:
    """The bus: devices by their 7-bit addresses. What a master writes reaches the device when that transfer ends."""

    def __init__(self) -> None:
        self._devices: dict[int, I2cDevice] = {}
        self._device: I2cDevice | None = None
        self._written: bytearray | None = None

    def attach(self, address: int, device: I2cDevice) -> None:
        self._devices[address] = device

    def start(self, address: int, reads: bool) -> bool:
        """A start, or a repeated one, and the address; returns whether a device answers."""
        self.stop()
        self._device = self._devices.get(address)
        if self._device is not None and not reads:
            self._written = bytearray()
        return self._device is not None

    def put(self, byte: int) -> None:
        if self._written is not None:
            self._written.append(byte & 0xFF)

    def get(self) -> int:
        return self._device.read() & 0xFF if self._device is not None else 0xFF

    def stop(self) -> None:
        """The transfer ends."""
        device, written = self._device, self._written
        self._device = self._written = None
        if device is not None and written is not None:
            device.write(bytes(written))


class StmI2cOld(Registers):
    """CR1, CR2, DR, SR1, SR2 (ST RM0090, 27.6). While bytes are read, RXNE and BTF say that there are more."""

    _CR1, _CR2, _DR, _SR1, _SR2 = 0x00, 0x04, 0x10, 0x14, 0x18
    _START, _STOP, _ACK, _POS = 1 << 8, 1 << 9, 1 << 10, 1 << 11
    _SB, _ADDR, _BTF, _RXNE, _TXE, _AF = 1 << 0, 1 << 1, 1 << 2, 1 << 6, 1 << 7, 1 << 10
    _MSL, _BUSY, _TRA = 1, 2, 4

    def __init__(self, peripheral: Peripheral, wiring: Wiring) -> None:
        super().__init__()
        self.bus = I2cWires()
        self._peripheral = peripheral
        self._wiring = wiring
        self.reads = False
        self.left: int | None = None  # how many bytes can still be read after a stop

    def load(self, at: int) -> int:
        value = super().load(at)
        if at == self._SR2 and self.words.get(self._SR1, 0) & self._ADDR:
            control = self.words.get(self._CR1, 0)
            ready = self._RXNE | self._BTF if self.reads else self._TXE | self._BTF
            self._status(ready, self._ADDR)
            self.left = None if control & self._ACK else 2 if control & self._POS else 1
        elif at == self._DR and self.words.get(self._SR1, 0) & self._RXNE:
            value = self.bus.get()
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    self._status(0, self._RXNE | self._BTF)
                    self.reads = False
        return value

    def store(self, at: int, value: int, mask: int) -> None:
        if at == self._SR1:
            self._status(0, mask & ~value & self._AF)
        elif at == self._DR:
            self._send(value & 0xFF)
        elif at != self._SR2:
            super().store(at, value, mask)
            if at == self._CR1:
                self._obey(self.words[at])
        self._ask()

    def _obey(self, control: int) -> None:
        if control & self._STOP:
            if self.reads:
                self.left = min(2, self.left or 2)
            else:
                self.bus.stop()
                self._status(0, self._TXE | self._BTF)
            self.words[self._SR2] = 0
        elif control & self._START:
            self._status(self._SB, self._RXNE | self._TXE | self._BTF | self._ADDR)
            self.words[self._SR2] = self._MSL | self._BUSY
            self.reads, self.left = False, None
        if not control & 1:
            self.bus.stop()
            self.words[self._SR1] = self.words[self._SR2] = 0
        self.words[self._CR1] = control & ~(self._START | self._STOP)

    def _send(self, byte: int) -> None:
        status = self.words.get(self._SR1, 0)
        if status & self._SB:
            self.reads = bool(byte & 1)
            answered = self.bus.start(byte >> 1, self.reads)
            self._status(self._ADDR if answered else self._AF, self._SB)
            self.words[self._SR2] = self._MSL | self._BUSY | (0 if self.reads else self._TRA)
        elif status & self._TXE:
            self.bus.put(byte)

    def _status(self, ones: int, zeros: int) -> None:
        self.words[self._SR1] = self.words.get(self._SR1, 0) & ~zeros | ones

    def _ask(self) -> None:
        status, control = self.words.get(self._SR1, 0), self.words.get(self._CR2, 0)
        events = self._SB | self._ADDR | self._BTF | (self._RXNE | self._TXE if control & 1 << 10 else 0)
        event = bool(control & 1 << 9 and status & events)
        error = bool(control & 1 << 8 and status & self._AF)
        for irq, asks in zip(self._peripheral.irqs, (event, error), strict=False):
            self._wiring.interrupt(irq, self._peripheral.base, asks)


class StmI2c(Registers):
    """CR1, CR2, ISR, ICR, RXDR, TXDR (ST RM0351, 39.9)."""

    _CR1, _CR2, _ISR, _ICR, _RXDR, _TXDR = 0x00, 0x04, 0x18, 0x1C, 0x24, 0x28
    _READS, _START, _STOP, _RELOAD, _AUTOEND = 1 << 10, 1 << 13, 1 << 14, 1 << 24, 1 << 25
    _TXE, _TXIS, _RXNE, _NACKF, _STOPF, _TC, _TCR, _BUSY = 1, 2, 4, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 15
    # Bits of CR1 that let bits of ISR interrupt.
    _INTERRUPTS = ((1 << 1, _TXIS), (1 << 2, _RXNE), (1 << 4, _NACKF), (1 << 5, _STOPF), (1 << 6, _TC | _TCR))

    def __init__(self, peripheral: Peripheral, wiring: Wiring) -> None:
        super().__init__({self._ISR: self._TXE})
        self.bus = I2cWires()
        self._peripheral = peripheral
        self._wiring = wiring
        self.left = 0  # bytes of NBYTES that are still to come

    def load(self, at: int) -> int:
        if at == self._RXDR and self.words[self._ISR] & self._RXNE:
            value = self.words.get(at, 0)
            self._status(0, self._RXNE)
            self._go_on()
            self._ask()
            return value
        return super().load(at)

    def store(self, at: int, value: int, mask: int) -> None:
        if at == self._ICR:
            self._status(0, value & (self._NACKF | self._STOPF | 1 << 3 | 0x3F00))
        elif at == self._TXDR:
            if self.words[self._ISR] & self._TXIS:
                self._status(0, self._TXIS)
                self.bus.put(value & 0xFF)
                self._go_on()
        elif at != self._ISR:
            super().store(at, value, mask)
            if at == self._CR2:
                self._obey(self.words[at])
            elif at == self._CR1 and not self.words[at] & 1:
                self.bus.stop()
                self.words[self._ISR] = self._TXE
        self._ask()

    def _obey(self, control: int) -> None:
        count = control >> 16 & 0xFF
        self.words[self._CR2] = control & ~(self._START | self._STOP)
        if control & self._START:
            self._status(self._BUSY, self._TC | self._TCR | self._TXIS | self._RXNE)
            if self.bus.start(control >> 1 & 0x7F, bool(control & self._READS)):
                self.left = count
                self._go_on()
            else:
                self._status(self._NACKF, 0)
                if control & self._AUTOEND:
                    self._stop()
        elif control & self._STOP:
            self._stop()
        elif self.words[self._ISR] & self._TCR and count:
            self._status(0, self._TCR)
            self.left = count
            self._go_on()

    def _go_on(self) -> None:
        """The byte before this was transferred, or none yet."""
        control = self.words[self._CR2]
        if self.left:
            self.left -= 1
            if control & self._READS:
                self.words[self._RXDR] = self.bus.get()
            self._status(self._RXNE if control & self._READS else self._TXIS, 0)
        elif control & self._RELOAD:
            self._status(self._TCR, 0)
        elif control & self._AUTOEND:
            self._stop()
        else:
            self._status(self._TC, 0)

    def _stop(self) -> None:
        self.bus.stop()
        self._status(self._STOPF, self._BUSY | self._TC | self._TXIS)

    def _status(self, ones: int, zeros: int) -> None:
        self.words[self._ISR] = self.words[self._ISR] & ~zeros | ones

    def _ask(self) -> None:
        enabled, status = self.words.get(self._CR1, 0), self.words[self._ISR]
        asks = any(enabled & enable and status & bits for enable, bits in self._INTERRUPTS)
        self._wiring.interrupt(self._peripheral.irq, self._peripheral.base, asks)


class RpI2c(AtomicRegisters):
    """IC_DATA_CMD is a FIFO of commands, which are done at once (RP2040 datasheet, 4.3.17)."""

    _TAR, _DATA_CMD, _INTR_STAT, _INTR_MASK, _RAW, _RX_TL = 0x04, 0x10, 0x2C, 0x30, 0x34, 0x38
    _CLR_INTR, _CLR_TX_ABRT, _CLR_STOP_DET, _CLR_START_DET = 0x40, 0x54, 0x60, 0x64
    _ENABLE, _STATUS, _TXFLR, _RXFLR, _ABORT, _ENABLED = 0x6C, 0x70, 0x74, 0x78, 0x80, 0x9C
    _RX_FULL, _TX_EMPTY, _TX_ABRT, _STOP_DET, _START_DET = 1 << 2, 1 << 4, 1 << 6, 1 << 9, 1 << 10
    _READ, _STOP, _RESTART = 1 << 8, 1 << 9, 1 << 10

    def __init__(self, peripheral: Peripheral, wiring: Wiring) -> None:
        super().__init__()
        self.bus = I2cWires()
        self._peripheral = peripheral
        self._wiring = wiring
        self.received: list[int] = []
        self.going: bool | None = None  # whether the transfer under way reads

    def load(self, at: int) -> int:
        if at == self._DATA_CMD:
            value = self.received.pop(0) if self.received else 0
            self._ask()
            return value
        if at in (self._CLR_INTR, self._CLR_TX_ABRT, self._CLR_STOP_DET, self._CLR_START_DET):
            self._clear(at)
            return 0
        fifo = len(self.received)
        seen = {
            self._RAW: self._raw,
            self._INTR_STAT: self._raw & self.words.get(self._INTR_MASK, 0),
            self._STATUS: 2 | 4 | (fifo > 0) << 3,
            self._TXFLR: 0,
            self._RXFLR: fifo,
            self._ENABLED: self.words.get(self._ENABLE, 0) & 1,
        }
        return seen[at] if at in seen else super().load(at)

    def store(self, at: int, value: int, mask: int) -> None:
        if at == self._DATA_CMD:
            self._command(value)
        elif at not in (self._ABORT, self._RAW):
            super().store(at, value, mask)
        self._ask()

    def _command(self, value: int) -> None:
        reads = bool(value & self._READ)
        if self.going is not reads or value & self._RESTART:
            self._set(self._START_DET)
            if not self.bus.start(self.words.get(self._TAR, 0) & 0x7F, reads):
                self.words[self._ABORT] = 1
                self._set(self._TX_ABRT | self._STOP_DET)
                self.going = None
                return
            self.going = reads
        if reads:
            self.received.append(self.bus.get())
        else:
            self.bus.put(value)
        if value & self._STOP:
            self.bus.stop()
            self.going = None
            self._set(self._STOP_DET)

    def _set(self, bits: int) -> None:
        self.words[self._RAW] = self.words.get(self._RAW, 0) | bits

    def _clear(self, at: int) -> None:
        bits = {
            self._CLR_TX_ABRT: self._TX_ABRT,
            self._CLR_STOP_DET: self._STOP_DET,
            self._CLR_START_DET: self._START_DET,
        }
        self.words[self._RAW] = self.words.get(self._RAW, 0) & ~bits.get(at, 0xFFF)
        if at in (self._CLR_TX_ABRT, self._CLR_INTR):
            self.words[self._ABORT] = 0
        self._ask()

    @property
    def _raw(self) -> int:
        full = len(self.received) > self.words.get(self._RX_TL, 0)
        return self.words.get(self._RAW, 0) | self._TX_EMPTY | (self._RX_FULL if full else 0)

    def _ask(self) -> None:
        asks = bool(self._raw & self.words.get(self._INTR_MASK, 0))
        self._wiring.interrupt(self._peripheral.irq, self._peripheral.base, asks)
