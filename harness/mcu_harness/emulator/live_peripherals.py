"""Peripherals that a test puts its hands on: pins and channels of converters, by the names that the chip's maker gives.

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

    def watch(self, on_edge: Callable[[], None] | None) -> None:
        """Call `on_edge` when the level changes, until another is given, or None."""
        ...


class AdcChannels(Protocol):
    """The inputs of one converter."""

    def set(self, channel: int, sample: Sample) -> None:
        """What conversions of `channel` give, in counts: a number, or a function that is asked each time."""
        ...


@runtime_checkable
class HasPeripherals(Protocol):
    """Each raises EmulatorError with the names that are there, or that the chip's are not known."""

    def pin(self, name: str) -> PinLine: ...

    def adc(self, name: str) -> AdcChannels: ...

    def ask(self) -> None:
        """Have `go` come back as soon as that can be, with the reason ASKED."""
        ...
