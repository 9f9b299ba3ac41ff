"""The System Control Space of an M-profile core (0xE0000000..0xE00FFFFF), as far as programs read it back.

Registers keep the bits that silicon has of them (`hardware/arm/system_registers.py`). Those of exceptions do something (nvic.py,
systick.py), as do the cycle counter and the reset request; trace and debug components beside the core are plain memory.
Addresses: Armv7-M Architecture Reference Manual (DDI 0403), chapters B3 and C1.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from mcu_harness.emulator.unicorn import systick
from mcu_harness.emulator.unicorn.nvic import Nvic
from mcu_harness.emulator.unicorn.systick import SysTick
from mcu_harness.hardware.arm.address_map import PRIVATE_BUS
from mcu_harness.hardware.arm.system_registers import system_registers
from mcu_harness.hardware.core import Core

BASE, SIZE = PRIVATE_BUS.low, PRIVATE_BUS.size

_DWT_CTRL = 0x1000
_DWT_CYCCNT = 0x1004
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
_SCS, _SCS_END = 0xE000, 0xF000  # what is not known in here is not there
_DWT_END = 0x1008  # nor the registers of the cycle counter, on cores without one
_CCR_DIV_0_TRP = 1 << 4
_CPACR_FPU = 0xF << 20  # full access to coprocessors 10 and 11
_FPCCR_ASPEN = 1 << 31
_SLEEPONEXIT = 1 << 1


class SystemControlSpace:
    """`elapsed()` gives the instructions executed so far: the cycle counter counts those, at the grain of a block.

    `changed()` is called when a write may let an exception be taken.
    """

    def __init__(
        self,
        core: Core,
        fpu: str,
        vectors: int,
        elapsed: Callable[[], int],
        reset: Callable[[], None],
        nvic: Nvic,
        ticks: SysTick,
        changed: Callable[[], None],
        mpu_regions: int | None = None,
    ) -> None:
        self._elapsed = elapsed
        self._reset = reset
        self._nvic = nvic
        self._ticks = ticks
        self._changed = changed
        self._bits = MappingProxyType(system_registers(core, fpu, mpu_regions))
        self._words: dict[int, int] = {at: bits.fixed | bits.reset for at, bits in self._bits.items()}
        self._words[_VTOR] = self._vectors = vectors
        self._cycle_base = 0
        self.reads = 0
        self.times_read = 0  # reads of what counts the time
        self.on_fpu_enabled: Callable[[], None] = lambda: None
        self.on_division_trap: Callable[[bool], None] = lambda _: None

    @property
    def vectors(self) -> int:
        """Where the vector table is now."""
        return self._words[_VTOR] if self._bits[_VTOR].kept else self._vectors

    @property
    def aligns_stack(self) -> bool:
        """Whether exceptions align the stack to 8 bytes rather than 4."""
        return bool(self._words[_CCR] & _CCR_STKALIGN)

    @property
    def saves_floats(self) -> bool:
        """Whether exceptions save the floating-point context of code that has one."""
        return bool(self._words.get(_FPCCR, 0) & _FPCCR_ASPEN)

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
        self._keep(at, bits, word & 0xFFFFFFFF)
        if at == _CCR:
            self.on_division_trap(bool(self._words[at] & _CCR_DIV_0_TRP))
        if at == _CPACR and self.fpu_enabled:
            self.on_fpu_enabled()

    def _keep(self, at: int, written: int, word: int) -> None:
        """Write `word` to the register at `at`, of which the program wrote the 1 bits of `written`."""
        known = self._bits.get(at)
        if known is not None:
            kept = word & known.kept & ~known.cleared
            self._words[at] = kept | known.fixed | self._words[at] & known.cleared & ~written
        elif not (_SCS <= at < _SCS_END or _DWT_CTRL <= at < _DWT_END):
            self._words[at] = word

    def _word(self, at: int) -> int:
        if at == _DWT_CYCCNT and at in self._bits:
            running = self._words.get(_DWT_CTRL, 0) & 1
            self.times_read += running
            return (self._elapsed() - self._cycle_base) & 0xFFFFFFFF if running else self._words.get(at, 0)
        if systick.CSR <= at <= systick.CVR:
            self.times_read += self._ticks.runs
            return self._ticks.read(at)
        if self._nvic.holds(at):
            return self._nvic.read(at)
        return self._words.get(at, 0)
