"""Clocks, timers and what connects them, as data. Each kind has a class in `emulator/unicorn/peripherals/`."""

from __future__ import annotations

from types import MappingProxyType

# Kinds, and the manual that each is from: nrf_clocks.py and nrf_ppi.py.
NRF_CLOCK, NRF_RTC, NRF_TIMER, NRF_PPI = "nrf_clock", "nrf_rtc", "nrf_timer", "nrf_ppi"
CLOCKS = MappingProxyType(
    {
        NRF_CLOCK: "Nordic nRF52840 PS v1.7, 5.4",
        NRF_RTC: "Nordic nRF52840 PS v1.7, 6.22",
        NRF_TIMER: "Nordic nRF52840 PS v1.7, 6.30",
        NRF_PPI: "Nordic nRF52840 PS v1.7, 6.17",
    }
)
