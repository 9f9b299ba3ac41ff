"""What a board's memories allow: factory words, memories beside the chip, code at the very start of one, flash that is programmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_runs import calls, codes, run
from user_firmware import build

pytestmark = pytest.mark.gnu

WORK = "__attribute__((noinline)) int work(int n) { int s = 0; for (int i = 1; i <= n; i++) s += i * i; return s; }"


@pytest.mark.parametrize(
    ("board", "flash", "word"),
    [("nrf52840dk", 0, 0x10000100), ("nrf52840dk", 0, 0x10001014), ("stm32f4_discovery", 0x08000000, 0x1FFF7A10)],
)
def test_factory_words_can_be_read_and_not_written(board: str, flash: int, word: int, tmp_path: Path) -> None:
    read = f"volatile int part; {WORK} int main(void) {{ part = *(volatile int *){word:#x}; return work(3) == 14 ? 0 : 1; }}"
    result = run(build(tmp_path, read, flash=flash), board, begin="work")
    assert (result.verdict, codes(result)) == ("pass", [])
    assert {region.name for region in result.regions} >= {"flash", "sram"}
    assert not {"system", "options", "ficr", "uicr"} & {region.name for region in result.regions}
    write = f"int main(void) {{ *(volatile int *){word:#x} = 1; return 0; }}"
    assert codes(run(build(tmp_path, write, flash=flash), board)) == ["fault.flash-write"]


def test_external_memory_is_there_and_named_where_it_is_used(tmp_path: Path) -> None:
    code = """
__attribute__((section(".sdram"))) int table[1000];
#define FMC(at) (*(volatile int *)(0xA0000000 + (at)))
int main(void) {
    FMC(0x140) = 0x11; FMC(0x150) = 1; *(volatile int *)0xA0001000 = 1;  /* SDRAM controller, QUADSPI */
    for (int i = 0; i < 1000; i++) table[i] = i;
    return table[999] == 999 ? 0 : 1;
}
"""
    sections = ".sdram 0xC0000000 (NOLOAD) : { *(.sdram) }"
    flags = ["-mcpu=cortex-m7"]
    result = run(build(tmp_path, code, sections=sections, cpu="cortex-m7", flags=flags), "stm32f746g_disco")
    assert (result.verdict, codes(result)) == ("pass", [])
    assert {region.name: region.used_bytes for region in result.regions}["sdram"] == 4000
    assert "waits of external memory are not in it" in result.measurements["cycles"].origin


IN_TCM = """
extern int _code_start[], _code_end[], _code_from[];
__attribute__((section(".tcm"), noinline, long_call)) int work(int n) { int s = 0; for (int i = 1; i <= n; i++) s += i * i; return s; }
int main(void) {
    for (volatile int *to = (volatile int *)0x00000000, *from = _code_from; from < _code_from + (_code_end - _code_start);) *to++ = *from++;
    __asm__ volatile("dsb\\n isb");
    return work(3) + work(4) == 44 ? 0 : 1;
}
"""
TCM = ".tcm 0 : { _code_start = .; *(.tcm) . = ALIGN(4); _code_end = .; } AT > FLASH _code_from = LOADADDR(.tcm);"


def test_a_function_at_address_0_can_be_measured_and_stopped_at(tmp_path: Path) -> None:
    elf = build(tmp_path, IN_TCM, sections=TCM, cpu="cortex-m7")
    measured = run(elf, "stm32f746g_disco", begin="work")
    assert (measured.verdict, codes(measured)) == ("pass", [])
    assert calls(measured) == {"work": 1}
    stopped = run(elf, "stm32f746g_disco", stop="work")
    assert stopped.verdict == "pass" and calls(stopped)["main"] == 1 and "work" not in calls(stopped)


@pytest.mark.parametrize("begin", ["", "work"])
def test_code_in_a_memory_that_the_core_cannot_fetch_from_is_a_bus_error(begin: str, tmp_path: Path) -> None:
    code = IN_TCM.replace("0x00000000", "0x10000000")
    result = run(build(tmp_path, code, sections=TCM.replace(".tcm 0 ", ".tcm 0x10000000 ")), begin=begin)
    assert codes(result) == ["fault.jump"]
    assert "the core cannot fetch instructions from ccm" in result.findings[0].message
    assert "IBUSERR" in " ".join(result.findings[0].details)


# Programming flash.

PROGRAM = """
#define R(a) (*(volatile unsigned *)(a))
#define FLASH 0x40023C00
int main(void) {
    R(FLASH + 4) = 0x45670123; R(FLASH + 4) = 0xCDEF89AB;
    while (R(FLASH + 0x0C) & 1 << 16) { }
    ENABLE
    for (unsigned i = 0; i < 4; i++) R(0x08008000 + 4 * i) = 0x11110000 + i;
    *(volatile unsigned char *)0x08008010 = 0x5A;
    unsigned odd = R(0x08008000) & 1;
    __asm__ volatile("cmp %0, #0\\n ite eq\\n streq %1, [%2]\\n strne %2, [%2]" : : "r"(odd), "r"(0x77), "r"(0x08008014) : "cc", "memory");
    R(FLASH + 0x10) = 0x80000000;
    return R(0x08008000) == 0x11110000 && R(0x0800800C) == 0x11110003 && R(0x08008010) == 0x5A && R(0x08008014) == 0x77 ? 0 : 1;
}
"""


def test_flash_is_written_while_its_controller_says_so(tmp_path: Path) -> None:
    result = run(build(tmp_path, PROGRAM.replace("ENABLE", "R(FLASH + 0x10) = 2 << 8 | 1;")))
    assert (result.verdict, codes(result)) == ("pass", [])


def test_without_the_controller_a_write_to_flash_is_a_fault(tmp_path: Path) -> None:
    assert codes(run(build(tmp_path, PROGRAM.replace("ENABLE", "")))) == ["fault.flash-write"]


def test_flash_that_was_not_unlocked_cannot_be_written(tmp_path: Path) -> None:
    code = PROGRAM.replace("R(FLASH + 4) = 0x45670123;", "").replace("ENABLE", "R(FLASH + 0x10) = 2 << 8 | 1;")
    assert codes(run(build(tmp_path, code))) == ["fault.flash-write"]
