"""Controllers of SPI as masters: frames go to the devices that a test attaches, and what these answer comes back at once.

Slave mode, TI mode, CRC, receive-only mode of the older STM32, and DMA of STM32 and RP2040 are not modelled.
"""

from __future__ import annotations

from mcu_harness.emulator.live_peripherals import PinLine, SpiDevice
from mcu_harness.emulator.unicorn.peripherals.registers import AtomicRegisters, Registers, Wiring
from mcu_harness.hardware.peripheral import Peripheral

_NOBODY = 0xFFFFFFFF  # what is read where no device answers: the line is pulled up


class SpiWires:
    """The bus: devices, each with the pin that selects it while it is low; without one, it always is."""

    def __init__(self) -> None:
        self._devices: list[tuple[SpiDevice, PinLine | None]] = []

    def attach(self, device: SpiDevice, select: PinLine | None) -> None:
        self._devices.append((device, select))
        tell = getattr(device, "select", None)
        if select is not None and callable(tell):
            select.watch(lambda: tell(select.level == 0))

    def exchange(self, frame: int, bits: int) -> int:
        """One frame of so many bits out, and one in."""
        mask = (1 << bits) - 1
        for device, select in self._devices:
            if select is None or select.level == 0:
                return device.exchange(frame & mask) & mask
        return _NOBODY & mask


class StmSpi(Registers):
    """CR1, CR2, SR, DR. With `fifo`, as ST RM0351 (42.6) has them: 4 bytes each way; else as RM0090 (28.5)."""

    _CR1, _CR2, _SR, _DR = 0x00, 0x04, 0x08, 0x0C
    _RXNE, _TXE, _OVR = 1, 2, 1 << 6

    def __init__(self, peripheral: Peripheral, wiring: Wiring, fifo: bool) -> None:
        super().__init__()
        self.bus = SpiWires()
        self._peripheral = peripheral
        self._wiring = wiring
        self._fifo = fifo
        self.received: list[int] = []
        self.overrun = False

    @property
    def _bits(self) -> int:
        if not self._fifo:
            return 16 if self.words.get(self._CR1, 0) & 1 << 11 else 8
        return max(4, (self.words.get(self._CR2, 0x700) >> 8 & 15) + 1)

    def read(self, offset: int, size: int) -> int:
        if offset != self._DR:
            return super().read(offset, size)
        value = self._take()
        if self._fifo and size >= 2 and self._bits <= 8 and self.received:
            value |= self._take() << 8  # two frames in one access
        self._ask()
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        if offset != self._DR:
            super().write(offset, size, value)
        elif self.words.get(self._CR1, 0) & 1 << 6:
            bits = self._bits
            frames = [value, value >> 8] if self._fifo and size >= 2 and bits <= 8 else [value]
            for frame in frames:
                answer = self.bus.exchange(frame, bits)
                if len(self.received) * (2 if bits > 8 else 1) < (4 if self._fifo else 1 if bits <= 8 else 2):
                    self.received.append(answer)
                else:
                    self.overrun = True
        self._ask()

    def load(self, at: int) -> int:
        if at != self._SR:
            return super().load(at)
        level = min(3, len(self.received) * (2 if self._bits > 8 else 1)) if self._fifo else 0
        return (self._RXNE if self.received else 0) | self._TXE | (self._OVR if self.overrun else 0) | level << 9

    def _take(self) -> int:
        self.overrun = False
        return self.received.pop(0) if self.received else 0

    def _ask(self) -> None:
        control = self.words.get(self._CR2, 0)
        asks = bool(control & 1 << 7 or (control & 1 << 6 and self.received) or (control & 1 << 5 and self.overrun))
        self._wiring.interrupt(self._peripheral.irq, self._peripheral.base, asks)


class StmSpiNew(Registers):
    """CR1, CR2 (TSIZE), CFG1, CFG2, IER, SR, IFCR, TXDR, RXDR (ST RM0433, 50.11)."""

    _CR1, _CR2, _CFG1, _CFG2, _IER, _SR, _IFCR, _TXDR, _RXDR = (
        *(0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18, 0x20, 0x30),
    )
    _SPE, _CSTART, _CSUSP = 1, 1 << 9, 1 << 10
    _RXP, _TXP, _DXP, _EOT, _TXTF, _SUSP, _TXC, _RXWNE = 1, 2, 4, 8, 16, 1 << 11, 1 << 12, 1 << 15
    _RECEIVER = 2  # CFG2.COMM

    def __init__(self, peripheral: Peripheral, wiring: Wiring) -> None:
        super().__init__()
        self.bus = SpiWires()
        self._peripheral = peripheral
        self._wiring = wiring
        self.to_send: list[int] = []
        self.received: list[int] = []
        self.count = 0  # frames of this transfer
        self.flags = 0

    def read(self, offset: int, size: int) -> int:
        if offset != self._RXDR:
            return super().read(offset, size)
        each = -(-self._bits // 8)
        value = 0
        for nth in range(max(1, size // each)):
            value |= (self.received.pop(0) if self.received else 0) << 8 * each * nth
        self._ask()
        return value

    def write(self, offset: int, size: int, value: int) -> None:
        if offset == self._TXDR:
            each = -(-self._bits // 8)
            self.to_send += [value >> 8 * each * nth for nth in range(max(1, size // each))]
            self._go_on()
        else:
            super().write(offset, size, value)

    @property
    def _bits(self) -> int:
        return (self.words.get(self._CFG1, 7) & 31) + 1

    def load(self, at: int) -> int:
        if at != self._SR:
            return super().load(at)
        can_send = not self.flags & self._EOT
        status = self.flags | (self._TXP if can_send else 0) | (self._RXP if self.received else 0)
        status |= self._DXP if can_send and self.received else 0
        level = min(3, len(self.received))
        return (
            status | level << 13 | (self._RXWNE if len(self.received) > 3 else 0) | (0 if self.to_send else self._TXC)
        )

    def store(self, at: int, value: int, mask: int) -> None:
        if at == self._IFCR:
            self.flags &= ~value
        elif at != self._SR:
            super().store(at, value, mask)
        if at == self._CR1:
            control = self.words[at]
            if not control & self._SPE:
                self.to_send, self.received, self.count, self.flags = [], [], 0, 0
                self.words[at] &= ~self._CSTART
            elif control & self._CSUSP:
                self.words[at] &= ~(self._CSTART | self._CSUSP)
                self.flags |= self._SUSP
            elif control & self._CSTART and self.words.get(self._CFG2, 0) >> 17 & 3 == self._RECEIVER:
                self.to_send = [_NOBODY] * (self.words.get(self._CR2, 0) & 0xFFFF)
            self._go_on()
        self._ask()

    def _go_on(self) -> None:
        """Send what can be sent."""
        size = self.words.get(self._CR2, 0) & 0xFFFF
        while self.to_send and self.words.get(self._CR1, 0) & self._CSTART:
            self.received.append(self.bus.exchange(self.to_send.pop(0), self._bits))
            self.count += 1
            if size and self.count >= size:
                self.flags |= self._EOT | self._TXTF
                self.words[self._CR1] &= ~self._CSTART
                self.count, self.to_send = 0, []
        self._ask()

    def _ask(self) -> None:
        asks = bool(self.load(self._SR) & self.words.get(self._IER, 0) & 0x3FF)
        self._wiring.interrupt(self._peripheral.irq, self._peripheral.base, asks)


class Pl022(AtomicRegisters):
    """SSPCR0, SSPCR1, SSPDR, SSPSR (Arm DDI 0194, 3.3), with FIFOs of 8 frames."""

    _CR0, _CR1, _DR, _SR, _IMSC, _RIS, _MIS = 0x00, 0x04, 0x08, 0x0C, 0x14, 0x18, 0x1C
    _DEPTH = 8

    def __init__(self, peripheral: Peripheral, wiring: Wiring) -> None:
        super().__init__()
        self.bus = SpiWires()
        self._peripheral = peripheral
        self._wiring = wiring
        self.received: list[int] = []

    def load(self, at: int) -> int:
        if at == self._DR:
            value = self.received.pop(0) if self.received else 0
            self._ask()
            return value
        if at == self._SR:
            return 3 | bool(self.received) << 2 | (len(self.received) >= self._DEPTH) << 3
        if at in (self._RIS, self._MIS):
            return self._raw & (self.words.get(self._IMSC, 0) if at == self._MIS else 15)
        return super().load(at)

    def store(self, at: int, value: int, mask: int) -> None:
        if at != self._DR:
            super().store(at, value, mask)
        elif self.words.get(self._CR1, 0) & 2:
            answer = self.bus.exchange(value, (self.words.get(self._CR0, 0) & 15) + 1)
            if len(self.received) < self._DEPTH:
                self.received.append(answer)
        self._ask()

    @property
    def _raw(self) -> int:
        return bool(self.received) << 1 | (len(self.received) >= self._DEPTH // 2) << 2 | 1 << 3

    def _ask(self) -> None:
        asks = bool(self._raw & self.words.get(self._IMSC, 0))
        self._wiring.interrupt(self._peripheral.irq, self._peripheral.base, asks)
