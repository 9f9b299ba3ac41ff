"""Free-running counters of STM32 timers: what firmware takes the time from when it does not take it from SysTick.

TIM2 to TIM7 lie at the same addresses in all of the family, and their counters work alike (ST RM0351, 27 and 29; RM0090, 18).
One count is as many instructions as the prescaler says: the clock of the timers is taken for the core's. There are no
interrupts and no capture.
"""

from __future__ import annotations

from collections.abc import Callable

START, END = 0x40000000, 0x40001800
DRIVERS = ("stm32_usart_v1", "stm32_usart_v2")  # console drivers of the boards that have these timers

_EACH = 0x400
_CR1, _EGR, _CNT, _PSC, _ARR = 0x00, 0x14, 0x24, 0x28, 0x2C
_ENABLE = _UPDATE = 1


class Timers:
    """The counters. `now()` gives the time in instructions, `word(address)` what was last written to a register."""

    def __init__(self, now: Callable[[], int], word: Callable[[int], int]) -> None:
        self._now = now
        self._word = word
        self._zero: dict[int, int] = {}  # by timer: the time when its counter was 0
        self._held: dict[int, int] = {}  # what the counters of timers that are off say

    def count(self, address: int) -> int | None:
        """What the register at `address` says now; None when it is not the counter of a timer."""
        timer, register = self._place(address)
        if timer is None or register != _CNT:
            return None
        if not self._word(timer + _CR1) & _ENABLE:
            return self._held.get(timer, 0)
        ticks = (self._now() - self._zero.get(timer, 0)) // self._period(timer)
        return ticks % ((self._word(timer + _ARR) or 0xFFFFFFFF) + 1)

    def write(self, address: int, value: int) -> None:
        """The word at `address` is about to be written."""
        timer, register = self._place(address)
        if timer is None:
            return
        if register == _CNT or (register == _EGR and value & _UPDATE):
            self._start(timer, value if register == _CNT else 0)
        elif register == _CR1 and (value ^ self._word(timer + _CR1)) & _ENABLE:
            count = self.count(timer + _CNT) or 0
            self._start(timer, count)
        elif register == _PSC:
            period = (value & 0xFFFF) + 1
            self._zero[timer] = self._now() - (self.count(timer + _CNT) or 0) * period

    def _start(self, timer: int, count: int) -> None:
        """It counts from `count` on, or stands there."""
        self._held[timer] = count
        self._zero[timer] = self._now() - count * self._period(timer)

    def _period(self, timer: int) -> int:
        return (self._word(timer + _PSC) & 0xFFFF) + 1

    @staticmethod
    def _place(address: int) -> tuple[int | None, int]:
        """The timer's base and the register's offset."""
        return (address & -_EACH, address % _EACH) if START <= address < END else (None, 0)
