"""Registers of devices that nothing models: plain memory, until a program waits for a change."""

from __future__ import annotations

import pytest

from mcu_harness.emulator.unicorn.devices import DeviceRegisters

BASE = 0x4002_0000
RCC = 0x3800


class Clock:
    now = 0

    def __call__(self) -> int:
        self.now += 10
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registers(clock: Clock) -> DeviceRegisters:
    return DeviceRegisters(BASE, clock)


def test_registers_keep_what_is_written_in_any_width(registers: DeviceRegisters) -> None:
    registers.write(8, 4, 0x11223344)
    registers.write(9, 1, 0xAA)
    registers.write(10, 2, 0xBBCC)
    assert registers.read(8, 4) == 0xBBCCAA44
    assert (registers.read(9, 1), registers.read(10, 2)) == (0xAA, 0xBBCC)
    assert registers.read(12, 4) == 0
    assert registers.made_up == set()


# What STM32 start-up code waits for: enable bits (what it writes), and the ready bits that it wants to see.
@pytest.mark.parametrize(
    ("written", "mask", "wanted"),
    [(1 << 24, 1 << 25, 1 << 25), (1 << 8, 1 << 10, 1 << 10), (2, 0xC, 0x8), (3, 0x38, 0x18), (0, 1 << 14, 1 << 14)],
)
def test_waiting_ends(registers: DeviceRegisters, written: int, mask: int, wanted: int) -> None:
    registers.write(RCC, 4, written)
    polls = 0
    while registers.read(RCC, 4) & mask != wanted:
        polls += 1
        assert polls < 2000
    assert polls >= 60, "a register that is read a few times is believed"
    assert registers.made_up == {BASE + RCC}
    # Asked once more right after, and much later, it still says so.
    assert registers.read(RCC, 4) & mask == wanted


def test_what_ended_the_waiting_stays(registers: DeviceRegisters, clock: Clock) -> None:
    registers.write(RCC, 4, 1 << 24)
    while not registers.read(RCC, 4) & 1 << 25:
        pass
    clock.now += 5000
    for _ in range(50):
        assert registers.read(RCC, 4) & 1 << 25


def test_waiting_for_zero_ends_too(registers: DeviceRegisters) -> None:
    registers.write(4, 4, 0x80)
    while registers.read(4, 4) & 0x80:
        pass


def test_a_write_makes_a_register_be_believed_again(registers: DeviceRegisters) -> None:
    for _ in range(200):
        registers.read(0, 4)
    registers.write(0, 4, 7)
    assert [registers.read(0, 4) for _ in range(50)] == [7] * 50


def test_registers_that_are_read_now_and_then_are_believed(registers: DeviceRegisters, clock: Clock) -> None:
    for _ in range(1000):
        clock.now += 5000
        assert registers.read(0, 4) == 0
    assert registers.made_up == set()


def test_a_ready_bit_leaves_the_other_fields_as_they_are(registers: DeviceRegisters) -> None:
    registers.write(RCC, 4, 0x68)  # an oscillator's range
    registers.write(RCC, 4, 0x68 | 1 << 24)  # and, last, what is to become ready
    while not registers.read(RCC, 4) & 1 << 25:
        pass
    assert registers.read(RCC, 4) == 0x68 | 3 << 24
