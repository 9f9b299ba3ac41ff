"""Priorities, masks and registers of the embedded emulator's exceptions, and its SysTick."""

from __future__ import annotations

import pytest

from mcu_harness.emulator.unicorn.nvic import NMI, PENDSV, SVCALL, SYSTICK, Masks, Nvic
from mcu_harness.emulator.unicorn.systick import CSR, CVR, RVR, SysTick
from mcu_harness.hardware.core import CORES

ISER, ICER, ISPR, ICPR, IABR, IPR = 0xE100, 0xE180, 0xE200, 0xE280, 0xE300, 0xE400
ICSR, AIRCR, SHPR2, SHPR3 = 0xED04, 0xED0C, 0xED1C, 0xED20
ALL = 0xFFFFFFFF
FIRST = 16


class Core:
    """PRIMASK, FAULTMASK and BASEPRI, and the NVIC that sees them."""

    def __init__(self, name: str = "cortex-m4") -> None:
        self.masks: Masks = (0, 0, 0)
        self.nvic = Nvic(CORES[name], lambda: self.masks)

    def priorities(self, **by_interrupt: int) -> None:
        """Enable interrupts with priorities: i3=0x40."""
        for name, priority in by_interrupt.items():
            number = int(name[1:])
            shift = 8 * (number & 3)
            self.nvic.write(IPR + (number & ~3), priority << shift, 0xFF << shift)
            self.nvic.write(ISER + 4 * (number // 32), 1 << number % 32, ALL)


def test_an_interrupt_is_taken_once_enabled_and_pending() -> None:
    core = Core()
    core.nvic.pend(FIRST + 40)
    assert (core.nvic.next(), core.nvic.waiting) == (None, False)
    core.nvic.write(ISER + 4, 1 << 8, ALL)
    assert (core.nvic.next(), core.nvic.waiting) == (FIRST + 40, True)
    assert core.nvic.read(ISPR + 4) == core.nvic.read(ISER + 4) == core.nvic.read(ICER + 4) == 1 << 8
    core.nvic.enter(FIRST + 40)
    assert (core.nvic.next(), core.nvic.read(ISPR + 4), core.nvic.read(IABR + 4)) == (None, 0, 1 << 8)
    core.nvic.leave(FIRST + 40)
    assert core.nvic.read(IABR + 4) == 0
    core.nvic.write(ICER + 4, 1 << 8, ALL)
    core.nvic.write(ISPR + 4, 1 << 8, ALL)
    assert core.nvic.next() is None
    core.nvic.write(ICPR + 4, 1 << 8, ALL)
    assert core.nvic.read(ISPR + 4) == 0


def test_priority_decides_then_the_number() -> None:
    core = Core()
    core.priorities(i5=0x80, i3=0x80, i9=0x40)
    for number in (5, 3, 9):
        core.nvic.pend(FIRST + number)
    order = []
    while (number := core.nvic.next()) is not None:
        order.append(number - FIRST)
        core.nvic.enter(number)
        assert core.nvic.next() is None  # nothing interrupts its equals or betters
        core.nvic.leave(number)
    assert order == [9, 3, 5]


def test_only_a_higher_group_interrupts_a_handler() -> None:
    core = Core()
    core.priorities(i1=0x50, i2=0x40)
    core.nvic.enter(FIRST + 1)
    core.nvic.pend(FIRST + 2)
    assert core.nvic.next() == FIRST + 2
    core.nvic.write(AIRCR, 0x05FA << 16 | 4 << 8, ALL)  # bits 4 and below are of the subpriority
    assert core.nvic.read(AIRCR) == 0xFA05 << 16 | 4 << 8
    assert core.nvic.next() is None
    core.nvic.write(AIRCR, 0, ALL)  # without the key
    assert core.nvic.next() is None


@pytest.mark.parametrize(
    ("masks", "taken"),
    [((0, 0, 0), FIRST + 1), ((1, 0, 0), None), ((0, 1, 0), None), ((0, 0, 0x60), FIRST + 1), ((0, 0, 0x40), None)],
)
def test_masks_hold_back(masks: Masks, taken: int | None) -> None:
    core = Core()
    core.priorities(i1=0x40)
    core.nvic.pend(FIRST + 1)
    core.masks = masks
    assert core.nvic.next() == taken
    core.nvic.pend(NMI)
    assert core.nvic.next() == NMI


def test_waiting_for_an_interrupt_does_not_mind_primask() -> None:
    core = Core()
    core.priorities(i1=0x40)
    core.nvic.pend(FIRST + 1)
    core.masks = (1, 0, 0)
    assert core.nvic.next(masked=False) == FIRST + 1
    core.masks = (1, 0, 0x40)
    assert core.nvic.next(masked=False) is None


def test_system_exceptions_have_bits_and_priorities_of_their_own() -> None:
    core = Core()
    core.nvic.write(ICSR, 1 << 28 | 1 << 26, ALL)
    assert core.nvic.read(ICSR) & (1 << 28 | 1 << 26) == 1 << 28 | 1 << 26
    core.nvic.write(SHPR3, 0x20 << 24 | 0xFF << 16, ALL)
    core.nvic.write(SHPR2, 0x80 << 24, ALL)
    assert core.nvic.read(SHPR3) == 0x20F00000  # four bits are there
    assert core.nvic.next() == SYSTICK
    assert core.nvic.read(ICSR) >> 12 & 0x1FF == SYSTICK
    core.nvic.enter(SYSTICK)
    assert not core.nvic.can_take(SVCALL)
    assert core.nvic.read(ICSR) & 0x1FF == SYSTICK
    core.nvic.write(ICSR, 1 << 27, ALL)
    assert not core.nvic.is_pending(PENDSV)


def test_a_line_asks_until_it_is_served() -> None:
    core = Core()
    core.priorities(i7=0)
    core.nvic.line(FIRST + 7, True)
    core.nvic.write(ICPR, 1 << 7, ALL)
    assert core.nvic.next() == FIRST + 7  # the device still asks
    core.nvic.enter(FIRST + 7)
    core.nvic.leave(FIRST + 7)
    assert core.nvic.next() == FIRST + 7
    core.nvic.enter(FIRST + 7)
    core.nvic.line(FIRST + 7, False)
    core.nvic.leave(FIRST + 7)
    assert core.nvic.next() is None


def test_small_cores_have_two_bits_of_priority_and_no_groups() -> None:
    core = Core("cortex-m0+")
    core.priorities(i1=0xFF)
    assert core.nvic.read(IPR) == 0xC0 << 8
    core.nvic.write(AIRCR, 0x05FA << 16 | 7 << 8, ALL)
    core.nvic.enter(FIRST + 1)
    core.priorities(i2=0x80)
    core.nvic.pend(FIRST + 2)
    assert core.nvic.next() == FIRST + 2


def test_systick_fires_every_reload_plus_one() -> None:
    now = 1000
    ticks = SysTick(lambda: now)
    ticks.write(RVR, 99)
    ticks.write(CVR, 0)
    assert ticks.fires_at is None
    ticks.write(CSR, 7)
    assert ticks.fires_at == 1100
    now = 1099
    assert (ticks.read(CVR), ticks.read(CSR)) == (0, 7)
    now = 1103
    ticks.fired()
    assert ticks.fires_at == 1200
    assert (ticks.read(CSR), ticks.read(CSR)) == (7 | 1 << 16, 7)
    assert ticks.fires_at == 1200
    ticks.write(CSR, 5)
    assert ticks.fires_at is None


def test_systick_without_a_reload_value_never_fires() -> None:
    ticks = SysTick(lambda: 5)
    ticks.write(CSR, 7)
    assert (ticks.fires_at, ticks.read(CVR), ticks.read(CSR)) == (None, 0, 7)
