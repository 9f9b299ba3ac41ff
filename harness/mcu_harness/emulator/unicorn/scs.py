"""The System Control Space of an M-profile core (0xE0000000..0xE00FFFFF), as far as programs read it back.

Registers are plain memory but for the identification, the counters, the reset request, and those of exceptions
(nvic.py, systick.py). Addresses: Armv7-M Architecture Reference Manual (DDI 0403), chapters B3 and C1.
"""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.emulator.unicorn import systick
from mcu_harness.emulator.unicorn.nvic import Nvic
from mcu_harness.emulator.unicorn.systick import SysTick
from mcu_harness.hardware.arm.address_map import PRIVATE_BUS
from mcu_harness.hardware.core import Core

BASE, SIZE = PRIVATE_BUS.low, PRIVATE_BUS.size

_DWT_CTRL = 0x1000
_DWT_CYCCNT = 0x1004
_CPUID = 0xED00
_VTOR = 0xED08
_AIRCR = 0xED0C
_SCR = 0xED10
_CCR = 0xED14
_SHCSR = 0xED24
_CPACR = 0xED88
_FPCCR = 0xEF34

_AIRCR_KEY = 0x05FA
_AIRCR_SYSRESETREQ = 1 << 2
_CCR_STKALIGN = 1 << 9
_CCR_DIV_0_TRP = 1 << 4
_CPACR_FPU = 0xF << 20  # full access to coprocessors 10 and 11
_FPCCR_ASPEN = 1 << 31
_FPCCR_LSPEN = 1 << 30
_SLEEPONEXIT = 1 << 1


class SystemControlSpace:
    """`elapsed()` gives the instructions executed so far: the cycle counter counts those, at the grain of a block.

    `changed()` is called when a write may let an exception be taken.
    """

    def __init__(
        self,
        core: Core,
        vectors: int,
        elapsed: Callable[[], int],
        reset: Callable[[], None],
        nvic: Nvic,
        ticks: SysTick,
        changed: Callable[[], None],
    ) -> None:
        self._elapsed = elapsed
        self._reset = reset
        self._nvic = nvic
        self._ticks = ticks
        self._changed = changed
        self._words: dict[int, int] = {
            _CPUID: core.cpuid,
            _VTOR: vectors,
            _CCR: _CCR_STKALIGN,
            _FPCCR: _FPCCR_ASPEN | _FPCCR_LSPEN,
        }
        self._cycle_base = 0
        self.reads = 0
        self.times_read = 0  # reads of what counts the time
        self.on_fpu_enabled: Callable[[], None] = lambda: None
        self.on_division_trap: Callable[[bool], None] = lambda _: None

    @property
    def vectors(self) -> int:
        """Where the vector table is now."""
        return self._words[_VTOR]

    @property
    def aligns_stack(self) -> bool:
        """Whether exceptions align the stack to 8 bytes rather than 4."""
        return bool(self._words[_CCR] & _CCR_STKALIGN)

    @property
    def saves_floats(self) -> bool:
        """Whether exceptions save the floating-point context of code that has one."""
        return bool(self._words[_FPCCR] & _FPCCR_ASPEN)

    @property
    def sleeps_on_exit(self) -> bool:
        """Whether the return to thread mode waits for the next interrupt."""
        return bool(self._words.get(_SCR, 0) & _SLEEPONEXIT)

    @property
    def fpu_enabled(self) -> bool:
        """Whether the program has given itself access to the FPU."""
        return self._words.get(_CPACR, 0) & _CPACR_FPU == _CPACR_FPU

    @property
    def status(self) -> dict[str, int]:
        """Registers that decide what a fault does, by name."""
        return {"shcsr": self._words.get(_SHCSR, 0)}

    def tell_division_trap(self) -> None:
        """Tell whoever watches divisions what CCR says, after registers were put back."""
        self.on_division_trap(bool(self._words.get(_CCR, 0) & _CCR_DIV_0_TRP))

    def read(self, offset: int, size: int) -> int:
        """What a read of `size` bytes at BASE + `offset` gives."""
        self.reads += 1
        value = self._word(offset & ~3) >> 8 * (offset & 3)
        return int(value & (1 << 8 * size) - 1)

    def write(self, offset: int, size: int, value: int) -> None:
        """What a write does."""
        at, shift = offset & ~3, 8 * (offset & 3)
        mask = ((1 << 8 * size) - 1) << shift
        bits = value << shift & mask & 0xFFFFFFFF
        if self._nvic.holds(at):
            if at == _AIRCR and bits >> 16 == _AIRCR_KEY and bits & _AIRCR_SYSRESETREQ:
                self._reset()
            self._nvic.write(at, bits, mask)
            self._changed()
            return
        word = bits if size == 4 else self._word(at) & ~mask | bits
        if systick.CSR <= at <= systick.CVR:
            self._ticks.write(at, word)
            self._changed()
            return
        if at == _DWT_CYCCNT:
            self._cycle_base = self._elapsed() - word
        self._words[at] = word & 0xFFFFFFFF
        if at == _CCR:
            self.on_division_trap(bool(word & _CCR_DIV_0_TRP))
        if at == _CPACR and self.fpu_enabled:
            self.on_fpu_enabled()

    def _word(self, at: int) -> int:
        if at == _DWT_CYCCNT:
            running = self._words.get(_DWT_CTRL, 0) & 1
            self.times_read += running
            return (self._elapsed() - self._cycle_base) & 0xFFFFFFFF if running else self._words.get(at, 0)
        if systick.CSR <= at <= systick.CVR:
            self.times_read += self._ticks.runs
            return self._ticks.read(at)
        if self._nvic.holds(at):
            return self._nvic.read(at)
        return self._words.get(at, 0)
