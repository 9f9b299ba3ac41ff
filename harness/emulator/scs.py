"""The System Control Space of an M-profile core (0xE0000000..0xE00FFFFF), as far as programs read it back.

Registers are plain memory but for the identification, the counters and the reset request. There are no exceptions:
SysTick counts but never interrupts. Addresses: Armv7-M Architecture Reference Manual (DDI 0403), chapters B3 and C1.
"""

from __future__ import annotations

from collections.abc import Callable

BASE = 0xE0000000
SIZE = 0x100000

_DWT_CTRL = 0xE0001000
_DWT_CYCCNT = 0xE0001004
_SYST_CSR = 0xE000E010
_SYST_RVR = 0xE000E014
_SYST_CVR = 0xE000E018
_CPUID = 0xE000ED00
_VTOR = 0xE000ED08
_AIRCR = 0xE000ED0C
_CCR = 0xE000ED14

_SYST_ENABLE = 1
_SYST_COUNTFLAG = 1 << 16
_AIRCR_KEY = 0x05FA
_AIRCR_KEY_READ = 0xFA05
_AIRCR_SYSRESETREQ = 1 << 2
_CCR_STKALIGN = 1 << 9

# CPUID base registers of the revisions in Arm's Technical Reference Manuals.
_CPUIDS = {
    "cortex-m0": 0x410CC200,
    "cortex-m0+": 0x410CC601,
    "cortex-m3": 0x412FC231,
    "cortex-m4": 0x410FC241,
    "cortex-m7": 0x411FC272,
    "cortex-m23": 0x411CD200,
    "cortex-m33": 0x410FD213,
}


class SystemControlSpace:
    """`elapsed()` gives the instructions executed so far: all counters count those, at the grain of a basic block."""

    def __init__(self, core: str, vectors: int, elapsed: Callable[[], int], reset: Callable[[], None]) -> None:
        self._elapsed = elapsed
        self._reset = reset
        self._words: dict[int, int] = {_CPUID: _CPUIDS[core], _VTOR: vectors, _CCR: _CCR_STKALIGN}
        self._cycle_base = 0
        self._tick_base = 0

    def read(self, offset: int, size: int) -> int:
        """What a read of `size` bytes at BASE + `offset` gives."""
        address = BASE + offset
        value = self._word(address & ~3) >> 8 * (address & 3)
        return int(value & (1 << 8 * size) - 1)

    def write(self, offset: int, size: int, value: int) -> None:
        """What a write does."""
        address = BASE + offset
        at, shift = address & ~3, 8 * (address & 3)
        mask = ((1 << 8 * size) - 1) << shift
        word = self._words.get(at, 0) & ~mask | value << shift & mask
        if at == _AIRCR:
            if word >> 16 == _AIRCR_KEY and word & _AIRCR_SYSRESETREQ:
                self._reset()
            return
        if at == _DWT_CYCCNT:
            self._cycle_base = self._elapsed() - word
        elif at == _SYST_CVR or (at == _SYST_CSR and not self._words.get(at, 0) & _SYST_ENABLE):
            self._tick_base = self._elapsed()
        self._words[at] = word & 0xFFFFFFFF

    def _word(self, at: int) -> int:
        if at == _DWT_CYCCNT:
            running = self._words.get(_DWT_CTRL, 0) & 1
            return (self._elapsed() - self._cycle_base) & 0xFFFFFFFF if running else self._words.get(at, 0)
        if at in (_SYST_CSR, _SYST_CVR):
            return self._systick(at)
        if at == _AIRCR:
            return _AIRCR_KEY_READ << 16
        return self._words.get(at, 0)

    def _systick(self, at: int) -> int:
        control, reload = self._words.get(_SYST_CSR, 0), self._words.get(_SYST_RVR, 0) & 0xFFFFFF
        ticks = self._elapsed() - self._tick_base
        if not control & _SYST_ENABLE or reload == 0:
            return control if at == _SYST_CSR else 0
        if at == _SYST_CVR:
            return reload - ticks % (reload + 1)
        if ticks <= reload:
            return control
        self._tick_base += ticks - ticks % (reload + 1)
        return control | _SYST_COUNTFLAG
