"""Counters of STM32 timers, which stand among the registers that nothing else models."""

from __future__ import annotations

import pytest

from mcu_harness.emulator.unicorn.devices import DeviceRegisters

TIM5 = 0xC00
CR1, EGR, CNT, PSC, ARR = 0x00, 0x14, 0x24, 0x28, 0x2C


class Time:
    now = 5000


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def registers(time: Time) -> DeviceRegisters:
    return DeviceRegisters(0x4000_0000, lambda: time.now, lambda: time.now)


def test_a_counter_counts_by_its_prescaler_while_it_is_on(registers: DeviceRegisters, time: Time) -> None:
    registers.write(TIM5 + PSC, 4, 99)
    registers.write(TIM5 + EGR, 4, 1)
    assert registers.read(TIM5 + CNT, 4) == 0
    registers.write(TIM5 + CR1, 4, 1)
    time.now += 12_345
    assert registers.read(TIM5 + CNT, 4) == 123
    registers.write(TIM5 + CR1, 4, 0)
    time.now += 12_345
    assert registers.read(TIM5 + CNT, 4) == 123
    registers.write(TIM5 + CR1, 4, 1)
    time.now += 1000
    assert registers.read(TIM5 + CNT, 4) == 133
    registers.write(TIM5 + CNT, 4, 7)
    time.now += 100
    assert registers.read(TIM5 + CNT, 2) == 8
    assert registers.made_up == set()


def test_a_counter_begins_again_after_its_reload_value(registers: DeviceRegisters, time: Time) -> None:
    registers.write(TIM5 + ARR, 4, 999)
    registers.write(TIM5 + CR1, 4, 1)
    time.now += 2500
    assert registers.read(TIM5 + CNT, 4) == 500


def test_being_asked_over_and_over_makes_nothing_up(registers: DeviceRegisters, time: Time) -> None:
    registers.write(TIM5 + CR1, 4, 1)
    seen = []
    for _ in range(500):
        time.now += 3
        seen.append(registers.read(TIM5 + CNT, 4))
    assert seen == [3 * i for i in range(1, 501)]
    assert registers.made_up == set()


def test_other_registers_and_other_boards_keep_what_is_written(time: Time) -> None:
    plain = DeviceRegisters(0x4000_0000, lambda: time.now)
    plain.write(TIM5 + CR1, 4, 1)
    time.now += 100
    assert plain.read(TIM5 + CNT, 4) == 0
