"""What a board would not do is found, whether or not the emulator does it: by firmware of ours that does it."""

from __future__ import annotations

from pathlib import Path

import pytest
from explained import explained
from small_firmware import SUM_OF_SQUARES

from mcu_harness.emulator.renode.emulator import RenodeEmulator
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import read_program
from mcu_harness.results.records import Finding
from mcu_harness.scenario.firmware_tables import Region
from profiled_firmware import failed, line_of, profiled
from user_firmware import START, build

pytestmark = pytest.mark.gnu
UNICORN = UnicornEmulator()

# Firmware that executes one instruction of a larger core: (board, machine code, how it is written, what it needs).
FOREIGN = {
    "udiv-on-an-m0": ("stm32f072b_disco", "0xfbb1, 0xf2f1", "udiv r2, r1, r1", "Armv8-M baseline or Armv7-M"),
    "cbz-on-an-m0": ("stm32f072b_disco", "0xb101", "cbz r1, ", "Armv8-M baseline or Armv7-M"),
    "it-on-an-m0+": ("nucleo_g071rb", "0xbf08, 0xbf00", "it eq", "Armv7-M (Thumb-2)"),
    "it-on-an-m23": ("ek_ra2e1", "0xbf08, 0xbf00", "it eq", "Armv7-M (Thumb-2)"),
    "float-on-an-m0": ("stm32f072b_disco", "0xee30, 0x0a20", "vadd.f32 s0, s0, s1", "an FPU"),
    "float-on-an-m23": ("ek_ra2e1", "0xee30, 0x0a20", "vadd.f32 s0, s0, s1", "an FPU"),
    "dsp-on-an-m0": ("stm32f072b_disco", "0xfb21, 0xf002", "smuad r0, r1, r2", "the DSP extension"),
    "dsp-on-an-m3": ("nucleo_f103rb", "0xfb21, 0xf002", "smuad r0, r1, r2", "the DSP extension"),
    "float-on-an-m3": ("nucleo_f103rb", "0xee30, 0x0a20", "vadd.f32 s0, s0, s1", "an FPU"),
    "double-on-an-m4": ("stm32f4_discovery", "0xee31, 0x0b02", "vadd.f64 d0, d1, d2", "double precision"),
    "double-on-an-m33": ("nucleo_u575zi_q", "0xee31, 0x0b02", "vadd.f64 d0, d1, d2", "double precision"),
    "fpv5-on-an-m4": ("stm32f4_discovery", "0xeeb6, 0x0ae0", "vrintz.f32 s0, s1", "FPv5"),
    "acquire-on-an-m4": ("stm32f4_discovery", "0xe8dd, 0x0faf", "lda r0, [sp]", "Armv8-M"),
    "helium-on-an-m4": ("stm32f4_discovery", "0xef22, 0x0844", "", "Helium"),
    "helium-load-on-an-m33": ("nucleo_u575zi_q", "0xed9d, 0x1f00", "", "Helium"),
    "loop-of-v8.1-on-an-m33": ("nucleo_u575zi_q", "0xf040, 0xe001", "", "Armv8.1-M"),
}


def foreign(code: str) -> str:
    return f"""
void mcu_infer(void) {{
    for (int i = 0; i < 25; i++)
        __asm__ volatile("movs r1, #1\\n .hword {code}" ::: "r0", "r1", "r2", "lr", "memory");
}}
"""


def the_law(findings: list[Finding]) -> Finding:
    (finding,) = [finding for finding in findings if finding.code.startswith("law.")]
    assert finding.verdict == "fail"
    return finding


def check_foreign(name: str, finding: Finding) -> None:
    board, _, text, needs = FOREIGN[name]
    assert finding.code == "law.instruction"
    assert f"has no `{text}" in finding.message
    assert f"of {board}" in finding.message
    assert "in mcu_infer at 0x" in finding.message and ", layer layer_07:" in finding.message
    assert needs in finding.message
    assert "-mcpu=" + find_board(board).core.gcc_cpu in finding.advice


@pytest.mark.parametrize("name", FOREIGN)
def test_an_instruction_of_another_core_is_found(name: str, firmware_cache: Path) -> None:
    board, code, _, _ = FOREIGN[name]
    execution, findings = explained(UNICORN, find_board(board), foreign(code), firmware_cache)
    finding = the_law(findings)
    check_foreign(name, finding)
    if execution.fault is None:  # it was executed
        assert "the emulator executed it all the same" in finding.details[0]
        assert any("executed 25 times, layer layer_07" in line for line in finding.details)
    else:
        assert "the emulator stopped there" in finding.details[0]
    assert findings == [finding], "one cause, one finding"


@pytest.mark.renode
@pytest.mark.parametrize("name", [name for name in FOREIGN if "v8.1" not in name and "helium" not in name])
def test_both_emulators_say_the_same(name: str, renode: RenodeEmulator, firmware_cache: Path) -> None:
    board, code, _, _ = FOREIGN[name]
    _, here = explained(UNICORN, find_board(board), foreign(code), firmware_cache)
    _, there = explained(renode, find_board(board), foreign(code), firmware_cache)
    check_foreign(name, the_law(there))
    assert (the_law(there).message, the_law(there).advice) == (the_law(here).message, the_law(here).advice)


@pytest.mark.parametrize("board", ["stm32f072b_disco", "nucleo_f103rb", "stm32f4_discovery", "nucleo_u575zi_q"])
def test_firmware_built_for_its_board_keeps_to_the_law(board: str, firmware_cache: Path) -> None:
    code = SUM_OF_SQUARES.replace("volatile uint32_t", "volatile float f = 1.5f; volatile uint32_t", 1)
    code = code.replace("uint32_t total = 0;", "uint32_t total = 0; f = f * f / 3;")
    execution, findings = explained(UNICORN, find_board(board), code, firmware_cache)
    assert (execution.reason, findings) == ("finished", [])


# The user's own firmware, with lines.

CLAMPS = """
__attribute__((noinline)) int clamp(int a) {
    __asm__ volatile("cmp %0, #9\\n .hword 0xbfc8\\n movs %0, #9" : "+l"(a));  // HERE: movgt
    return a;
}
__attribute__((noinline)) int infer(int n) {
    int s = 0;
    for (int i = 0; i < n; i++) s += clamp(i);
    return s;
}
int main(void) { return infer(40) != 315; }
"""


def test_a_finding_names_function_line_region_and_how_often_it_ran(tmp_path: Path) -> None:
    elf = build(tmp_path, CLAMPS, cpu="cortex-m0plus", ram_size=32 << 10)
    result = profiled(elf, "nucleo_g071rb", regions=(Region("network", ("infer",)),))
    (finding,) = result.findings
    assert finding.code == "law.instruction" and result.verdict == "fail"
    at = read_program(elf).symbol("clamp").address + 2
    place = f"in clamp at {at:#010x} (firmware.c:{line_of(CLAMPS, 'HERE')}), layer network"
    assert finding.message.startswith(f"the Cortex-M0+ of nucleo_g071rb has no `it gt`, {place}: it needs Armv7-M")
    assert f"{at:#010x} clamp (firmware.c:{line_of(CLAMPS, 'HERE')}): it gt, executed 40 times, layer network" in (
        finding.details
    )
    assert finding.details[0] == "on the board: HardFault; the emulator executed it all the same"
    assert result.functions, "what it costs is still shown"


def test_code_that_runs_outside_of_windows_is_checked_too(tmp_path: Path) -> None:
    code = """
    volatile int x;
    __attribute__((noinline)) void setup(void) { __asm__ volatile(".hword 0xbf08, 0xbf00"); }
    __attribute__((noinline)) int infer(int n) { return n + x; }
    int main(void) { setup(); return infer(0); }
    """
    (finding,) = failed(
        profiled(build(tmp_path, code, cpu="cortex-m0plus", ram_size=32 << 10), "nucleo_g071rb", begin="infer")
    )
    assert finding.code == "law.instruction" and "in setup at" in finding.message


def test_many_foreign_instructions_are_one_finding_a_part(tmp_path: Path) -> None:
    many = "\\n".join([".hword 0xfb21, 0xf002"] * 30)
    code = f'int main(void) {{ __asm__ volatile("{many}" ::: "r0"); __asm__ volatile(".hword 0xee30, 0x0a20"); return 0; }}'
    result = profiled(build(tmp_path, code, cpu="cortex-m3", ram_size=20 << 10), "nucleo_f103rb")
    findings = failed(result)
    assert {finding.code for finding in findings} == {"law.instruction"}
    assert len(findings) == 2
    dsp = next(finding for finding in findings if "DSP" in finding.message)
    assert "and 22 more instructions that need the DSP extension" in dsp.details


# The FPU.

FLOAT = """
volatile float x = 1.5f;
__attribute__((noinline)) void scale(void) {
    x = x * x;  // HERE
}
int main(void) { scale(); return 0; }
"""
HARD = ["-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]


def test_an_fpu_that_was_never_switched_on_is_found(tmp_path: Path) -> None:
    start = START.replace("__ARM_FP", "NEVER")
    result = profiled(build(tmp_path, FLOAT, flags=HARD, start=start))
    (finding,) = failed(result)
    assert finding.code == "law.fpu-off"
    assert "in scale at 0x" in finding.message and f"(firmware.c:{line_of(FLOAT, 'HERE')})" in finding.message
    assert "CPACR (0xE000ED88)" in finding.message
    assert "|= 0xFu << 20" in finding.advice
    assert "CFSR 0x00080000 (NOCP)" in finding.details[0]


def test_an_fpu_that_was_switched_on_is_no_finding(tmp_path: Path) -> None:
    assert failed(profiled(build(tmp_path, FLOAT, flags=HARD))) == []
    # In the very block that switches it on, too: what stands before and behind that is not told apart.
    start = START.replace("__libc_init_array();", '__asm__ volatile("dsb\\n isb\\n vmov s0, %0" :: "r"(0) : "s0");', 1)
    assert failed(profiled(build(tmp_path, FLOAT, flags=HARD, start=start, name="same"))) == []


def test_half_of_the_access_is_not_enough(tmp_path: Path) -> None:
    start = START.replace("0xFu << 20", "0x3u << 20")
    (finding,) = failed(profiled(build(tmp_path, FLOAT, flags=HARD, start=start)))
    assert finding.code == "law.fpu-off"


@pytest.mark.renode
def test_renode_and_unicorn_agree_on_an_fpu_that_is_off(renode: RenodeEmulator, firmware_cache: Path) -> None:
    code = """
    volatile float x = 1.5f;
    void mcu_infer(void) { REGISTER(0xE000ED88) = 0; __asm__ volatile("dsb\\n isb"); x = x * x; }
    """
    board = find_board("stm32f4_discovery")
    _, there = explained(renode, board, code, firmware_cache)
    finding = the_law(there)
    assert finding.code == "law.fpu-off" and "the emulator stopped there" in finding.details[0]
