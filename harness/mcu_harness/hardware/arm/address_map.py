"""The address map that every M-profile core has (Armv7-M ARM, DDI 0403, B3.1; Armv6-M and Armv8-M have the same)."""

from __future__ import annotations

from mcu_harness.base.span import Span

ADDRESS_SPACE = Span(0, 1 << 32)
PERIPHERALS = Span(0x4000_0000, 0x6000_0000)
EXTERNAL_DEVICES = Span(0xA000_0000, 0xE000_0000)
PRIVATE_BUS = Span(0xE000_0000, 0xE010_0000)  # the core's own registers
VENDOR_SYSTEM = Span(0xE010_0000, 0x1_0000_0000)

# Where devices are; memories that a board has there take precedence. Nothing here is ever executed, nor on the private bus.
DEVICES = (PERIPHERALS, EXTERNAL_DEVICES, VENDOR_SYSTEM)
NEVER_EXECUTED = (PERIPHERALS, Span(EXTERNAL_DEVICES.low, ADDRESS_SPACE.high))

BIT_BANDS = (
    Span(0x2200_0000, 0x2400_0000),
    Span(0x4200_0000, 0x4400_0000),
)  # aliases, as far as a part has them (B3.1.3)


def is_device(address: int) -> bool:
    """Whether `address` is a device's, as far as the architecture says."""
    return any(devices.holds(address) for devices in DEVICES)


def never_executed(address: int) -> bool:
    """Whether the core takes a fault instead of fetching from `address` (execute never)."""
    return any(span.holds(address) for span in NEVER_EXECUTED)
