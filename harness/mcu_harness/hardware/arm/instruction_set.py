"""Which part of the instruction set an instruction belongs to, and which parts each core has.

By encoding, not by a disassembler's opinion. Encodings: Armv6-M Architecture Reference Manual (DDI 0419), chapter A5;
Armv7-M (DDI 0403), chapters A5 and A6, where the DSP extension is marked "v7E-M"; Armv8-M (DDI 0553), chapter C2, for
what the baseline has beyond Armv6-M and for M-profile vectors (Helium). The test suite compares this with what the
GNU assembler accepts for each core.
"""

from __future__ import annotations

from enum import StrEnum

from mcu_harness.hardware.board import Board


class Part(StrEnum):
    """A part of the instruction set, in words that fit "needs ..."."""

    BASE = "Armv6-M"
    BASELINE = "Armv8-M baseline or Armv7-M (division, CBZ, MOVW and the like)"
    MAINLINE = "Armv7-M (Thumb-2)"
    DSP = "the DSP extension"
    V8 = "Armv8-M"
    V8_1 = "Armv8.1-M"
    HELIUM = "Helium (M-profile vectors)"
    FLOAT = "an FPU"
    FLOAT_5 = "an FPU of version 5 (FPv5)"
    DOUBLE = "an FPU with double precision"
    HALF = "an FPU with half precision"
    COPROCESSOR = "a coprocessor"
    UNDEFINED = "no core: undefined on purpose (UDF), or leaves Thumb state"


FLOATING = frozenset({Part.FLOAT, Part.FLOAT_5, Part.DOUBLE, Part.HALF})

_ARMV8_BASELINE = {Part.BASE, Part.BASELINE, Part.V8}
_ARMV7 = {Part.BASE, Part.BASELINE, Part.MAINLINE}
_OF_ARCHITECTURE: dict[str, set[Part]] = {
    "armv6-m": {Part.BASE},
    "armv7-m": _ARMV7,
    "armv7e-m": _ARMV7 | {Part.DSP},
    "armv8-m.base": _ARMV8_BASELINE,
    "armv8-m.main": _ARMV7 | {Part.V8},
    "armv8.1-m.main": _ARMV7 | {Part.V8, Part.V8_1},
}
# FPv4 is single precision only; FPv5 may be either (DDI 0403, A2.5).
_OF_FPU: dict[str, set[Part]] = {
    "none": set(),
    "fpv4-sp-d16": {Part.FLOAT},
    "fpv5-sp-d16": {Part.FLOAT, Part.FLOAT_5},
    "fpv5-d16": {Part.FLOAT, Part.FLOAT_5, Part.DOUBLE},
}


def parts_of(board: Board) -> frozenset[Part]:
    """The parts of the instruction set that `board` executes."""
    dsp = {Part.DSP} if board.dsp else set()
    return frozenset(_OF_ARCHITECTURE[board.core.architecture.name] | _OF_FPU[board.fpu] | dsp)


def part_of(code: bytes) -> Part:
    """The part that the instruction at the start of `code` belongs to.

    Encodings that no part has an instruction for are taken for those of their neighbours: emulators refuse them.
    """
    first = int.from_bytes(code[:2], "little")
    if first >> 11 not in (0b11101, 0b11110, 0b11111):
        return _narrow(first)
    return _wide(first, int.from_bytes(code[2:4], "little"))


_Rows = tuple[tuple[int, int, Part], ...]  # mask, value, part: the first that matches counts

_NARROW: _Rows = (
    (0xF500, 0xB100, Part.BASELINE),  # CBZ, CBNZ
    (0xFF0F, 0xBF00, Part.BASE),  # hints
    (0xFF00, 0xBF00, Part.MAINLINE),  # IT
    (0xFF07, 0x4704, Part.V8),  # BXNS
    (0xFF87, 0x4784, Part.V8),  # BLXNS
    (0xFF00, 0xDE00, Part.UNDEFINED),  # UDF
    (0xFFEF, 0xB662, Part.BASE),  # CPSIE i, CPSID i
    (0xFFE8, 0xB660, Part.MAINLINE),  # CPS with FAULTMASK
    (0xFFE0, 0xB640, Part.UNDEFINED),  # SETEND
)
# Wide ones: mask and value of both halfwords, the first on the left.
_WIDE: _Rows = (
    # Branches and miscellaneous control (A5.3.4).
    (0xF800D000, 0xF000D000, Part.BASE),  # BL
    (0xF800D001, 0xF000C001, Part.V8_1),  # DLS, WLS, LE, LCTP and their like
    (0xF800D001, 0xF000C000, Part.UNDEFINED),  # BLX to Arm code
    (0xFFFFFFC0, 0xF3BF8F40, Part.BASE),  # DSB, DMB
    (0xFFFFFFF0, 0xF3BF8F60, Part.BASE),  # ISB
    (0xFFFFFFF0, 0xF3BF8F20, Part.BASELINE),  # CLREX
    (0xFFE0F300, 0xF3808000, Part.BASE),  # MSR; one with a mask names parts of the APSR
    (0xFFFFF000, 0xF3EF8000, Part.BASE),  # MRS
    (0xFFF0F000, 0xF7F0A000, Part.UNDEFINED),  # UDF
    (0xF800D000, 0xF0009000, Part.BASELINE),  # B, without a condition
    (0xF8008000, 0xF0008000, Part.MAINLINE),  # the rest of them
    # Constants and division of the baseline.
    (0xFBF08000, 0xF2400000, Part.BASELINE),  # MOVW
    (0xFBF08000, 0xF2C00000, Part.BASELINE),  # MOVT
    (0xFFD0F0F0, 0xFB90F0F0, Part.BASELINE),  # SDIV, UDIV
    # Exclusive and ordered accesses, table branches (A5.3.6; Armv8-M C2.3).
    (0xFFFFFFFF, 0xE97FE97F, Part.V8),  # SG
    (0xFFF0F03F, 0xE840F000, Part.V8),  # TT, TTT, TTA, TTAT
    (0xFFE00000, 0xE8400000, Part.BASELINE),  # STREX, LDREX
    (0xFFF0FFE0, 0xE8D0F000, Part.MAINLINE),  # TBB, TBH
    (0xFFE000E0, 0xE8C00040, Part.BASELINE),  # LDREXB, LDREXH, STREXB, STREXH
    (0xFFE00080, 0xE8C00080, Part.V8),  # LDA, STL, LDAEX, STLEX
    (0xFFFF0000, 0xE89F0000, Part.V8_1),  # CLRM
    # Data processing (A5.3.11 on): what only the DSP extension has.
    (0xFFF08000, 0xEA508000, Part.V8_1),  # CSEL, CSINC, CSINV, CSNEG
    (0xFFF0000D, 0xEA50000D, Part.V8_1),  # shifts of 64 bits
    (0xFFF00000, 0xEAC00000, Part.DSP),  # PKHBT, PKHTB
    (0xFFF0F0F0, 0xF3200000, Part.DSP),  # SSAT16
    (0xFFF0F0F0, 0xF3A00000, Part.DSP),  # USAT16
    (0xFF80F0F0, 0xFA00F000, Part.MAINLINE),  # LSL, LSR, ASR, ROR
    (0xFFEFF080, 0xFA2FF080, Part.DSP),  # SXTB16, UXTB16
    (0xFF8FF080, 0xFA0FF080, Part.MAINLINE),  # SXTH, UXTH, SXTB, UXTB
    (0xFF80F080, 0xFA00F080, Part.DSP),  # the same with an addition
    (0xFF80F080, 0xFA80F000, Part.DSP),  # parallel addition and subtraction
    (0xFFF0F0C0, 0xFA90F080, Part.MAINLINE),  # REV, REV16, RBIT, REVSH
    (0xFFF0F0F0, 0xFAB0F080, Part.MAINLINE),  # CLZ
    (0xFF80F080, 0xFA80F080, Part.DSP),  # QADD and its like, SEL
    (0xFFF000E0, 0xFB000000, Part.MAINLINE),  # MUL, MLA, MLS
    (0xFF800000, 0xFB000000, Part.DSP),  # other products of 32 bits
    (0xFFD000F0, 0xFB800000, Part.MAINLINE),  # SMULL, UMULL
    (0xFFD000F0, 0xFBC00000, Part.MAINLINE),  # SMLAL, UMLAL; UMLAL's neighbours are below
    (0xFFF000F0, 0xFBE00000, Part.MAINLINE),
    (0xFFC00000, 0xFBC00000, Part.DSP),  # SMLALxy, SMLALD, SMLSLD, UMAAL
    # Coprocessors: 10 and 11 are the FPU (A6.4), 14 and 15 belong to Helium, as does what is Advanced SIMD elsewhere.
    (0xEF000000, 0xEF000000, Part.HELIUM),
    (0xEC000E00, 0xEC000E00, Part.HELIUM),
    (0xFE000E00, 0xFC000A00, Part.HELIUM),
    (0xEC000F00, 0xEC000900, Part.HALF),
    (0xFFB00F90, 0xEEA00B10, Part.HELIUM),  # VDUP
    (0xFFEFFFFF, 0xEC2F0A00, Part.V8),
    (0xFFCF0FFF, 0xEC000A00, Part.V8),  # VLSTM, VLLDM
    (0xFFBF0E50, 0xFEB00A40, Part.V8_1),  # VMOVX, VINS
    (0xFF000F00, 0xFE000B00, Part.DOUBLE),  # VSEL, VMAXNM, VCVTA, VRINTA and their like
    (0xFF000F00, 0xFE000A00, Part.FLOAT_5),
    (0xFFBF0ED0, 0xEEB70AC0, Part.DOUBLE),  # VCVT between single and double
    (0xFFBE0F50, 0xEEB20B40, Part.DOUBLE),  # VCVTB, VCVTT between half and double
    (0xFF000F10, 0xEE000B00, Part.DOUBLE),  # arithmetic on doubles
    (0xFFBF0F50, 0xEEB60A40, Part.FLOAT_5),  # VRINTR, VRINTZ
    (0xFFBF0FD0, 0xEEB70A40, Part.FLOAT_5),  # VRINTX
    (0xEC000E00, 0xEC000A00, Part.FLOAT),
    (0xEC000000, 0xEC000000, Part.COPROCESSOR),
)


def _narrow(first: int) -> Part:
    return next((part for mask, value, part in _NARROW if first & mask == value), Part.BASE)


def _wide(first: int, second: int) -> Part:
    whole = first << 16 | second
    return next((part for mask, value, part in _WIDE if whole & mask == value), Part.MAINLINE)
