"""What a live board has of its chip's peripherals: pins, converters and buses, by name."""

from __future__ import annotations

from abc import ABC, abstractmethod

from mcu_harness.app.live.failures import Explainer
from mcu_harness.app.live.pins import LivePin
from mcu_harness.app.live.uart import Time
from mcu_harness.base.errors import HarnessError
from mcu_harness.emulator.live import LiveMachine, Stop
from mcu_harness.emulator.live_peripherals import AdcChannels, HasPeripherals, I2cBus, SpiBus

# What works them in Renode, whose names and commands differ from model to model.
_OWN_FILE = 'describe the device in a file of yours, mcu_board(..., renode=["sensors.repl"])'
_ELSEWHERE = {
    "pins": 'as in board.monitor("sysbus.gpioPortC OnGPIO 13 false"), and the port\'s input register says its level',
    "ADCs": 'as in board.monitor("sysbus.adc1 FeedSample 1234 5") for 1234 counts on channel 5',
    "I2C": _OWN_FILE,
    "SPI": _OWN_FILE,
}


class BoardPeripherals(ABC):
    """A part of `LiveBoard`, which has the machine and lets time pass."""

    _machine: LiveMachine
    _explainer: Explainer

    @abstractmethod
    def _go(self, until: int) -> Stop: ...

    @abstractmethod
    def _after(self, time: Time) -> int: ...

    @property
    @abstractmethod
    def _clock_hz(self) -> int: ...

    def pin(self, name: str) -> LivePin:
        """The pin that the chip's maker calls `name` ("PC13", "P0.11", "GPIO25"), in the embedded emulator.

        Raises HarnessError with those that there are.
        """
        machine = self._peripherals("pins")
        return LivePin(name, machine, self._explainer, self._go, self._after, self._clock_hz)

    def adc(self, name: str) -> AdcChannels:
        """The converter called `name` ("adc1", "saadc"), in the embedded emulator: `set(channel, counts)`.

        `counts` is what a conversion gives, or a function that is asked for each. Raises HarnessError with those that there are.
        """
        return self._peripherals("ADCs").adc(name)

    def i2c(self, name: str) -> I2cBus:
        """The bus of the controller called `name` ("i2c1", "twim0"), in the embedded emulator: `attach(0x48, device)`.

        A device has `write(data)` and `read() -> int`; `I2cRegisters` is one. Raises HarnessError with the names that there are.
        """
        return self._peripherals("I2C").i2c(name)

    def spi(self, name: str) -> SpiBus:
        """The bus of the controller called `name` ("spi1", "spim0"), in the embedded emulator: `attach(device, select="PA4")`.

        A device has `exchange(frame) -> int`. Raises HarnessError with the names that there are.
        """
        return self._peripherals("SPI").spi(name)

    def _peripherals(self, kind: str) -> HasPeripherals:
        if isinstance(self._machine, HasPeripherals):
            return self._machine
        raise HarnessError(
            f"models of {kind} are in the embedded emulator alone, and this board is in {self._machine.name}",
            hint=f'{_ELSEWHERE[kind]}; board.monitor("peripherals") names what is there; or use `--mcu-emulator unicorn`',
        )
