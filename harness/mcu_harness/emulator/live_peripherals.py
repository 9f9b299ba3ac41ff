"""Peripherals that a test puts its hands on: pins, channels of converters and buses, by the names that the chip's maker gives.

A machine may have them (`HasPeripherals`): the embedded emulator has models of its own; Renode's have their monitor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

Sample = int | Callable[[], int]


class PinLine(Protocol):
    """One pin of a chip."""

    @property
    def level(self) -> int:
        """0 or 1, by who drives it: the program, else the outside, else its pull; 0 where nothing does."""
        ...

    @property
    def mode(self) -> str:
        """What the program uses it as: "input", "output", "alternate" (a peripheral has it) or "analog"."""
        ...

    @property
    def edges(self) -> Sequence[tuple[int, int]]:
        """The time, in cycles, and new level of every change since the start."""
        ...

    def drive(self, level: int | None) -> None:
        """Drive it from outside, or let it go."""
        ...

    def watch(self, on_edge: Callable[[], None]) -> None:
        """Call `on_edge` whenever the level changes."""
        ...

    def unwatch(self, on_edge: Callable[[], None]) -> None:
        """Do so no longer."""
        ...


class AdcChannels(Protocol):
    """The inputs of one converter."""

    def set(self, channel: int, sample: Sample) -> None:
        """What conversions of `channel` give, in counts: a number, or a function that is asked each time."""
        ...


class I2cDevice(Protocol):
    """A device on I2C, as a test makes it up."""

    def write(self, data: bytes) -> None:
        """The master has written `data`, in one transfer."""
        ...

    def read(self) -> int:
        """The next byte that the master reads."""
        ...


class SpiDevice(Protocol):
    """A device on SPI, as a test makes it up. A method `select(active)`, if it has one, is told when it is selected."""

    def exchange(self, frame: int) -> int:
        """What it sends while it receives `frame`; both have as many bits as the controller says."""
        ...


class I2cBus(Protocol):
    """What one controller is the master of."""

    def attach(self, address: int, device: I2cDevice) -> None:
        """Let `device` answer at a 7-bit address; where nothing does, nobody acknowledges."""
        ...


class SpiBus(Protocol):
    """What one controller is the master of."""

    def attach(self, device: SpiDevice, select: str | None = None) -> None:
        """Let `device` answer while the pin `select` is low, or always; where none does, all bits read as 1."""
        ...


@runtime_checkable
class HasPeripherals(Protocol):
    """Each raises EmulatorError with the names that are there, or that the chip's are not known."""

    def pin(self, name: str) -> PinLine: ...

    def adc(self, name: str) -> AdcChannels: ...

    def i2c(self, name: str) -> I2cBus: ...

    def spi(self, name: str) -> SpiBus: ...

    def ask(self) -> None:
        """Have `go` come back as soon as that can be, with the reason ASKED."""
        ...
