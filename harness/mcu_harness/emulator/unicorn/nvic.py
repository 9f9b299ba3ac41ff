"""Which exceptions of an M-profile core are enabled, pending and active, and which of them is to be taken next.

Numbers are exception numbers: 2 NMI, 11 SVCall, 14 PendSV, 15 SysTick, 16 + n the external interrupt n. Faults are not
among them: they end a run. Registers: Armv7-M Architecture Reference Manual (DDI 0403), B3.2 and B3.4; what Armv6-M
and Armv8-M have of them is the same. Priorities have 4 bits, 2 on cores without BASEPRI (Armv6-M, Armv8-M baseline).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType

from mcu_harness.hardware.arm.system_registers import interrupt_word, system_priorities
from mcu_harness.hardware.core import Core

NMI, SVCALL, PENDSV, SYSTICK, FIRST_INTERRUPT = 2, 11, 14, 15, 16

_THREAD = 256  # the priority of code outside of handlers: below all others
_FIXED = {NMI: -2, 3: -1}

_ISER, _ICER, _ISPR, _ICPR, _IABR, _IPR, _IPR_END = 0xE100, 0xE180, 0xE200, 0xE280, 0xE300, 0xE400, 0xE5F0
_BANK = 0x40
_ICSR, _AIRCR, _SHPR1, _SHPR3, _STIR = 0xED04, 0xED0C, 0xED18, 0xED20, 0xEF00
_SETS = {31: NMI, 28: PENDSV, 26: SYSTICK}  # bits of ICSR, and those that take it back
_CLEARS = {27: PENDSV, 25: SYSTICK}
_KEY = 0x05FA

Masks = tuple[int, int, int]


class Nvic:
    """The state of all exceptions of `core`; offsets are from the start of the system control space.

    `masks()` gives PRIMASK, FAULTMASK and BASEPRI as they are.
    """

    def __init__(self, core: Core, masks: Callable[[], Masks]) -> None:
        self._masks = masks
        self._implemented = core.architecture.priority_mask
        self._core = core
        self._system = MappingProxyType(system_priorities(core))
        self._has_active = not core.architecture.baseline or core.architecture.v8  # registers that say what is active
        self._groups = not core.architecture.baseline
        self._group = 0  # PRIGROUP
        self._enabled = 1 << NMI | 1 << SVCALL | 1 << PENDSV | 1 << SYSTICK
        self._pending = 0
        self._lines = 0  # interrupts whose device asks for them at the moment
        self._asking: dict[int, set[int]] = {}  # which devices these are
        self._priorities: dict[int, int] = {}
        self.active: list[int] = []

    # What happens to exceptions.

    def pend(self, number: int) -> None:
        self._pending |= 1 << number

    def line(self, number: int, level: bool, device: int = 0) -> None:
        """The request of `device` for interrupt `number`, an exception number, is there (`level`) or gone."""
        bit = 1 << number
        asking = self._asking.setdefault(number, set())
        (asking.add if level else asking.discard)(device)
        level = bool(asking)
        if level and not self._lines & bit and number not in self.active:
            self._pending |= bit
        elif not level and self._lines & bit and number not in self.active:
            self._pending &= ~bit
        self._lines = self._lines | bit if level else self._lines & ~bit

    def enter(self, number: int) -> None:
        """It is taken."""
        self._pending &= ~(1 << number)
        self.active.append(number)

    def leave(self, number: int) -> None:
        """Its handler is over; a device that still asks makes it pending again."""
        if number in self.active:
            self.active.remove(number)
        self._pending |= self._lines & 1 << number

    # What follows from it.

    @property
    def waiting(self) -> bool:
        """Whether any exception is pending and enabled, masked or not."""
        return bool(self._pending & self._enabled)

    @property
    def state(self) -> tuple[int, int, int, tuple[int, ...]]:
        """What is enabled, pending, asked for by devices and active, to compare."""
        return self._enabled, self._pending, self._lines, tuple(self.active)

    def is_pending(self, number: int) -> bool:
        return bool(self._pending >> number & 1)

    def next(self, *, masked: bool = True) -> int | None:
        """What is to be taken now; None when nothing is, or may be. Without `masked`, as if PRIMASK were clear."""
        if not self._pending & self._enabled:
            return None
        number = min(self._numbers(self._pending & self._enabled), key=lambda n: (self.priority(n), n))
        return number if self._grouped(self.priority(number)) < self._running(masked) else None

    def can_take(self, number: int) -> bool:
        """Whether exception `number` would be taken at once."""
        return self._grouped(self.priority(number)) < self._running(True)

    def priority(self, number: int) -> int:
        return _FIXED.get(number, self._priorities.get(number, 0))

    def _running(self, masked: bool) -> int:
        """The priority that code runs at (B1.5.4): only what is above, a smaller number, interrupts it."""
        running = min((self._grouped(self.priority(number)) for number in self.active), default=_THREAD)
        primask, faultmask, basepri = self._masks()
        if basepri & self._implemented:
            running = min(running, self._grouped(basepri & self._implemented))
        if primask & 1 and masked:
            running = min(running, 0)
        return min(running, -1) if faultmask & 1 else running

    def _grouped(self, priority: int) -> int:
        return priority if priority < 0 or not self._groups else priority >> self._group + 1 << self._group + 1

    @staticmethod
    def _numbers(bits: int) -> Iterator[int]:
        while bits:
            lowest = bits & -bits
            yield lowest.bit_length() - 1
            bits ^= lowest

    # Registers.

    @staticmethod
    def holds(at: int) -> bool:
        """Whether the word at offset `at` is one of the registers below."""
        return _ISER <= at < _IPR_END or at in (_ICSR, _AIRCR, _STIR) or _SHPR1 <= at <= _SHPR3

    def read(self, at: int) -> int:
        """The word at offset `at`."""
        if at == _ICSR:
            return self._icsr()
        if at == _AIRCR:
            return 0xFA05 << 16 | self._group << 8
        if at >= _SHPR1:
            return 0 if at == _STIR else self._priority_word(at - _SHPR1 + 4)
        if at >= _IPR:
            return self._priority_word(at - _IPR + FIRST_INTERRUPT)
        first = FIRST_INTERRUPT + (at % _BANK) * 8
        if at >= _IABR:
            return (
                0
                if not self._has_active
                else sum(1 << number - first for number in self.active if first <= number < first + 32)
            )
        return (self._pending if at >= _ISPR else self._enabled) >> first & 0xFFFFFFFF

    def write(self, at: int, value: int, mask: int) -> None:
        """Write the bits `mask` of the word at offset `at`."""
        if at == _ICSR:
            for bit, number in _SETS.items():
                self._pending |= (value >> bit & 1) << number
            for bit, number in _CLEARS.items():
                self._pending &= ~((value >> bit & 1) << number)
        elif at == _AIRCR:
            if value >> 16 == _KEY and self._groups:
                self._group = value >> 8 & 7
        elif at == _STIR:
            if value & 0x1FF < self._core.interrupts and self._groups:
                self._pending |= 1 << FIRST_INTERRUPT + (value & 0x1FF)
        elif at >= _SHPR1:
            self._set_priorities(at - _SHPR1 + 4, value, mask)
        elif at >= _IPR:
            self._set_priorities(at - _IPR + FIRST_INTERRUPT, value, mask)
        elif at < _IABR:
            self._write_bits(at, value)

    def _write_bits(self, at: int, value: int) -> None:
        first = (at % _BANK) * 8
        bits = (value & interrupt_word(self._core, first)) << FIRST_INTERRUPT + first
        if at < _ICER:
            self._enabled |= bits
        elif at < _ISPR:
            self._enabled &= ~bits
        elif at < _ICPR:
            self._pending |= bits
        else:
            held = sum(1 << number for number in self.active)
            self._pending &= ~bits | self._lines & ~held  # a device that asks makes it pending at once

    def _icsr(self) -> int:
        ready = self._pending & self._enabled
        highest = min(self._numbers(ready), key=lambda n: (self.priority(n), n)) if ready else 0
        pending = sum((self._pending >> number & 1) << bit for bit, number in _SETS.items())
        external = int(self._pending >> FIRST_INTERRUPT != 0) << 22
        to_base = int(len(self.active) <= 1) << 11
        return pending | external | highest << 12 | to_base | (self.active[-1] if self.active else 0)

    def _priority_word(self, first: int) -> int:
        return sum(self._priorities.get(first + i, 0) << 8 * i for i in range(4))

    def _set_priorities(self, first: int, value: int, mask: int) -> None:
        for i in range(4):
            if mask >> 8 * i & 0xFF:
                self._priorities[first + i] = value >> 8 * i & self._bits_of(first + i)

    def _bits_of(self, number: int) -> int:
        """The bits that the priority of exception `number` has."""
        if number < FIRST_INTERRUPT:
            return self._system.get(number, 0)
        return self._implemented if number - FIRST_INTERRUPT < self._core.interrupts else 0
