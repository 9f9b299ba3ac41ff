"""Clocks and timers of nRF: CLOCK, whose oscillators start at once, and the counters RTC and TIMER, which count time.

Registers: Nordic nRF52840 PS v1.7, 5.4, 6.22 and 6.30. A TIMER in counter mode counts its task COUNT. The event of a compare
register that is written with the counter's value comes one round later.
"""

from __future__ import annotations

from mcu_harness.emulator.unicorn.peripherals.nrf_registers import SHORTS, NrfRegisters
from mcu_harness.emulator.unicorn.peripherals.registers import Wiring

_COMPARES, _CC = 0x140, 0x540
_START, _STOP = 0x000, 0x004
_CLOCK_STOPS = {0x004: (0x408, 0x40C), 0x00C: (0x414, 0x418)}  # by task: what says that it runs
_CLOCK_STARTS = {0x000: (0x100, 0x408, 0x40C), 0x008: (0x104, 0x414, 0x418)}  # and the event
_CLOCK_RUNS, _CRYSTAL = 1 << 16, 1
_LF_SOURCE, _CALIBRATE, _CALIBRATED = 0x518, 0x010, 0x10C


class NrfClock(NrfRegisters):
    """The high-frequency and the low-frequency clock, and its calibration."""

    def task(self, at: int) -> None:
        words = self.words
        if at in _CLOCK_STARTS:
            event, run, state = _CLOCK_STARTS[at]
            words[run] = 1
            words[state] = _CLOCK_RUNS | (words.get(_LF_SOURCE, 0) & 3 if at else _CRYSTAL)
            self.happen(event)
        elif at in _CLOCK_STOPS:
            words.update(dict.fromkeys(_CLOCK_STOPS[at], 0))
        elif at == _CALIBRATE:
            self.happen(_CALIBRATED)


class NrfCounter(NrfRegisters):
    """A counter of `bits` bits with `compares` compare registers; `clock_hz` is of the time that `wiring` tells.

    It was `_count` at the time `_since`, and was compared up to the count `_seen`; these go on beyond its bits.
    """

    bits = 32
    compares = 6

    def __init__(self, base: int, irq: int | None, wiring: Wiring, clock_hz: float) -> None:
        super().__init__(base, irq, wiring)
        self._clock_hz = int(clock_hz)
        self.times_read = 0
        self._running = False
        self._count = self._since = self._seen = 0
        self._planned: tuple[int | None, int | None, int] | None = None

    @property
    def rate(self) -> tuple[int, int]:
        """Counts a second, as a fraction."""
        raise NotImplementedError

    def clears(self, compare: int) -> bool:
        """Whether that event clears it."""
        return False

    def stops(self, compare: int) -> bool:
        """Whether that event stops it."""
        return False

    @property
    def counted(self) -> int:
        if not self._running:
            return self._count
        times, by = self.rate
        return self._count + (self._wiring.now() - self._since) * times // (self._clock_hz * by)

    @property
    def next_event(self) -> int | None:
        """When something happens that others are told of; None when nothing will."""
        return self._plan()[1] if self._running else None

    def pass_time(self) -> None:
        """What the time brings that has come."""
        at = self._plan()[0] if self._running else None
        if at is not None and at <= self._wiring.now():
            self._planned = None
            if self._compare():
                self.ask()

    def coming(self) -> list[tuple[int, int]]:
        """The next counts at which something happens, each with its event."""
        return [(self._until(n), _COMPARES + 4 * n) for n in range(self.compares)]

    def _plan(self) -> tuple[int | None, int | None, int]:
        """When something happens next, when something that others are told of; for connections of that version."""
        version = self._wiring.events.version
        if self._planned is None or self._planned[2] != version:
            coming = self.coming() if self.rate[0] else []
            told = min((count for count, event in coming if self.is_awaited(event)), default=None)
            at = min((count for count, _ in coming), default=None)
            times = [None if count is None else self._time_of(count) for count in (at, told)]
            self._planned = times[0], times[1], version
        return self._planned

    def load(self, at: int) -> int:
        self.pass_time()
        return super().load(at)

    def store(self, at: int, value: int, mask: int) -> None:
        self.pass_time()
        self._planned = None
        super().store(at, value, mask)

    def task(self, at: int) -> None:
        if at in (_START, _STOP):
            self._put(self.counted, self._wiring.now())
            self._running = at == _START

    def clear(self) -> None:
        self._put(0, self._wiring.now())

    def _put(self, count: int, time: int) -> None:
        self._count = self._seen = count
        self._since = time
        self._planned = None

    def _time_of(self, count: int) -> int:
        """When it is `count`: the first cycle in which it has been counted to."""
        times, by = self.rate
        return self._since - (self._count - count) * self._clock_hz * by // times if times else self._since

    def _until(self, compare: int) -> int:
        """The count after those seen at which the counter has the value of that compare register."""
        value = self.words.get(_CC + 4 * compare, 0)
        return self._seen + 1 + (value - self._seen - 1) % (1 << self.bits)

    def _compare(self) -> bool:
        """Compare with all counts that were not seen, but for whole rounds: what happens in these happens in the last.

        Says whether anything happened.
        """
        self._skip_rounds()
        happened = False
        while self._running:
            counts = [self._until(n) for n in range(self.compares)]
            count = min(counts)
            if count > self.counted:
                self._seen = self.counted
                break
            self._seen, happened = count, True
            time = self._time_of(count)
            for compare in (n for n in range(self.compares) if counts[n] == count):
                self.happen(_COMPARES + 4 * compare)
                if self.clears(compare):
                    self._put(0, time)
                if self.stops(compare):
                    self._put(self._seen, time)
                    self._running = False
        return happened

    def _skip_rounds(self) -> None:
        ends = (self.words.get(_CC + 4 * n, 0) for n in range(self.compares) if self.clears(n))
        end = min((end for end in ends if end), default=0)
        if end and self.counted > 2 * end >= 2 * self._seen:
            self._put(0, self._time_of(self.counted // end * end - end))
        laps = (self.counted - self._seen) >> self.bits
        if laps > 1:
            self._seen += laps - 1 << self.bits


class NrfRtc(NrfCounter):
    """Counts the low-frequency clock, which is exactly 32,768 Hz here."""

    bits = 24
    compares = 4
    _CLEAR, _TRIGGER, _TICK, _OVERFLOW, _COUNTER, _PRESCALER = 0x008, 0x00C, 0x100, 0x104, 0x504, 0x508

    @property
    def rate(self) -> tuple[int, int]:
        return 32768, (self.words.get(self._PRESCALER, 0) & 0xFFF) + 1

    def coming(self) -> list[tuple[int, int]]:
        ticks = [(self._seen + 1, self._TICK)] if self.is_awaited(self._TICK) else []
        return [*super().coming(), *ticks, ((self._seen >> self.bits) + 1 << self.bits, self._OVERFLOW)]

    def _compare(self) -> bool:
        before, ticks = self._seen, self.is_awaited(self._TICK)
        happened = super()._compare()
        if ticks and self._seen > before:
            self.happen(self._TICK)
        overflowed = self._seen >> self.bits > before >> self.bits
        if overflowed:
            self.happen(self._OVERFLOW)
        return happened or ticks or overflowed

    def load(self, at: int) -> int:
        if at == self._COUNTER:
            self.times_read += 1
            return self.counted & (1 << self.bits) - 1
        return super().load(at)

    def task(self, at: int) -> None:
        if at == self._CLEAR:
            self.clear()
        elif at == self._TRIGGER:
            self._put((1 << self.bits) - 16, self._wiring.now())
        else:
            super().task(at)


class NrfTimer(NrfCounter):
    """Counts 16 MHz, divided by a power of two; or what its task COUNT is started for."""

    _COUNT, _CLEAR, _SHUTDOWN, _CAPTURE = 0x008, 0x00C, 0x010, 0x040
    _MODE, _BITMODE, _PRESCALER = 0x504, 0x508, 0x510
    _WIDTHS = (16, 8, 24, 32)

    @property
    def bits(self) -> int:  # type: ignore[override]
        return self._WIDTHS[self.words.get(self._BITMODE, 0) & 3]

    @property
    def rate(self) -> tuple[int, int]:
        by_time = not self.words.get(self._MODE, 0) & 3
        return (16_000_000 if by_time else 0), 1 << (self.words.get(self._PRESCALER, 4) & 15)

    def clears(self, compare: int) -> bool:
        return bool(self.words.get(SHORTS, 0) >> compare & 1)

    def stops(self, compare: int) -> bool:
        return bool(self.words.get(SHORTS, 0) >> 8 + compare & 1)

    def task(self, at: int) -> None:
        self._planned = None
        if at == self._COUNT and self._running:
            self._count += 1
            self._compare()
        elif at == self._CLEAR:
            self.clear()
        elif at == self._SHUTDOWN:
            self._running = False
            self.clear()
        elif self._CAPTURE <= at < self._CAPTURE + 4 * self.compares:
            self.times_read += 1
            self.words[_CC + at - self._CAPTURE] = self.counted & (1 << self.bits) - 1
        else:
            super().task(at)
