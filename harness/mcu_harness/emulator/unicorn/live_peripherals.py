"""The models of all peripherals that a board names, attached to the engine that runs its firmware."""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.base.errors import EmulatorError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.emulator.live_peripherals import I2cDevice, SpiDevice
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.peripherals.adc import RpAdc, Saadc, StmAdc
from mcu_harness.emulator.unicorn.peripherals.i2c import I2cWires, RpI2c, StmI2c, StmI2cOld
from mcu_harness.emulator.unicorn.peripherals.nrf_serial import NrfSerial
from mcu_harness.emulator.unicorn.peripherals.pins import Pin, Pins
from mcu_harness.emulator.unicorn.peripherals.registers import Registers, Wiring
from mcu_harness.emulator.unicorn.peripherals.spi import Pl022, SpiWires, StmSpi, StmSpiNew
from mcu_harness.hardware.adcs import ADCS, NRF_SAADC, RP_ADC
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.buses import I2CS, SPIS
from mcu_harness.hardware.peripheral import Peripheral

Converter = StmAdc | Saadc | RpAdc
_ADC_BYTES = 0x100


class I2cBus:
    """Implements `mcu_harness.emulator.live_peripherals.I2cBus`."""

    def __init__(self, wires: I2cWires) -> None:
        self._wires = wires

    def attach(self, address: int, device: I2cDevice) -> None:
        if not 0 <= address < 1 << 7:
            hint = "leave out the bit that says whether it reads: 0x90 and 0x91 are the device 0x48"
            raise EmulatorError(f"an address on I2C has 7 bits, got {address:#x}", hint=hint)
        _needs(device, "write", "read")
        self._wires.attach(address, device)


class SpiBus:
    """Implements `mcu_harness.emulator.live_peripherals.SpiBus`; `pin` finds a pin by its name."""

    def __init__(self, wires: SpiWires, pin: Callable[[str], Pin]) -> None:
        self._wires = wires
        self._pin = pin

    def attach(self, device: SpiDevice, select: str | None = None) -> None:
        _needs(device, "exchange")
        self._wires.attach(device, self._pin(select) if select is not None else None)


class LivePeripherals:
    """Pins, converters and buses of `board`, on `engine`."""

    def __init__(self, board: Board, engine: Engine) -> None:
        self._board = board
        wiring = engine.wiring
        self.pins = Pins(board.peripherals, wiring)
        self._adcs: dict[str, Converter] = {}
        for peripheral, size, model in self.pins.models:
            self._attach(engine, peripheral, size, model)
        for peripheral in board.peripherals:
            found = _converter(peripheral, wiring)
            if found is not None:
                converter, size = found
                self._adcs[peripheral.name] = converter
                self._attach(engine, peripheral, size, converter)
        self._serials: dict[int, NrfSerial] = {}  # by address: a TWIM and a SPIM are one
        self._i2cs: dict[str, I2cBus] = {}
        self._spis: dict[str, SpiBus] = {}
        for peripheral in board.peripherals:
            if peripheral.kind in (*I2CS, *SPIS):
                self._add_bus(engine, peripheral, wiring)

    def _add_bus(self, engine: Engine, peripheral: Peripheral, wiring: Wiring) -> None:
        name = peripheral.name
        if peripheral.kind in ("nrf_twim", "nrf_spim"):
            serial = self._serials.get(peripheral.base)
            if serial is None:
                serial = self._serials[peripheral.base] = NrfSerial(peripheral.base, peripheral.irq, wiring)
                self._attach(engine, peripheral, 0x1000, serial)
            if peripheral.kind == "nrf_twim":
                self._i2cs[name] = I2cBus(serial.i2c)
            else:
                self._spis[name] = SpiBus(serial.spi, self.pin)
        elif peripheral.kind in I2CS:
            i2c, size = _i2c(peripheral, wiring)
            self._i2cs[name] = I2cBus(i2c.bus)
            self._attach(engine, peripheral, size, i2c)
        else:
            spi, size = _spi(peripheral, wiring)
            self._spis[name] = SpiBus(spi.bus, self.pin)
            self._attach(engine, peripheral, size, spi)

    @staticmethod
    def _attach(engine: Engine, peripheral: Peripheral, size: int, model: Registers) -> None:
        if not engine.attach(peripheral.base, peripheral.base + size, model):
            raise EmulatorError(
                f"{peripheral.name} at {peripheral.base:#010x} lies where the board has no device registers",
                hint="mend its [[peripheral]] table",
            )
        engine.stateful_models.append(model)

    def pin(self, name: str) -> Pin:
        """The pin called `name`; EmulatorError with those that there are."""
        pin = self.pins.find(name)
        if pin is None:
            raise self._unknown("pin", name, "it has " + ", ".join(self.pins.names) if self.pins.names else "")
        return pin

    def adc(self, name: str) -> Converter:
        """The converter called `name`; EmulatorError with those that there are."""
        if name not in self._adcs:
            raise self._unknown("ADC", name, did_you_mean(name, tuple(self._adcs)) if self._adcs else "")
        return self._adcs[name]

    def i2c(self, name: str) -> I2cBus:
        """The bus of the controller called `name`; EmulatorError with those that there are."""
        if name not in self._i2cs:
            raise self._unknown("I2C", name, did_you_mean(name, tuple(self._i2cs)) if self._i2cs else "")
        return self._i2cs[name]

    def spi(self, name: str) -> SpiBus:
        """The bus of the controller called `name`; EmulatorError with those that there are."""
        if name not in self._spis:
            raise self._unknown("SPI", name, did_you_mean(name, tuple(self._spis)) if self._spis else "")
        return self._spis[name]

    def _unknown(self, what: str, name: str, known: str) -> EmulatorError:
        if known:
            return EmulatorError(f"{self._board.name} has no {what} {name!r}", hint=known)
        return EmulatorError(
            f"no model of a{'n' if what in ('ADC', 'I2C', 'SPI') else ''} {what} of the {self._board.part} is there, so none is called {name!r}",
            hint="give [[peripheral]] tables in a board file, or `attach` registers of your own",
        )


def _converter(peripheral: Peripheral, wiring: Wiring) -> tuple[Converter, int] | None:
    if peripheral.kind in ADCS:
        return StmAdc(ADCS[peripheral.kind], peripheral, wiring), _ADC_BYTES
    if peripheral.kind == NRF_SAADC:
        return Saadc(peripheral.base, peripheral.irq, wiring), 0x1000
    if peripheral.kind == RP_ADC:
        return RpAdc(peripheral, wiring), 0x4000
    return None


def _i2c(peripheral: Peripheral, wiring: Wiring) -> tuple[StmI2cOld | StmI2c | RpI2c, int]:
    if peripheral.kind == "stm32_i2c_v1":
        return StmI2cOld(peripheral, wiring), 0x400
    if peripheral.kind == "stm32_i2c_v2":
        return StmI2c(peripheral, wiring), 0x400
    return RpI2c(peripheral, wiring), 0x4000


def _spi(peripheral: Peripheral, wiring: Wiring) -> tuple[StmSpi | StmSpiNew | Pl022, int]:
    if peripheral.kind == "stm32_spi_v3":
        return StmSpiNew(peripheral, wiring), 0x400
    if peripheral.kind == "pl022":
        return Pl022(peripheral, wiring), 0x4000
    return StmSpi(peripheral, wiring, fifo=peripheral.kind == "stm32_spi_v2"), 0x400


def _needs(device: object, *methods: str) -> None:
    """Raises EmulatorError for what is no such device, before the firmware finds out."""
    missing = [name for name in methods if not callable(getattr(device, name, None))]
    if missing:
        raise EmulatorError(
            f"{type(device).__name__} has no method {missing[0]!r}", hint=f"a device here has {' and '.join(methods)}"
        )
