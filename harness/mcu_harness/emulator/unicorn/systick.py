"""The SysTick timer: it counts time down from its reload value, and can ask for an exception each time around.

Registers: Armv7-M Architecture Reference Manual (DDI 0403), B3.3. Both clock sources are the core's clock here, and
one tick passes an instruction.
"""

from __future__ import annotations

from collections.abc import Callable

CSR, RVR, CVR = 0xE010, 0xE014, 0xE018

_ENABLE, _TICKINT = 1, 2
_COUNTFLAG = 1 << 16


class SysTick:
    """`now()` gives the time in ticks; offsets are from the start of the system control space."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._control = self._reload = 0
        self._base = 0  # when it was last started, or a whole number of rounds later
        self._fires: int | None = None

    @property
    def runs(self) -> bool:
        """Whether it counts."""
        return bool(self._control & _ENABLE and self._reload)

    @property
    def fires_at(self) -> int | None:
        """When it will next ask for its exception, None when it will not."""
        return self._fires

    def fired(self) -> None:
        """Its exception was asked for: on to the next round."""
        self._plan()

    def read(self, at: int) -> int:
        """The word at offset `at`."""
        if at == RVR:
            return self._reload
        ticks = self._now() - self._base
        if not self._control & _ENABLE or self._reload == 0:
            return self._control if at == CSR else 0
        period = self._reload + 1
        if at == CVR:
            return self._reload - ticks % period
        if ticks < period:
            return self._control
        self._base += ticks - ticks % period
        return self._control | _COUNTFLAG

    def write(self, at: int, value: int) -> None:
        """Write the word at offset `at`."""
        if at == RVR:
            self._reload = value & 0xFFFFFF
        elif at == CVR or not self._control & _ENABLE:
            self._base = self._now()
        if at == CSR:
            self._control = value & 7
        self._plan()

    def _plan(self) -> None:
        wanted = self._control & (_ENABLE | _TICKINT) == _ENABLE | _TICKINT and self._reload
        period = self._reload + 1
        rounds = (self._now() - self._base) // period + 1
        self._fires = self._base + rounds * period if wanted else None
