"""Names of devices by the addresses of their registers."""

from __future__ import annotations

import pytest

from mcu_harness.hardware.peripherals import FAMILIES, peripheral_at


@pytest.mark.parametrize(
    ("address", "part", "name"),
    [
        (0x40004404, "STM32F407VG", "USART2"),
        (0x40011000, "STM32F746NG", "USART1"),
        (0x40023810, "STM32F407VG", "RCC"),
        (0x40026010, "STM32F407VG", "DMA1"),
        (0x40013800, "STM32F072RB", "USART1"),
        (0x40021000, "STM32F103RB", "RCC"),
        (0x40008000, "STM32L4R5ZI", "LPUART1"),
        (0x40002100, "nRF52840", "UARTE0"),
        (0x4001E504, "nRF52840", "NVMC"),
        (0x40034000, "RP2040", "UART0"),
        (0xE000E010, "anything", "SysTick"),
        (0xE000ED04, "anything", "SCB"),
        (0xE0001004, "anything", "DWT"),
        (0xE000E024, "anything", ""),
        (0x40003400, "STM32F407VG", "I2S2ext"),
        (0x40002400, "STM32F407VG", ""),
        (0x40004404, "a chip that nobody knows", ""),
        (0x5FFF0000, "STM32F407VG", ""),
    ],
)
def test_name(address: int, part: str, name: str) -> None:
    assert peripheral_at(address, part) == name


def test_bases_are_device_space() -> None:
    assert FAMILIES
    for family in FAMILIES:
        assert all(0x40000000 <= base < 0x60000000 or 0xA0000000 <= base < 0xE0000000 for base in family.bases)
