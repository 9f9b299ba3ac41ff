"""Device registers that the embedded emulator has no model of: they keep what is written.

Start-up code waits for clocks, oscillators and power regulators by polling such registers for a change that no model
here makes. A register that is read over and over therefore begins to answer something else: guesses at what may be
waited for, in turn and always in the same order, each for some reads. The guess that ends the waiting stays. That gets
programs past their start-up; `made_up` says where it was done, so that nobody takes such answers for a device's.
"""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.base.span import Span
from mcu_harness.emulator.live import Device
from mcu_harness.emulator.unicorn.timers import Timers
from mcu_harness.hardware.arm.address_map import ADDRESS_SPACE

_PAGE = 1 << 10  # bytes: what devices are found by
_PATIENCE = 64  # reads one after the other, after which a register is taken to be waited for
_HOLD = 8  # reads for which a guess is kept: what ended the waiting is often asked for once more, right after it
_MOST_GUESSES = 10_000  # beyond which nothing ends the waiting
_APART = 1000  # instructions between two reads that have nothing to do with each other
_MIX = 0x9E3779B1  # 2**32 divided by the golden ratio: multiples of it are well spread bits


class Attached:
    """Devices by their addresses. It is no plain data: what is attached is not part of a snapshot."""

    def __init__(self) -> None:
        self._by_page: dict[int, list[tuple[Span, int, Device]]] = {}

    def add(self, span: Span, origin: int, device: Device) -> None:
        """It covers what was there; its offsets are from `origin`."""
        for page in range(span.low // _PAGE, -(-span.high // _PAGE)):
            self._by_page.setdefault(page, []).insert(0, (span, origin, device))

    def at(self, address: int) -> tuple[int, Device] | None:
        """The device at `address`, and where its offsets are from."""
        found = self._by_page.get(address // _PAGE, ())
        return next(((origin, device) for span, origin, device in found if span.holds(address)), None)


class DeviceRegisters:
    """Words by address from `base` to `end`, zero at first. `elapsed()` gives the instructions executed so far.

    With `now`, which also gives the time that was slept, counters of timers count.
    """

    def __init__(
        self, base: int, elapsed: Callable[[], int], now: Callable[[], int] | None = None, end: int = ADDRESS_SPACE.high
    ) -> None:
        self.base = base
        self._end = end
        self._attached = Attached()
        self._elapsed = elapsed
        self._words: dict[int, int] = {}
        self._set: dict[int, int] = {}  # the bits that the last write to a register set, if it set any
        self.timers = Timers(now, lambda at: self._words.get(at, 0)) if now else None
        self._waits: dict[int, _Wait] = {}
        self.made_up: set[int] = set()
        self.reads = 0
        self.times_read = 0  # reads of counters
        self._last_waited = 0  # the register that was read last

    @property
    def guesses_left(self) -> bool:
        """Whether the register that is waited for may still get to answer something else."""
        wait = self._waits.get(self._last_waited)
        return wait is not None and wait.guesses_left

    def word(self, address: int) -> int:
        """What the program has written to the register at `address`; asking changes nothing."""
        return self._words.get(address & ~3, 0)

    def holds(self, low: int, high: int) -> bool:
        """Whether all of [low, high) is here."""
        return self.base <= low < high <= self._end

    def attach(self, low: int, high: int, device: Device, origin: int) -> None:
        """Let `device` answer at [low, high), by offsets from `origin`; what was attached there is covered by it."""
        self._attached.add(Span(low, high), origin, device)

    def start(self, address: int) -> None:
        """Write 1 to a register of a device that is attached; elsewhere nothing happens."""
        attached = self._attached.at(address)
        if attached is not None:
            attached[1].write(address - attached[0], 4, 1)

    def read(self, offset: int, size: int) -> int:
        """What a read of `size` bytes at `offset` from the base gives."""
        self.reads += 1
        address = self.base + offset
        attached = self._attached.at(address)
        if attached is not None:
            return attached[1].read(address - attached[0], size) & (1 << 8 * size) - 1
        at, shift = address & ~3, 8 * (address & 3)
        value = self._words.get(at, 0)
        count = self.timers.count(at) if self.timers else None
        if count is not None:
            self.times_read += 1
            return count >> shift & (1 << 8 * size) - 1
        wait = self._waits.get(at)
        self._last_waited = at
        if wait is None:
            self._waits[at] = _Wait(value, self._set.get(at, 0), self._elapsed())
        else:
            value = self._words[at] = wait.answer(value, self._elapsed())
            if wait.guesses:
                self.made_up.add(at)
        return value >> shift & (1 << 8 * size) - 1

    def write(self, offset: int, size: int, value: int) -> None:
        """What a write does; it also makes the register be believed again."""
        address = self.base + offset
        attached = self._attached.at(address)
        if attached is not None:
            attached[1].write(address - attached[0], size, value)
            return
        at, shift = address & ~3, 8 * (address & 3)
        mask = ((1 << 8 * size) - 1) << shift & 0xFFFFFFFF
        before = self._words.get(at, 0)
        after = before & ~mask | value << shift & mask
        if self.timers:
            self.timers.write(at, after)
        self._words[at] = after
        self._set[at] = after & ~before or self._set.get(at, 0)
        self._waits.pop(at, None)


class DeviceAreas:
    """All stretches of addresses that have device registers."""

    def __init__(self) -> None:
        self.areas: list[DeviceRegisters] = []

    def of(self, low: int, high: int) -> DeviceRegisters | None:
        """The one that has all of [low, high)."""
        return next((area for area in self.areas if area.holds(low, high)), None)

    def word(self, address: int) -> int:
        """What the program has written to a register that no model has; asking changes nothing."""
        area = self.of(address, address + 4)
        return area.word(address) if area is not None else 0

    def start(self, address: int) -> None:
        """Write 1 to a register of a device that is attached; elsewhere nothing happens."""
        area = self.of(address, address + 4)
        if area is not None:
            area.start(address)

    @property
    def stateful(self) -> tuple[object, ...]:
        """The parts whose plain attributes are their state."""
        return (*self.areas, *(area.timers for area in self.areas if area.timers is not None))

    @property
    def reads(self) -> int:
        return sum(area.reads for area in self.areas)

    @property
    def times_read(self) -> int:
        return sum(area.times_read for area in self.areas)

    @property
    def guesses_left(self) -> bool:
        return any(area.guesses_left for area in self.areas)

    @property
    def made_up(self) -> tuple[int, ...]:
        """Registers that had to answer something made up."""
        return tuple(sorted(address for area in self.areas for address in area.made_up))


class _Wait:
    """Reads of one register since it was last written with `written`, of which the bits `new` were new."""

    def __init__(self, written: int, new: int, now: int) -> None:
        self._written = written
        self._new = new
        self._last = now
        self._reads = 1
        self.guesses = 0

    @property
    def guesses_left(self) -> bool:
        """Whether another guess is to come."""
        return self.guesses < _MOST_GUESSES

    def answer(self, value: int, now: int) -> int:
        """What the register, now `value`, answers at the time `now`."""
        if now - self._last > _APART:
            self._reads = 0
        self._last = now
        self._reads += 1
        if self._reads <= _PATIENCE or (self._reads - _PATIENCE) % _HOLD != 1 or not self.guesses_left:
            return value
        self.guesses += 1
        return _guess(self._written, self._new, self.guesses - 1)


def _guess(value: int, new: int, nth: int) -> int:
    """The nth guess at what is waited for in a register that was written with `value`, its bits `new` for the last.

    A "ready" bit mostly lies next to its "enable" bit, a field that tells the state behind the field that sets it. What was
    set last is tried alone first, which leaves other fields of the register as they are.
    """
    guesses = (
        *((value | new << 1, value | new << 2, value | new << 3) if new not in (0, value) else ()),
        value | value << 1,
        value | value << 2,
        value | value << 1 | value << 2,
        value | value << 3,
        0xFFFFFFFF,
        0,
        ~value,
    )
    return (guesses[nth] if nth < len(guesses) else value + nth * _MIX) & 0xFFFFFFFF
