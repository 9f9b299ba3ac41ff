"""The model of a UART by its kind: from the description of its registers, or one of its own where it has DMA."""

from __future__ import annotations

from mcu_harness.emulator.unicorn.peripherals.nrf_uart import NrfUart
from mcu_harness.emulator.unicorn.peripherals.registers import Wiring
from mcu_harness.emulator.unicorn.uart import UartLine, UartRegisters

UartModel = UartRegisters | NrfUart


def uart_model(line: UartLine, page: int, size: int, wiring: Wiring) -> UartModel:
    """The registers of `line`, in `size` bytes from `page`."""
    if line.uart.dma:
        return NrfUart(line.base, line.irq, wiring, line.send, line.dialogue)
    return UartRegisters(
        line.uart,
        line.base,
        page,
        size,
        line.send,
        line.dialogue,
        ask=lambda level: wiring.interrupt(line.irq, line.base, level),
        now=wiring.now,
    )
