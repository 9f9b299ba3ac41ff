"""Firmware as users have it: built by arm-none-eabi-gcc with newlib, by a start-up file and linker script of its own.

Nothing of the project's runtime is in it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

START = """
#include <stdint.h>
extern uint32_t _sdata[], _edata[], _sidata[], _sbss[], _ebss[], _estack[];
int main(void);
void __libc_init_array(void);
void HardFault_Handler(void) { for (;;) { } }
void Default_Handler(void) { for (;;) { } }
void Reset_Handler(void) {
    for (uint32_t *to = _sdata, *from = _sidata; to < _edata;) *to++ = *from++;
    for (uint32_t *to = _sbss; to < _ebss;) *to++ = 0;
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
#endif
    __libc_init_array();
    main();
    for (;;) { }
}
__attribute__((section(".isr_vector"), used)) void *const vectors[16] = {
    _estack, (void *)Reset_Handler, (void *)Default_Handler, (void *)HardFault_Handler,
};
void *__dso_handle;
void _init(void) { }
void _fini(void) { }
"""

SCRIPT = """
ENTRY(Reset_Handler)
MEMORY {
    FLASH (rx) : ORIGIN = FLASH_ORIGIN, LENGTH = FLASH_SIZE
    RAM (rwx) : ORIGIN = 0x20000000, LENGTH = RAM_SIZE
}
_estack = ORIGIN(RAM) + LENGTH(RAM);
SECTIONS {
    .isr_vector : { KEEP(*(.isr_vector)) } > FLASH
    .text : { *(.text*) *(.rodata*) KEEP(*(.init)) KEEP(*(.fini)) . = ALIGN(4); } > FLASH
    .ARM.extab : { *(.ARM.extab*) } > FLASH
    .ARM.exidx : { __exidx_start = .; *(.ARM.exidx*) __exidx_end = .; } > FLASH
    .init_array : {
        __preinit_array_start = .; KEEP(*(.preinit_array*)) __preinit_array_end = .;
        __init_array_start = .; KEEP(*(SORT(.init_array.*))) KEEP(*(.init_array*)) __init_array_end = .;
        __fini_array_start = .; KEEP(*(.fini_array*)) __fini_array_end = .;
    } > FLASH
    MORE_SECTIONS
    _sidata = LOADADDR(.data);
    .data : { _sdata = .; *(.data*) . = ALIGN(4); _edata = .; } > RAM AT > FLASH
    .bss : { _sbss = .; *(.bss*) *(COMMON) . = ALIGN(4); _ebss = .; } > RAM
    end = .; _end = .;
}
"""


def build(
    folder: Path,
    code: str,
    *,
    cpu: str = "cortex-m4",
    flags: Sequence[str] = (),
    libraries: Sequence[str] = (),
    specs: str = "nosys",
    flash: int = 0x0800_0000,
    flash_size: int = 256 << 10,
    ram_size: int = 64 << 10,
    language: str = "c",
    start: str = START,
    sections: str = "",
    name: str = "firmware",
) -> Path:
    """Compile `code` (C or "c++") with newlib; returns the ELF. `sections` are more of them for the linker script. Skips the test without arm-none-eabi-gcc or newlib."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("no arm-none-eabi-gcc")
    source = folder / f"{name}.{'cpp' if language == 'c++' else 'c'}"
    source.write_text(code)
    (folder / "start.c").write_text(start)
    sizes = {
        "FLASH_ORIGIN": f"{flash:#x}",
        "FLASH_SIZE": str(flash_size),
        "RAM_SIZE": str(ram_size),
        "MORE_SECTIONS": sections,
    }
    script = SCRIPT
    for key, value in sizes.items():
        script = script.replace(key, value)
    (folder / "link.ld").write_text(script)
    elf = folder / f"{name}.elf"
    common = [f"-mcpu={cpu}", "-mthumb", "-O1", "-g", "-ffunction-sections", "-fdata-sections", *flags]
    run([compiler, *common, "-c", "start.c", "-o", "start.o"], folder)
    compile_it = [compiler, *common, "-fno-exceptions", "-c", source.name, "-o", f"{name}.o"]
    run(compile_it, folder)
    link = [compiler, *common, f"--specs={specs}.specs", "-nostartfiles", "-T", "link.ld", "-Wl,--gc-sections"]
    run([*link, "start.o", f"{name}.o", *libraries, "-o", elf.name], folder)
    return elf


def run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and ("cannot find" in done.stderr or "No such file" in done.stderr):
        pytest.skip(f"no newlib for this compiler: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr


def tool(name: str, folder: Path, *arguments: str) -> None:
    """Run one of the GNU binary utilities."""
    run([f"arm-none-eabi-{name}", *arguments], folder)
