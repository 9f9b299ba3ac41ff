"""The models of a board's clocks and timers, and of what connects their events to tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

from mcu_harness.emulator.unicorn.peripherals.nrf_clocks import NrfClock, NrfRtc, NrfTimer
from mcu_harness.emulator.unicorn.peripherals.nrf_ppi import NrfPpi
from mcu_harness.emulator.unicorn.peripherals.registers import Registers, Wiring
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.clocks import NRF_CLOCK, NRF_PPI, NRF_RTC, NRF_TIMER
from mcu_harness.hardware.peripheral import Peripheral

_ALL = ((0, 0x1000),)
_CLOCK = ((0, 0x114), (0x300, 0x30C), (0x408, 0x420), (0x518, 0x51C))  # beside it at the same base: POWER

Spans = tuple[tuple[int, int], ...]  # of registers, by offsets


@runtime_checkable
class Counting(Protocol):
    """What counts time: `next_event` is when something happens next that others are told of."""

    times_read: int

    @property
    def next_event(self) -> int | None: ...

    def pass_time(self) -> None: ...


def clock_models(
    board: Board, wiring: Wiring, start: Callable[[int], None]
) -> Iterator[tuple[Peripheral, Spans, Registers]]:
    """Each with its registers; `start(address)` starts the task whose register is there."""
    for peripheral in board.peripherals:
        base, irq, kind = peripheral.base, peripheral.irq, peripheral.kind
        if kind == NRF_CLOCK:
            yield peripheral, _CLOCK, NrfClock(base, irq, wiring)
        elif kind == NRF_RTC:
            yield peripheral, _ALL, NrfRtc(base, irq, wiring, board.clock_hz)
        elif kind == NRF_TIMER:
            yield peripheral, _ALL, NrfTimer(base, irq, wiring, board.clock_hz)
        elif kind == NRF_PPI:
            yield peripheral, _ALL, NrfPpi(wiring, start)
