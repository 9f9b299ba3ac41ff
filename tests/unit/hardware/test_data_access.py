"""The decoder of memory accesses against Unicorn's own memory hooks, instruction by instruction, outside of IT blocks."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import unicorn
from unicorn import arm_const

from mcu_harness.hardware.arm.data_access import PC, Access, accesses
from mcu_harness.hardware.arm.thumb import instruction_size

CODE, DATA, CODE_SIZE = 0x0800_0000, 0x2000_0000, 0x1000
REGISTERS = [getattr(arm_const, f"UC_ARM_REG_R{nth}") for nth in range(13)]
REGISTERS += [arm_const.UC_ARM_REG_SP, arm_const.UC_ARM_REG_LR]
# Bases are r1, r8 and sp, indexes r2 and r9; what is loaded is zero, which is an offset for TBB and TBH to the next but one.
VALUES = {1: DATA + 0x400, 2: 0x10, 8: DATA + 0x800, 9: 0x24, 13: DATA + 0xC00}

FORMS = """
ldr r0, [r1] | ldr r0, [r1, #124] | ldr.w r0, [r1, #4092] | ldr r0, [r1, #-255] | ldr r0, [sp, #16] | ldr r3, [r8, #-4]
ldr r0, [r1], #4 | ldr r0, [r1], #-8 | ldr r0, [r1, #12]! | ldr r0, [r1, #-12]! | ldr r0, [r1, r2] | ldr.w r0, [r8, r9]
ldr.w r0, [r1, r2, lsl #1] | ldr.w r0, [r1, r2, lsl #2] | ldr.w r0, [r1, r2, lsl #3] | ldrt r0, [r1, #4]
ldrb r0, [r1, #3] | ldrb.w r0, [r1, #4095] | ldrb r0, [r1], #1 | ldrb r0, [r1, #-1]! | ldrb r0, [r1, r2] | ldrb.w r0, [r1, r2, lsl #2]
ldrsb.w r0, [r1, #7] | ldrsb r0, [r1, r2] | ldrsb r0, [r1], #1 | ldrsb r0, [r1, #-9]! | ldrbt r0, [r1, #5] | ldrsbt r0, [r1, #5]
ldrh r0, [r1, #2] | ldrh.w r0, [r1, #1002] | ldrh r0, [r1], #2 | ldrh r0, [r1, #-2]! | ldrh r0, [r1, r2] | ldrh.w r0, [r1, r9, lsl #1]
ldrsh.w r0, [r1, #6] | ldrsh r0, [r1, r2] | ldrsh r0, [r1], #2 | ldrht r0, [r1, #2] | ldrsht r0, [r1, #2]
str r0, [r1] | str r0, [r1, #124] | str.w r0, [r1, #2000] | str r0, [r1, #-255] | str r0, [sp, #16] | str r0, [r1], #4
str r0, [r1, #-4]! | str r0, [r1, r2] | str.w r0, [r1, r2, lsl #2] | strt r0, [r1, #4]
strb r0, [r1, #3] | strb.w r0, [r1, #999] | strb r0, [r1], #1 | strb r0, [r1, #-1]! | strb r0, [r1, r2] | strbt r0, [r1, #5]
strh r0, [r1, #2] | strh.w r0, [r1, #998] | strh r0, [r1], #2 | strh r0, [r1, #-2]! | strh r0, [r1, r2] | strht r0, [r1, #2]
ldr r0, [pc, #8] | ldr.w r0, [pc, #40] | ldr.w r0, [pc, #-0] | ldrb.w r0, [pc, #9] | ldrh.w r0, [pc, #10] | ldrd r0, r3, [pc, #16]
ldrd r0, r3, [r1] | ldrd r0, r3, [r1, #1020] | ldrd r0, r3, [r1, #-8] | ldrd r0, r3, [r1], #8 | ldrd r0, r3, [r1, #-16]!
strd r0, r3, [r1] | strd r0, r3, [sp, #8] | strd r0, r3, [r1, #-8] | strd r0, r3, [r1], #8 | strd r0, r3, [r1, #-16]!
ldm r1, {r0, r3} | ldm r1!, {r0, r3, r4} | ldm r1, {r1, r3} | ldm.w r8!, {r0, r3, r10} | ldmdb r1, {r0, r3} | ldmdb r8!, {r0, r3, r4}
stm r1!, {r0, r3} | stm.w r8, {r0, r3, r10} | stm.w r8!, {r0, r3, r4, r5} | stmdb r8, {r0, r3} | stmdb r8!, {r0, r3, r4}
push {r0} | push {r0, r4, lr} | push.w {r4, r8, r9, lr} | str r0, [sp, #-4]! | pop {r0} | pop {r0, r4} | pop.w {r4, r10, lr}
ldr r0, [sp], #4 | vldr s0, [r1] | vldr s1, [r1, #1020] | vldr d1, [r1, #-8] | vldr s0, [pc, #8] | vstr s0, [r1, #4] | vstr d0, [sp, #8]
vldm r1, {s0-s3} | vldm r1!, {s1-s2} | vldm r8!, {d0-d3} | vldmdb r1!, {s0-s3} | vstm r1, {s0-s4} | vstm r8!, {d0-d1} | vstmdb r8!, {d0-d1}
vpush {s0} | vpush {d8-d15} | vpop {s0-s1} | vpop {d8-d9}
tbb [r1, r2] | tbh [r1, r2, lsl #1] | tbb [pc, r0] | tbh [pc, r0, lsl #1]
ldrex r0, [r1] | ldrex r0, [r1, #1020] | ldrexb r0, [r1] | ldrexh r0, [r1]
"""
# Stores that need their load first.
EXCLUSIVES = ("ldrex r0, [r1]; strex r3, r0, [r1]", "ldrexb r0, [r1]; strexb r3, r0, [r1]")
NOTHING = ("pld [r1]", "nop", "adds r0, r1, r2", "vmov s0, r0", "adr r0, .+8", "bx lr", "mov sp, r8")

Bytes = list[tuple[int, bool]]


def assemble(forms: Iterable[str], folder: Path) -> list[bytes]:
    """The machine code of each form; skips without arm-none-eabi-gcc."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        pytest.skip("no arm-none-eabi-gcc")
    lines = [".syntax unified", ".cpu cortex-m4", ".fpu fpv4-sp-d16", ".thumb"]
    for number, form in enumerate(forms):
        lines += [f'.section .form{number},"ax"', ".thumb", form.replace("; ", "\n")]
    (folder / "forms.s").write_text("\n".join(lines) + "\n")
    subprocess.run([compiler, "-c", "forms.s", "-o", "forms.o"], cwd=folder, check=True, timeout=60)
    found = []
    for number, _ in enumerate(forms):
        command = ["arm-none-eabi-objcopy", "-O", "binary", "-j", f".form{number}", "forms.o", "form.bin"]
        subprocess.run(command, cwd=folder, check=True, timeout=60)
        found.append((folder / "form.bin").read_bytes())
    return found


def touched(code: bytes, at: int) -> Bytes:
    """Every byte that executing `code` at that address reads or writes, as Unicorn's memory hooks see it."""
    core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB)
    core.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
    core.mem_map(CODE, CODE_SIZE)
    core.mem_map(DATA, 0x4000)
    core.mem_map(0xE000_E000, 0x1000)
    core.mem_write(at, code)
    core.reg_write(arm_const.UC_ARM_REG_FPEXC, 1 << 30)
    core.reg_write(arm_const.UC_ARM_REG_C1_C0_2, 0xF << 20)
    for register, value in VALUES.items():
        core.reg_write(REGISTERS[register], value)
    found: Bytes = []

    def on_access(_: object, kind: int, address: int, size: int, *__: object) -> None:
        found.extend((address + nth, kind == unicorn.UC_MEM_WRITE) for nth in range(size))

    core.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, on_access)
    core.emu_start(at | 1, CODE + CODE_SIZE - 2, count=code_length(code))
    return sorted(found)


def code_length(code: bytes) -> int:
    count, at = 0, 0
    while at < len(code):
        at += instruction_size(int.from_bytes(code[at : at + 2], "little"))
        count += 1
    return count


def decoded(code: bytes, at: int) -> Bytes:
    """The same, as the decoder says it for the registers above."""
    found: Bytes = []
    for offset, access in accesses(code, at):
        start = address_of(access, at + offset)
        found.extend(((start + nth) & 0xFFFF_FFFF, access.write) for nth in range(access.size))
    return sorted(found)


def address_of(access: Access, instruction: int) -> int:
    base = instruction if access.base == PC else VALUES.get(access.base, 0)
    index = VALUES.get(access.index, 0) << access.shift if access.index >= 0 else 0
    return base + access.disp + index


@pytest.mark.gnu
@pytest.mark.parametrize("at", [CODE + 0x100, CODE + 0x102])
def test_every_form_of_load_and_store_touches_the_bytes_that_the_decoder_says(tmp_path: Path, at: int) -> None:
    forms = [form.strip() for line in FORMS.strip().splitlines() for form in line.split("|")]
    for form, code in zip(forms, assemble(forms, tmp_path), strict=True):
        found = touched(code, at)
        assert found, form
        assert decoded(code, at) == found, form


@pytest.mark.gnu
def test_exclusive_stores_write_what_the_decoder_says(tmp_path: Path) -> None:
    for form, code in zip(EXCLUSIVES, assemble(EXCLUSIVES, tmp_path), strict=True):
        # Unicorn compares and swaps: it also shows a read, which no core does.
        written = {address for address, write in touched(code, CODE) if write}
        assert {address for address, write in decoded(code, CODE) if write} == written != set(), form


@pytest.mark.gnu
def test_other_instructions_access_nothing(tmp_path: Path) -> None:
    for form, code in zip(NOTHING, assemble(NOTHING, tmp_path), strict=True):
        assert decoded(code, CODE) == [], form


def test_code_that_is_no_instruction_is_passed_over() -> None:
    code = bytes.fromhex("ffde0868ffffffff0860")  # UDF, LDR, undefined, STR
    assert [(offset, access.write) for offset, access in accesses(code, CODE)] == [(2, False), (8, True)]
