"""Finds programs that wait for ever: asleep at one place, or round a loop in which nothing changes.

The second is proved. Where core and RAM are the same on two visits of one place, no interrupt is to come, and between them
nothing was asked that changes with the time, the program does the same again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mcu_harness.emulator.dialogue import Dialogue
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.exceptions import Exceptions

_SLEEPS = 10_000  # one after the other, at one place: beyond that a program only waits
_SECONDS = 30  # of virtual time, for code that is not main itself
_DOZES = 1_000  # WFE without an event; programs get past the first, as events are not all known here
_EVERY = 2_000_000  # instructions from check to check
_POLLS = 50_000  # reads of devices between two checks
_VISITS = 4  # of a place, before it is tried again later
_BLOCKS = 500  # of a loop, at most
_MOST_APART = 64  # checks between two looks

State = tuple[Mapping[str, int], Mapping[str, bytes], object]


class Sleeps:
    """Counts waits at one place, which is (address, stack pointer, switches to other code so far); `now()` is the time."""

    def __init__(self, clock_hz: float, engine: Engine, exceptions: Exceptions, now: Callable[[], int]) -> None:
        self._long = _SECONDS * clock_hz
        self._engine = engine
        self._exceptions = exceptions
        self._now = now
        self._place = self._dozed_at = (0, 0, 0)
        self._count = self._dozes = self._since = 0

    def slept(self, pc: int) -> tuple[bool, bool]:
        """The program waits once more at `pc`; whether it has done so very often in a row, and for very long."""
        place, now = self._place_at(pc), self._now()
        if place != self._place:
            self._place, self._count, self._since = place, 0, now
        self._count += 1
        return self._count > _SLEEPS, now - self._since > self._long

    def dozed_in_vain(self, pc: int) -> bool:
        """No event can come for a WFE at `pc`; whether it has been so very often in a row."""
        place = self._place_at(pc)
        self._dozes = self._dozes + 1 if place == self._dozed_at else 1
        self._dozed_at = place
        return self._dozes > _DOZES

    def _place_at(self, pc: int) -> tuple[int, int, int]:
        return pc, self._engine.register("sp"), self._exceptions.switches


class Standstill:
    """`check` is called from time to time; once it has said so, `visit` is to be called before every block while `is_looking`."""

    def __init__(self, engine: Engine, exceptions: Exceptions, dialogue: Dialogue) -> None:
        self._engine = engine
        self._exceptions = exceptions
        self._dialogue = dialogue
        self._left = self._apart = 1  # checks until the next look
        self._asked = 0
        self._next = _EVERY
        self._stirs = 0
        self._place = self._blocks = self._visits = 0
        self._before: State | None = None
        self.is_looking = False

    def stir(self) -> None:
        """The program did something that others can see, or that can answer another way the next time."""
        self._stirs += 1

    def check(self, now: int, traced: bool) -> bool:
        """Whether to look, at the time `now`; what is `traced` is left alone unless it does nothing but ask devices."""
        if now < self._next:
            return False
        self._next = now + _EVERY
        asked, self._asked = self._engine.registers_read - self._asked, self._engine.registers_read
        self._left -= 1
        if self._left > 0 or (traced and asked < _POLLS):
            return False
        self._apart = min(2 * self._apart, _MOST_APART)
        self._left = self._apart
        self.is_looking = not self._engine.guesses_left and self._nothing_comes
        self._blocks = self._visits = 0
        return self.is_looking

    def visit(self, pc: int) -> bool:
        """Whether all is as it was when execution came to `pc` before, and stays so."""
        if not self.is_looking:
            return False
        if not self._blocks:
            self._place, self._before = pc, self._state()
        elif pc == self._place:
            before, self._before = self._before, self._state()
            if before == self._before and self._nothing_comes and not self._engine.guesses_left:
                return True
            self._visits += 1
        self._blocks += 1
        self.is_looking = self._blocks < _BLOCKS and self._visits < _VISITS
        return False

    @property
    def _nothing_comes(self) -> bool:
        return not self._dialogue.waiting and self._exceptions.next_event is None

    def _state(self) -> State:
        engine = self._engine
        seen = self._stirs, engine.times_read, engine.nvic.state
        return engine.registers(), engine.memory.contents(), seen
