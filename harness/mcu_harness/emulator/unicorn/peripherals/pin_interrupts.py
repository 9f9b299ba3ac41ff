"""What makes interrupts of edges and levels of pins: EXTI of STM32, GPIOTE of nRF, IO_BANK0 of RP2040 and RP2350."""

from __future__ import annotations

from collections.abc import Mapping

from mcu_harness.emulator.unicorn.peripherals.gpio import GpioPort
from mcu_harness.emulator.unicorn.peripherals.nrf_registers import NrfRegisters
from mcu_harness.emulator.unicorn.peripherals.registers import AtomicRegisters, Registers, Wiring
from mcu_harness.hardware.gpios import Exti
from mcu_harness.hardware.peripheral import Peripheral


class ExtiLines(Registers):
    """16 lines, each of the pin of its number of the port that is selected for it.

    `irqs` of `peripheral` are those of the lines, in their order; `select` is where the ports are chosen.
    """

    def __init__(self, exti: Exti, peripheral: Peripheral, wiring: Wiring) -> None:
        super().__init__()
        self._exti = exti
        self._peripheral = peripheral
        self._wiring = wiring

    def edge(self, port: str, pin: int, level: int) -> None:
        """The pin of the port whose pins begin with `port` went to `level`."""
        if self._port_of(pin) != port:
            return
        exti, bit = self._exti, 1 << pin
        trigger = exti.rising if level else exti.falling
        if self.words.get(trigger, 0) & bit:
            at = exti.pending if level or exti.pending_falling is None else exti.pending_falling
            self.words[at] = self.words.get(at, 0) | bit
            self._ask()

    def level(self) -> None:
        """Levels alone make no interrupt here."""

    def store(self, at: int, value: int, mask: int) -> None:
        exti = self._exti
        if at in (exti.pending, exti.pending_falling):
            self.words[at] = self.words.get(at, 0) & ~value
        elif at == exti.software:
            self.words[exti.pending] = self.words.get(exti.pending, 0) | value
        else:
            super().store(at, value, mask)
        self._ask()

    def _port_of(self, line: int) -> str | None:
        exti = self._exti
        bit = line * exti.select_bits
        at = bit // (exti.select_bits * 4) * 4  # four lines a register
        shift = bit % (exti.select_bits * 4)
        if exti.select is None:
            word = self._wiring.word(self._peripheral.select + at)
        else:
            word = self.words.get(exti.select + at, 0)
        number = word >> shift & (1 << exti.select_bits) - 1
        ports = self._peripheral.ports
        return ports[number] if number < len(ports) else None

    def _ask(self) -> None:
        exti = self._exti
        pending = self.words.get(exti.pending, 0)
        if exti.pending_falling is not None:
            pending |= self.words.get(exti.pending_falling, 0)
        asking = pending & self.words.get(exti.mask, 0)
        irqs = self._peripheral.irqs
        for irq in dict.fromkeys(irqs):
            lines = sum(1 << line for line, of in enumerate(irqs) if of == irq)
            self._wiring.interrupt(irq, self._peripheral.base, bool(asking & lines))


class Gpiote(NrfRegisters):
    """Eight channels (EVENTS_IN), and one event for all pins that sense a level (EVENTS_PORT). Tasks drive pins.

    Registers: Nordic nRF52840 PS v1.7, 6.10.4.
    """

    _OUT, _SET, _CLR, _IN, _PORT, _CONFIG = 0x000, 0x030, 0x060, 0x100, 0x17C, 0x510
    _CHANNELS = 8

    def __init__(self, base: int, irq: int | None, wiring: Wiring, ports: Mapping[str, GpioPort]) -> None:
        super().__init__(base, irq, wiring)
        self._ports = ports
        self.detected = False

    def edge(self, port: str, pin: int, level: int) -> None:
        for channel in range(self._CHANNELS):
            config = self.words.get(self._CONFIG + 4 * channel, 0)
            polarity = config >> 16 & 3
            if config & 3 == 1 and self._pin(config) == (port, pin) and polarity & (1 if level else 2):
                self.happen(self._IN + 4 * channel)
        self.ask()

    def level(self) -> None:
        """Levels may have changed: the event is raised when the first pin has the level that it senses."""
        before, self.detected = self.detected, False
        for port in self._ports.values():
            if sensed := port.sensed():
                port.latch(sensed)
                self.detected = True
        if self.detected and not before:
            self.happen(self._PORT)
            self.ask()

    def store(self, at: int, value: int, mask: int) -> None:
        super().store(at, value, mask)
        if at >= self._CONFIG and value & 3 == 3:
            self._drive(value, value >> 20 & 1)

    def task(self, at: int) -> None:
        config = self.words.get(self._CONFIG + at % 0x30, 0)
        if config & 3 != 3:
            return
        kind = at // 0x30 * 0x30
        polarity = config >> 16 & 3
        port, pin = self._pin(config)
        old = self._ports[port].levels >> pin & 1 if port in self._ports else 0
        level = {self._SET: 1, self._CLR: 0}.get(kind, {1: 1, 2: 0, 3: 1 - old}.get(polarity, old))
        self._drive(config, level)

    def _drive(self, config: int, level: int) -> None:
        """A channel in task mode owns its pin: it is an output of that level."""
        port, pin = self._pin(config)
        if port in self._ports:
            self._ports[port].write(0x018, 4, 1 << pin)
            self._ports[port].write(0x008 if level else 0x00C, 4, 1 << pin)

    @staticmethod
    def _pin(config: int) -> tuple[str, int]:
        return f"P{config >> 13 & 1}.", config >> 8 & 31


class IoBank(AtomicRegisters):
    """Four events a pin: low, high, falling, rising; interrupts of the first processor. `places` as in `IO_BANKS`."""

    def __init__(
        self, places: tuple[int, int, int, int], peripheral: Peripheral, wiring: Wiring, port: GpioPort
    ) -> None:
        super().__init__()
        self._raw, self._enable, self._force, self._status = places
        self._size = self._enable - self._raw
        self._peripheral = peripheral
        self._wiring = wiring
        self._port = port

    def edge(self, _port: str, pin: int, level: int) -> None:
        at, shift = self._raw + pin // 8 * 4, pin % 8 * 4
        self.words[at] = self.words.get(at, 0) | (8 if level else 4) << shift
        self._ask()

    def level(self) -> None:
        self._ask()

    def load(self, at: int) -> int:
        if self._raw <= at < self._raw + self._size:
            return self._events(at - self._raw)
        if self._status <= at < self._status + self._size:
            return self._asking(at - self._status)
        return super().load(at)

    def store(self, at: int, value: int, mask: int) -> None:
        if self._raw <= at < self._raw + self._size:
            self.words[at] = self.words.get(at, 0) & ~value
        else:
            super().store(at, value, mask)
        self._ask()

    def _events(self, at: int) -> int:
        edges = self.words.get(self._raw + at, 0) & 0xCCCCCCCC
        levels = (self._port.levels >> at // 4 * 8 + n & 1 for n in range(8))
        return edges | sum((2 if level else 1) << 4 * n for n, level in enumerate(levels))

    def _asking(self, at: int) -> int:
        enabled = self.words.get(self._enable + at, 0)
        return self._events(at) & enabled | self.words.get(self._force + at, 0)

    def _ask(self) -> None:
        asks = any(self._asking(at) for at in range(0, self._size, 4))
        self._wiring.interrupt(self._peripheral.irq, self._peripheral.base, asks)
