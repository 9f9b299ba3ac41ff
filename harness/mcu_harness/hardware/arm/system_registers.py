"""The core's own registers as data: which bits each keeps, and what the others read, by architecture.

Armv6-M Architecture Reference Manual (DDI 0419), B3.2, B3.3; Armv7-M (DDI 0403), B3.2 to B3.5, C1.6, C1.8; Armv8-M (DDI 0553),
D1.2, without the Security Extension. What differs between cores of one architecture is from their Technical Reference Manuals.
Registers that are not here read as 0 and keep nothing. The interrupt controller's and SysTick's, which do something, have
models of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.hardware.core import Core
from mcu_harness.hardware.register_bits import Bits

_WORD = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Row:
    """A register at `offset` from 0xE0000000, by architecture: Armv6-M, Armv7-M, and Armv8-M baseline and mainline.

    None: it is not there. `cores` are exceptions by name, and `fpu` says that it is there with an FPU alone.
    """

    name: str
    offset: int
    v6: Bits | None
    v7: Bits | None
    v8_baseline: Bits | None
    v8_mainline: Bits | None
    cores: tuple[tuple[str, Bits], ...] = ()
    fpu: bool = False

    def of(self, core: Core, fpu: str) -> Bits | None:
        """What it is on `core` with that FPU ("none" for none)."""
        if self.fpu and fpu == "none":
            return None
        own = dict(self.cores)
        if core.name in own:
            return own[core.name]
        architecture = core.architecture
        if architecture.v8:
            return self.v8_baseline if architecture.baseline else self.v8_mainline
        return self.v6 if architecture.baseline else self.v7


def _all(bits: Bits) -> tuple[Bits, Bits, Bits, Bits]:
    return bits, bits, bits, bits


_NOTHING = Bits()
_FAULTS_V7, _FAULTS_V8 = 0x030F_BFBB, 0x031F_BFBB  # flags of CFSR; Armv8-M has STKOF too
_CYCLES_V7, _CYCLES_FIXED = 0x007F_1FFF, 0x4000_0000  # DWT_CTRL, with four comparators
_CCR_M7 = Bits(0x0003_011B, fixed=0x0004_0200)  # caches; branch prediction and STKALIGN are always on (DDI 0489, 4.2)

ROWS = (
    Row("DWT_CTRL", 0x1000, None, Bits(_CYCLES_V7, _CYCLES_FIXED), None, Bits(_CYCLES_V7, _CYCLES_FIXED)),
    Row("DWT_CYCCNT", 0x1004, None, Bits(_WORD), None, Bits(_WORD)),
    Row("ICTR", 0xE004, None, _NOTHING, _NOTHING, _NOTHING),
    Row(
        "ACTLR", 0xE008, None, None, None, None,
        (("cortex-m3", Bits(0x7)), ("cortex-m4", Bits(0x307)), ("cortex-m7", Bits(0x1FFF_FC04)), ("cortex-m33", Bits(0x2000_1605))),
    ),
    Row("SYST_CALIB", 0xE01C, *_all(_NOTHING)),
    Row("CPUID", 0xED00, *_all(_NOTHING)),
    Row(
        "VTOR", 0xED08, Bits(0xFFFF_FF00), *_all(Bits(0xFFFF_FF80))[1:],
        cores=(("cortex-m0", _NOTHING), ("cortex-m3", Bits(0x3FFF_FF80))),
    ),
    Row("SCR", 0xED10, Bits(0x16), Bits(0x16), Bits(0x1E), Bits(0x1E)),
    Row(
        "CCR", 0xED14, Bits(fixed=0x208), Bits(0x31B, reset=0x200), Bits(fixed=0x209), Bits(0x51A, fixed=0x201),
        (("cortex-m7", _CCR_M7),),
    ),
    Row("SHCSR", 0xED24, Bits(0x8000), Bits(0x0007_FD8B), Bits(0x0020_8CA4), Bits(0x0027_FDAF)),
    Row("CFSR", 0xED28, None, Bits(_FAULTS_V7, cleared=_FAULTS_V7), None, Bits(_FAULTS_V8, cleared=_FAULTS_V8)),
    Row("HFSR", 0xED2C, None, Bits(0xC000_0002, cleared=0xC000_0002), None, Bits(0xC000_0002, cleared=0xC000_0002)),
    Row("DFSR", 0xED30, *_all(Bits(0x1F, cleared=0x1F))),
    Row("MMFAR", 0xED34, None, Bits(_WORD), None, Bits(_WORD)),
    Row("BFAR", 0xED38, None, Bits(_WORD), None, Bits(_WORD)),
    Row("CSSELR", 0xED84, None, None, None, None, (("cortex-m7", Bits(0xF)),)),
    Row("CPACR", 0xED88, None, Bits(0x00F0_0000), None, Bits(0x00F0_0000), fpu=True),
    Row("MPU_CTRL", 0xED94, *_all(Bits(0x7)), cores=(("cortex-m0", _NOTHING),)),
    Row("MPU_RNR", 0xED98, *_all(Bits(0xFF)), cores=(("cortex-m0", _NOTHING),)),
    Row(
        "MPU_RBAR", 0xED9C, Bits(0xFFFF_FF0F), Bits(0xFFFF_FFEF), Bits(_WORD), Bits(_WORD),
        (("cortex-m0", _NOTHING),),
    ),
    Row(
        "MPU_RASR", 0xEDA0, Bits(0x1707_FF3F), Bits(0x173F_FF3F), Bits(0xFFFF_FFEF), Bits(0xFFFF_FFEF),
        (("cortex-m0", _NOTHING),),
    ),
    Row("MPU_MAIR0", 0xEDC0, None, None, Bits(_WORD), Bits(_WORD)),
    Row("MPU_MAIR1", 0xEDC4, None, None, Bits(_WORD), Bits(_WORD)),
    Row("DEMCR", 0xEDFC, Bits(0x0100_0401), Bits(0x010F_07F1), Bits(0x0100_0401), Bits(0x010F_0FF1)),
    Row(
        "FPCCR", 0xEF34, None, Bits(0xC000_017B, reset=0xC000_0000), None, Bits(0xD000_077B, reset=0xC000_0000), fpu=True,
    ),
    Row("FPCAR", 0xEF38, None, Bits(0xFFFF_FFF8), None, Bits(0xFFFF_FFF8), fpu=True),
    Row("FPDSCR", 0xEF3C, None, Bits(0x07C0_0000), None, Bits(0x07C0_0000), fpu=True),
)  # fmt: skip

# MVFR0 to MVFR2 of FPUs, from the Technical Reference Manuals of the M4 (100166, 7.2), M7 (DDI 0489, 8.3) and M33 (100230, B.8).
_MVFR0, _MVFR1, _MVFR2 = 0xEF40, 0xEF44, 0xEF48
FPU_FEATURES = {
    "fpv4-sp-d16": {_MVFR0: 0x1011_0021, _MVFR1: 0x1100_0011},
    "fpv5-sp-d16": {_MVFR0: 0x1011_0021, _MVFR1: 0x1100_0011, _MVFR2: 0x40},
    "fpv5-d16": {_MVFR0: 0x1011_0221, _MVFR1: 0x1200_0011, _MVFR2: 0x40},
}


_MPU_TYPE, _MPU_END = 0xED90, 0xEDC8
_MPU_REGIONS = 8  # MPU_TYPE.DREGION


def system_registers(core: Core, fpu: str, mpu_regions: int | None = None) -> dict[int, Bits]:
    """What each register on `core` keeps, by its offset from 0xE0000000.

    With 0 `mpu_regions` the memory protection unit's read as 0. None: it is not known how many there are, and MPU_TYPE reads as 0.
    """
    found = {row.offset: row.of(core, fpu) for row in ROWS}
    fixed = {offset: Bits(fixed=value) for offset, value in FPU_FEATURES.get(fpu, {}).items()}
    fixed[0xED00] = Bits(fixed=core.cpuid)
    if not core.architecture.baseline or core.architecture.v8:
        fixed[0xE004] = Bits(fixed=-(-core.interrupts // 32) - 1)
    if mpu_regions:
        fixed[_MPU_TYPE] = Bits(fixed=mpu_regions << _MPU_REGIONS)
    there = {offset: bits for offset, bits in found.items() if bits is not None} | fixed
    if mpu_regions == 0:
        there |= {offset: _NOTHING for offset in there if _MPU_TYPE <= offset < _MPU_END}
    return there


def interrupt_word(core: Core, first: int) -> int:
    """The bits that are there of a word with one bit for each external interrupt from `first` on."""
    return (1 << max(0, min(32, core.interrupts - first))) - 1


def system_priorities(core: Core) -> dict[int, int]:
    """The bits that the priorities of system exceptions have, by their numbers; others have none (SHPR1 to SHPR3)."""
    mask, v8 = core.architecture.priority_mask, core.architecture.v8
    numbers = (11, 14, 15) if core.architecture.baseline else (4, 5, 6, 11, 12, 14, 15, *((7,) if v8 else ()))
    return dict.fromkeys(numbers, mask)
