"""The models of all peripherals that a board names, attached to the engine that runs its firmware."""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.base.errors import EmulatorError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.peripherals.adc import RpAdc, Saadc, StmAdc
from mcu_harness.emulator.unicorn.peripherals.pins import Pin, Pins
from mcu_harness.emulator.unicorn.peripherals.registers import Registers, Wiring
from mcu_harness.hardware.adcs import ADCS, NRF_SAADC, RP_ADC
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.peripheral import Peripheral

Converter = StmAdc | Saadc | RpAdc
_ADC_BYTES = 0x100


class LivePeripherals:
    """Pins and converters of `board`, on `engine`; `now` is the time in cycles."""

    def __init__(self, board: Board, engine: Engine, now: Callable[[], int]) -> None:
        self._board = board
        wiring = Wiring(now, engine.memory.peek, engine.memory.write, engine.interrupt, engine.device_word)
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

    def _unknown(self, what: str, name: str, known: str) -> EmulatorError:
        if known:
            return EmulatorError(f"{self._board.name} has no {what} {name!r}", hint=known)
        return EmulatorError(
            f"no model of a{'n' if what[0] in 'AI' else ''} {what} of the {self._board.part} is there, so none is called {name!r}",
            hint="give [[peripheral]] tables in a board file, or `attach` registers of your own",
        )


def _converter(peripheral: Peripheral, wiring: Wiring) -> tuple[Converter, int] | None:
    if peripheral.kind in ADCS:
        return StmAdc(ADCS[peripheral.kind], peripheral, wiring), _ADC_BYTES
    if peripheral.kind == NRF_SAADC:
        return Saadc(peripheral, wiring), 0x1000
    if peripheral.kind == RP_ADC:
        return RpAdc(peripheral, wiring), 0x4000
    return None
