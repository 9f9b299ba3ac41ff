"""The pins of a chip: its ports, what makes interrupts of them, and each pin by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mcu_harness.emulator.unicorn.peripherals.gpio import GpioPort
from mcu_harness.emulator.unicorn.peripherals.pin_interrupts import ExtiLines, Gpiote, IoBank
from mcu_harness.emulator.unicorn.peripherals.registers import AtomicRegisters, Registers, Wiring
from mcu_harness.hardware.gpios import EXTIS, GPIOS, IO_BANKS, NRF_GPIOTE, RP_PADS
from mcu_harness.hardware.peripheral import Peripheral

_PADS, _PAD_RESET, _PULL_UP = 48, 0x56, 1 << 3
_OUTSIDE = ("driven", "outside", "edges", "levels")  # what of a port no reset changes


Watchers = dict[int, list[Callable[[], None]]]  # by number of the pin


class Pads(AtomicRegisters):
    """The pads of RP2040 and RP2350, which have the pulls of pins; `on_change` is called when one may have changed."""

    def __init__(self) -> None:
        super().__init__({4 + 4 * pin: _PAD_RESET for pin in range(_PADS)})
        self.on_change: Callable[[], None] = lambda: None

    def store(self, at: int, value: int, mask: int) -> None:
        super().store(at, value, mask)
        self.on_change()

    def pull(self, pin: int) -> int:
        return int(bool(self.words.get(4 + 4 * pin, 0) & _PULL_UP))


class Pin:
    """Implements `mcu_harness.emulator.live_peripherals.PinLine`."""

    def __init__(self, port: GpioPort, number: int, watchers: Watchers) -> None:
        self._port = port
        self._number = number
        self._watchers = watchers

    @property
    def level(self) -> int:
        return self._port.levels >> self._number & 1

    @property
    def mode(self) -> str:
        return self._port.mode(self._number)

    @property
    def edges(self) -> Sequence[tuple[int, int]]:
        return [(at, level) for at, pin, level in self._port.edges if pin == self._number]

    def drive(self, level: int | None) -> None:
        self._port.drive(self._number, level)

    def watch(self, on_edge: Callable[[], None]) -> None:
        self._watchers.setdefault(self._number, []).append(on_edge)

    def unwatch(self, on_edge: Callable[[], None]) -> None:
        self._watchers[self._number].remove(on_edge)


class Pins:
    """All ports among `peripherals`. `models` are what is to be attached, with each one's peripheral and size."""

    def __init__(self, peripherals: Sequence[Peripheral], wiring: Wiring) -> None:
        self.models: list[tuple[Peripheral, int, Registers]] = []
        self._ports: dict[str, GpioPort] = {}
        self._watchers: dict[str, Watchers] = {}
        pads = Pads()
        for peripheral in peripherals:
            if peripheral.kind in GPIOS:
                gpio = GPIOS[peripheral.kind]
                port = GpioPort(gpio, wiring.now, pads.pull if peripheral.select else None)
                self._ports[peripheral.pins] = port
                self._watchers[peripheral.pins] = {}
                self.models.append((peripheral, gpio.size, port))
            elif peripheral.kind == RP_PADS:
                self.models.append((peripheral, 0x4000, pads))
        interrupts = [made for p in peripherals if (made := self._interrupts(p, wiring)) is not None]
        for pins, port in self._ports.items():
            port.on_edge = self._listener(pins, interrupts)
            port.on_level = _leveller(interrupts)
            if port.pulled_elsewhere:
                pads.on_change = port.refresh

    def _interrupts(self, peripheral: Peripheral, wiring: Wiring) -> ExtiLines | Gpiote | IoBank | None:
        made: ExtiLines | Gpiote | IoBank
        if peripheral.kind in EXTIS:
            made, size = ExtiLines(EXTIS[peripheral.kind], peripheral, wiring), 0x400
        elif peripheral.kind == NRF_GPIOTE:
            made, size = Gpiote(peripheral.base, peripheral.irq, wiring, self._ports), 0x1000
        elif peripheral.kind in IO_BANKS:
            port = next(iter(self._ports.values()))
            made, size = IoBank(IO_BANKS[peripheral.kind], peripheral, wiring, port), 0x4000
        else:
            return None
        self.models.append((peripheral, size, made))
        return made

    def _listener(self, pins: str, interrupts: Sequence[ExtiLines | Gpiote | IoBank]) -> Callable[[int, int], None]:
        watchers = self._watchers[pins]

        def on_edge(pin: int, level: int) -> None:
            for one in interrupts:
                one.edge(pins, pin, level)
            for watcher in watchers.get(pin, ()):
                watcher()

        return on_edge

    def find(self, name: str) -> Pin | None:
        """The pin called `name`; None where there is none."""
        found = re.fullmatch(r"(.*?)(\d+)", name)
        for pins, port in self._ports.items() if found else ():
            assert found is not None
            if name.startswith(pins) and name[len(pins) :].isdigit() and int(name[len(pins) :]) < port.count:
                return Pin(port, int(name[len(pins) :]), self._watchers[pins])
        return None

    @property
    def names(self) -> tuple[str, ...]:
        """The first and last pin of each port."""
        return tuple(f"{pins}0 to {pins}{port.count - 1}" for pins, port in self._ports.items())

    def outside(self) -> list[dict[str, object]]:
        """What is driven from outside, and the edges so far: a reset changes neither."""
        return [{name: getattr(port, name) for name in _OUTSIDE} for port in self._ports.values()]

    def set_outside(self, kept: Sequence[dict[str, object]]) -> None:
        """As it was; pins that the program drove no longer are."""
        for port, values in zip(self._ports.values(), kept, strict=True):
            vars(port).update(values)
            port.refresh()


def _leveller(interrupts: Sequence[ExtiLines | Gpiote | IoBank]) -> Callable[[], None]:
    def look() -> None:
        for one in interrupts:
            one.level()

    return look
