"""Which core has which instruction: as the GNU assembler says, which was written from the same manuals by others."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mcu_harness.hardware.arm.decoder import disassembled
from mcu_harness.hardware.arm.instruction_set import Part, part_of, parts_of
from mcu_harness.hardware.board_file import find_board
from mcu_harness.hardware.core import CORES

# A line per part. Instructions that stand behind one another are one text.
TEXTS = """
nop|wfi|wfe|sev|yield|dmb|dsb|isb|mrs r0, primask|msr primask, r0|mrs r0, control|cpsid i|cpsie i|bl .+8|b .+4|beq .+8
adds r0,r1,r2|muls r0,r1,r0|rev r0,r1|rev16 r0,r1|revsh r0,r1|sxtb r0,r1|uxth r0,r1|push {r4,lr}|pop {r4,pc}|svc #1
ldr r0,[r1,#4]|ldm r0!,{r1,r2}|stm r0!,{r1,r2}|bkpt #1|blx r0|bx lr|mov r8,r0|add sp,#8|sub sp,#8|adr r0,.+8
cbz r0,.+8|cbnz r0,.+8|movw r0,#0x1234|movt r0,#0x1234|udiv r0,r1,r2|sdiv r0,r1,r2|b.w .+0x1000|clrex
ldrex r0,[r1]|strex r0,r1,[r2]|ldrexb r0,[r1]|strexh r0,r1,[r2]
lda r0,[r1]|stl r0,[r1]|ldab r0,[r1]|stlh r0,[r1]|ldaex r0,[r1]|stlex r0,r1,[r2]|ldaexb r0,[r1]|stlexh r0,r1,[r2]
tt r0,r1|tta r0,r1|ttt r0,r1|ttat r0,r1|sg|bxns r0|blxns r0
it eq;moveq r0,r1|beq.w .+0x1000|add.w r0,r1,r2|mov.w r0,#0x10000|add.w r0,r1,#0x100|ldrd r0,r1,[r2]|strd r0,r1,[r2]
tbb [pc,r0]|tbh [pc,r0,lsl #1]|bfi r0,r1,#1,#2|ubfx r0,r1,#1,#2|sbfx r0,r1,#1,#2|clz r0,r1|rbit r0,r1|rev.w r0,r8
mul r0,r1,r2|mla r0,r1,r2,r3|mls r0,r1,r2,r3|smull r0,r1,r2,r3|umull r0,r1,r2,r3|smlal r0,r1,r2,r3|umlal r0,r1,r2,r3
ssat r0,#3,r1|usat r0,#3,r1|ssat r0,#3,r1,asr #4|usat r0,#3,r1,lsl #4|lsl.w r0,r1,r2|ror.w r0,r1,r2|sxtb.w r8,r1
uxth.w r8,r1|sxth.w r8,r1|uxtb.w r8,r1|pld [r0]|ldr.w r0,[r1,r2,lsl #2]|push.w {r4-r11,lr}|pop.w {r4-r11,pc}
orr.w r0,r1,r2|orn r0,r1,r2|teq r0,r1|ldrt r0,[r1]|ldrsb.w r0,[r1,#100]|nop.w|dbg #1|mrs r0,basepri|msr basepri,r0
addw r0,r1,#0x123|adc.w r0,r1,r2|orrs.w r1,r0,r2,lsl #3
sadd16 r0,r1,r2|uqsub8 r0,r1,r2|shasx r0,r1,r2|uhadd8 r0,r1,r2|qadd r0,r1,r2|qdsub r0,r1,r2|sel r0,r1,r2
smlabb r0,r1,r2,r3|smultb r0,r1,r2|smlad r0,r1,r2,r3|smuad r0,r1,r2|smlawt r0,r1,r2,r3|smlsd r0,r1,r2,r3|smmul r0,r1,r2
smmla r0,r1,r2,r3|smmls r0,r1,r2,r3|usad8 r0,r1,r2|usada8 r0,r1,r2,r3|smlalbb r0,r1,r2,r3|smlald r0,r1,r2,r3
smlsld r0,r1,r2,r3|smlaldx r0,r1,r2,r3|umaal r0,r1,r2,r3|pkhbt r0,r1,r2|pkhtb r0,r1,r2,asr #3|ssat16 r0,#3,r1
usat16 r0,#3,r1|sxtab r0,r1,r2|uxtab16 r0,r1,r2|sxtb16 r0,r1|uxtb16 r0,r1|uxtah r0,r1,r2|sxtb16 r0,r1,ror #8
vadd.f32 s0,s1,s2|vldr s0,[r0]|vldr d0,[r0]|vpush {d8-d9}|vpop {s0-s3}|vldmia r0!,{d0-d3}|vmov s0,r0|vmov r0,r1,d0
vmov d0,r0,r1|vmov s0,s1,r0,r1|vmov.f32 s0,s1|vmov.f32 s0,#1.0|vcmp.f32 s0,s1|vcmp.f32 s0,#0|vmrs apsr_nzcv,fpscr
vmsr fpscr,r0|vcvt.s32.f32 s0,s1|vcvt.f32.u32 s0,s1|vcvt.f32.s32 s0,s0,#4|vfma.f32 s0,s1,s2|vmla.f32 s0,s1,s2
vdiv.f32 s0,s1,s2|vsqrt.f32 s0,s1|vcvtb.f32.f16 s0,s1|vcvtt.f16.f32 s0,s1|vabs.f32 s0,s1|vcvtr.s32.f32 s0,s1
vnmul.f32 s0,s1,s2|vfnms.f32 s0,s1,s2
vrintz.f32 s0,s1|vrintr.f32 s0,s1|vrintx.f32 s0,s1|vrinta.f32 s0,s1|vrintm.f32 s0,s1|vseleq.f32 s0,s1,s2
vadd.f64 d0,d1,d2|vmov.f64 d0,d1|vmov.f64 d0,#1.0|vcmp.f64 d0,d1|vcvt.f64.f32 d0,s0|vcvt.f32.f64 s0,d0
vcvt.s32.f64 s0,d0|vcvt.f64.s32 d0,s0|vdiv.f64 d0,d1,d2|vsqrt.f64 d0,d1|vrintz.f64 d0,d1|vrintx.f64 d0,d1
vcvta.s32.f64 s0,d1|vseleq.f64 d0,d1,d2|vmaxnm.f64 d0,d1,d2|vcvtb.f64.f16 d0,s0|vcvtt.f16.f64 s0,d0|vabs.f64 d0,d1
lsll r0,r1,#3|asrl r2,r3,#5|csel r0,r1,r2,eq|cset r0,eq|dls lr,r0|clrm {r0,r1}|uqshll r0,r1,#3|sqrshr r0,r1
vadd.i32 q0,q1,q2|vldrw.u32 q0,[r0]|vstrb.8 q0,[r0],#16|vmladav.s32 r0,q0,q1|vdup.32 q0,r0|vmlav.s8 r0,q1,q2
vmul.f32 q0,q1,q2|vmullb.s8 q0,q1,q2|vctp.32 r1|dlstp.32 lr,r1|vadd.f16 s0,s1,s2|vldr.16 s0,[r0]|vins.f16 s0,s1
"""
BOARDS = {  # a board for each set of parts, and what the assembler calls it
    "nucleo_g071rb": "-mcpu=cortex-m0plus",
    "ek_ra2e1": "-mcpu=cortex-m23",
    "nucleo_f103rb": "-mcpu=cortex-m3",
    "stm32f4_discovery": "-march=armv7e-m+fp",
    "stm32f746g_disco": "-march=armv7e-m+fpv5",
    "nucleo_h753zi": "-march=armv7e-m+fp.dp",
    "nucleo_u575zi_q": "-march=armv8-m.main+fp+dsp",
}
WIDEST = "-march=armv8.1-m.main+mve.fp+fp.dp"


def assembled(flags: str, text: str, folder: Path) -> bytes | None:
    """The code of `text`, None when the assembler says that the core has no such instruction."""
    source = ".syntax unified\n.thumb\n" + text.replace(";", "\n") + "\n"
    command = ["arm-none-eabi-as", flags, "-mthumb", "-o", "x.o", "-"]
    done = subprocess.run(command, input=source, text=True, capture_output=True, check=False, cwd=folder)
    if done.returncode:
        return None
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "x.o", "x.bin"], check=True, cwd=folder)
    return (folder / "x.bin").read_bytes()


@pytest.mark.gnu
@pytest.mark.parametrize("line", TEXTS.strip().splitlines(), ids=lambda line: line.partition(" ")[0])
def test_a_board_has_an_instruction_if_the_assembler_takes_it_for_its_core(line: str, tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-as") is None:
        pytest.skip("no arm-none-eabi-as")
    for text in line.split("|"):
        code = assembled(WIDEST, text, tmp_path)
        assert code is not None, text
        for board, flags in BOARDS.items():
            taken = assembled(flags, text, tmp_path)
            if taken is not None and taken != code:
                continue  # the same text is another instruction there
            has = part_of(code) in parts_of(find_board(board))
            assert has == (taken is not None), f"{text} ({code.hex()}, {part_of(code).name}) on {board}"


def test_what_the_dsp_extension_is_for_depends_on_the_board() -> None:
    smuad = bytes.fromhex("21fb02f0")
    assert part_of(smuad) is Part.DSP
    have = {core: {Part.DSP in parts_of(board)} for core, board in boards_by_core().items()}
    assert have["cortex-m0"] == have["cortex-m3"] == {False}
    assert have["cortex-m4"] == have["cortex-m7"] == {True}


def boards_by_core() -> dict[str, object]:
    names = ("stm32f072b_disco", "nucleo_g071rb", "ek_ra2e1", "nucleo_f103rb", "stm32f4_discovery", "nucleo_h753zi",
             "nucleo_u575zi_q")  # fmt: skip
    boards = [find_board(name) for name in names]
    return {board.core.name: board for board in boards}


def test_every_core_and_every_fpu_has_its_parts() -> None:
    boards = boards_by_core()
    assert set(boards) == set(CORES)
    for board in boards.values():
        assert Part.BASE in parts_of(board)  # type: ignore[arg-type]
        assert Part.UNDEFINED not in parts_of(board)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("01de", Part.UNDEFINED),  # udf #1
        ("f0f701a0", Part.UNDEFINED),  # udf.w #1
        ("00f000e8", Part.UNDEFINED),  # blx to Arm code
        ("01ee0200", Part.COPROCESSOR),  # cdp p0
    ],
)
def test_what_no_core_here_has(code: str, part: Part) -> None:
    assert part_of(bytes.fromhex(code)) is part


def test_what_no_disassembler_knows_is_shown_as_it_is() -> None:
    assert disassembled(bytes.fromhex("01de"), 0) == "udf #1"
    assert disassembled(bytes.fromhex("ffffffff"), 0) == "ffff ffff"
