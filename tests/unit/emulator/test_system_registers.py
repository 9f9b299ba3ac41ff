"""Registers of the core keep the bits that silicon has, and no others: values from Arm's manuals, for each architecture."""

from __future__ import annotations

import pytest

from mcu_harness.emulator.unicorn.nvic import Nvic
from mcu_harness.emulator.unicorn.scs import SystemControlSpace
from mcu_harness.emulator.unicorn.systick import SysTick
from mcu_harness.hardware.arm.system_registers import ROWS
from mcu_harness.hardware.board_file import board_names, find_board
from mcu_harness.hardware.core import CORES

FPUS = {"cortex-m4": "fpv4-sp-d16", "cortex-m7": "fpv5-d16", "cortex-m33": "fpv5-sp-d16"}
ONES = 0xFFFF_FFFF
NAMES = ("cortex-m0", "cortex-m0+", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m23", "cortex-m33")
# By register, what it reads after reset and after ones were written, on the cores in the order of NAMES; "-" as before.
TABLE: dict[str, tuple[int, tuple[int, ...], tuple[int, ...]]] = {
    "DWT_CTRL": (0x1000, (0, 0, *3 * (1 << 30,), 0, 1 << 30), (0, 0, *3 * (0x407F1FFF,), 0, 0x407F1FFF)),
    "ICTR": (0xE004, (0, 0, 7, 7, 7, 7, 14), (0, 0, 7, 7, 7, 7, 14)),
    "ACTLR": (0xE008, (0,) * 7, (0, 0, 0x7, 0x307, 0x1FFFFC04, 0, 0x20001605)),
    "SYST_RVR": (0xE014, (0,) * 7, (0xFFFFFF,) * 7),
    "SYST_CALIB": (0xE01C, (0,) * 7, (0,) * 7),
    "NVIC_ISER0": (0xE100, (0,) * 7, (ONES,) * 7),
    "NVIC_ISER1": (0xE104, (0,) * 7, (0, 0, *5 * (ONES,))),
    "NVIC_ISER7": (0xE11C, (0,) * 7, (0, 0, *4 * (0xFFFF,), ONES)),
    "NVIC_ISER15": (0xE13C, (0,) * 7, (0,) * 7),
    "NVIC_IPR0": (0xE400, (0,) * 7, (0xC0C0C0C0, 0xC0C0C0C0, *3 * (0xF0F0F0F0,), 0xC0C0C0C0, 0xF0F0F0F0)),
    "NVIC_IPR8": (0xE420, (0,) * 7, (0, 0, *3 * (0xF0F0F0F0,), 0xC0C0C0C0, 0xF0F0F0F0)),
    "CPUID": (0xED00, tuple(CORES[name].cpuid for name in NAMES), tuple(CORES[name].cpuid for name in NAMES)),
    "VTOR": (0xED08, (0,) * 7, (0, 0xFFFFFF00, 0x3FFFFF80, *4 * (0xFFFFFF80,))),
    "AIRCR": (0xED0C, (0xFA050000,) * 7, (0xFA050000,) * 7),  # the key was wrong
    "SCR": (0xED10, (0,) * 7, (0x16, 0x16, 0x16, 0x16, 0x16, 0x1E, 0x1E)),
    "CCR": (0xED14, (0x208, 0x208, 0x200, 0x200, 0x40200, 0x209, 0x201), (0x208, 0x208, 0x31B, 0x31B, 0x7031B, 0x209, 0x71B)),
    "SHPR1": (0xED18, (0,) * 7, (0, 0, *3 * (0xF0F0F0,), 0, 0xF0F0F0F0)),
    "SHPR2": (0xED1C, (0,) * 7, (0xC0000000, 0xC0000000, *3 * (0xF0000000,), 0xC0000000, 0xF0000000)),
    "SHPR3": (0xED20, (0,) * 7, (0xC0C00000, 0xC0C00000, *3 * (0xF0F000F0,), 0xC0C00000, 0xF0F000F0)),
    "SHCSR": (0xED24, (0,) * 7, (0x8000, 0x8000, 0x7FD8B, 0x7FD8B, 0x7FD8B, 0x208CA4, 0x27FDAF)),
    "CFSR": (0xED28, (0,) * 7, (0,) * 7),
    "HFSR": (0xED2C, (0,) * 7, (0,) * 7),
    "DFSR": (0xED30, (0,) * 7, (0,) * 7),
    "MMFAR": (0xED34, (0,) * 7, (0, 0, ONES, ONES, ONES, 0, ONES)),
    "BFAR": (0xED38, (0,) * 7, (0, 0, ONES, ONES, ONES, 0, ONES)),
    "AFSR": (0xED3C, (0,) * 7, (0,) * 7),
    "CSSELR": (0xED84, (0,) * 7, (0, 0, 0, 0, 0xF, 0, 0)),
    "CPACR": (0xED88, (0,) * 7, (0, 0, 0, 0xF00000, 0xF00000, 0, 0xF00000)),
    "MPU_TYPE": (0xED90, (0,) * 7, (0,) * 7),
    "MPU_CTRL": (0xED94, (0,) * 7, (0, *6 * (7,))),
    "MPU_RNR": (0xED98, (0,) * 7, (0, *6 * (0xFF,))),
    "MPU_RBAR": (0xED9C, (0,) * 7, (0, 0xFFFFFF0F, *3 * (0xFFFFFFEF,), ONES, ONES)),
    "MPU_RASR": (0xEDA0, (0,) * 7, (0, 0x1707FF3F, *3 * (0x173FFF3F,), 0xFFFFFFEF, 0xFFFFFFEF)),
    "MPU_MAIR0": (0xEDC0, (0,) * 7, (0, 0, 0, 0, 0, ONES, ONES)),
    "MPU_MAIR1": (0xEDC4, (0,) * 7, (0, 0, 0, 0, 0, ONES, ONES)),
    "DEMCR": (0xEDFC, (0,) * 7, (0x1000401, 0x1000401, *3 * (0x10F07F1,), 0x1000401, 0x10F0FF1)),
    "FPCCR": (0xEF34, (0, 0, 0, 3 << 30, 3 << 30, 0, 3 << 30), (0, 0, 0, 0xC000017B, 0xC000017B, 0, 0xD000077B)),
    "FPCAR": (0xEF38, (0,) * 7, (0, 0, 0, 0xFFFFFFF8, 0xFFFFFFF8, 0, 0xFFFFFFF8)),
    "FPDSCR": (0xEF3C, (0,) * 7, (0, 0, 0, 0x7C00000, 0x7C00000, 0, 0x7C00000)),
    "MVFR0": (0xEF40, (0, 0, 0, 0x10110021, 0x10110221, 0, 0x10110021), (0, 0, 0, 0x10110021, 0x10110221, 0, 0x10110021)),
    "reserved": (0xEDF8 + 0x100, (0,) * 7, (0,) * 7),
}  # fmt: skip


def space(name: str, fpu: str | None = None, vectors: int = 0, mpu_regions: int | None = None) -> SystemControlSpace:
    nvic = Nvic(CORES[name], lambda: (0, 0, 0))
    arguments = (lambda: 0, lambda: None, nvic, SysTick(lambda: 0), lambda: None)
    return SystemControlSpace(CORES[name], fpu or FPUS.get(name, "none"), vectors, *arguments, mpu_regions)


@pytest.mark.parametrize("register", TABLE)
@pytest.mark.parametrize("name", NAMES)
def test_register_keeps_what_silicon_has(name: str, register: str) -> None:
    offset, reset, written = TABLE[register]
    system = space(name)
    nth = NAMES.index(name)
    assert system.read(offset, 4) == reset[nth]
    system.write(offset, 4, ONES)
    assert system.read(offset, 4) == written[nth]
    system.write(offset, 4, 0)
    fixed = reset[nth] & system.read(offset, 4)
    assert system.read(offset, 4) in (fixed, written[nth])  # enables are set, and cleared elsewhere


def test_every_row_is_in_the_table() -> None:
    assert {row.name for row in ROWS} <= {*TABLE, "DWT_CYCCNT"}
    assert set(NAMES) == set(CORES)


@pytest.mark.parametrize("name", ["cortex-m4", "cortex-m7", "cortex-m33"])
def test_registers_of_an_fpu_that_is_not_there_read_as_0(name: str) -> None:
    system = space(name, "none")
    for register in ("CPACR", "FPCCR", "FPCAR", "FPDSCR", "MVFR0"):
        system.write(TABLE[register][0], 4, ONES)
        assert system.read(TABLE[register][0], 4) == 0
    assert not system.fpu_enabled
    assert not system.saves_floats


@pytest.mark.parametrize(
    ("name", "regions"), [("cortex-m0+", 8), ("cortex-m4", 8), ("cortex-m7", 16), ("cortex-m33", 8)]
)
def test_mpu_type_says_how_many_regions_the_part_has(name: str, regions: int) -> None:
    system = space(name, mpu_regions=regions)
    system.write(0xED90, 4, ONES)
    system.write(0xED94, 4, ONES)
    assert (system.read(0xED90, 4), system.read(0xED94, 4)) == (regions << 8, 7)


@pytest.mark.parametrize("name", ["cortex-m0+", "cortex-m3", "cortex-m4", "cortex-m33"])
def test_registers_of_an_mpu_that_is_not_there_read_as_0(name: str) -> None:
    system = space(name, mpu_regions=0)
    for register in ("MPU_TYPE", "MPU_CTRL", "MPU_RNR", "MPU_RBAR", "MPU_RASR", "MPU_MAIR0", "MPU_MAIR1"):
        system.write(TABLE[register][0], 4, ONES)
        assert system.read(TABLE[register][0], 4) == 0


def test_boards_say_how_many_regions_there_are() -> None:
    said = {name: find_board(name).mpu_regions for name in board_names()}
    assert (said["nucleo_h753zi"], said["stm32f4_discovery"], said["nucleo_f103rb"]) == (16, 8, 0)
    assert sum(regions is not None for regions in said.values()) > 20


def test_a_core_without_vtor_keeps_its_vectors() -> None:
    system = space("cortex-m0", vectors=0x0800_0000)
    system.write(0xED08, 4, 0x2000_0000)
    assert system.vectors == 0x0800_0000
    moved = space("cortex-m0+", vectors=0x0800_0000)
    moved.write(0xED08, 4, 0x2000_0123)
    assert moved.vectors == 0x2000_0100


def test_the_cycle_counter_is_there_where_the_architecture_has_one() -> None:
    for name, there in (("cortex-m0", False), ("cortex-m23", False), ("cortex-m3", True), ("cortex-m33", True)):
        system = space(name)
        system.write(0x1004, 4, 123)
        assert system.read(0x1004, 4) == (123 if there else 0)


def test_bytes_of_a_register_are_kept_like_the_whole() -> None:
    system = space("cortex-m4")
    system.write(0xED14, 1, 0xFF)
    assert system.read(0xED14, 4) == 0x21B
    system.write(0xED15, 1, 0)
    assert system.read(0xED14, 4) == 0x01B


def test_interrupts_that_the_core_lacks_never_become_pending() -> None:
    nvic = Nvic(CORES["cortex-m0"], lambda: (0, 0, 0))
    nvic.write(0xE204, ONES, ONES)
    nvic.write(0xEF00, 3, ONES)  # STIR, which Armv6-M has not
    assert nvic.read(0xE204) == nvic.read(0xE200) == 0
    larger = Nvic(CORES["cortex-m4"], lambda: (0, 0, 0))
    larger.write(0xEF00, 3, ONES)
    larger.write(0xEF00, 400, ONES)
    assert larger.read(0xE200) == 8
    assert larger.read(0xE200 + 400 // 32 * 4) == 0
