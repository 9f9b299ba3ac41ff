"""Images hold no instruction that their core lacks: emulators would run it, silicon would fault."""

from __future__ import annotations

from collections.abc import Iterator

import capstone
import pytest

from mcu_harness.image.build import build
from mcu_harness.image.program import Program, read_program
from mcu_harness.image.toolchain import Toolchain
from sample_boards import TARGETS, board
from sample_firmware import firmware

# Everything that tempts a compiler: division, multiply-accumulate of halves, saturation, float and double arithmetic,
# unaligned loads, 64-bit products, a jump table, bit counting, and a long copy.
TEMPTING = firmware(
    """
    for (int i = 0; i < 16; i++) {
        sum += (int16_t)(pairs[i] >> 16) * (int16_t)pairs[i] + (int8_t)(pairs[i] >> 8);
    }
    n = n / m + (int32_t)((uint32_t)n % 7u) + __builtin_clz((uint32_t)n | 1u);
    wide = wide * n + (uint64_t)m * (uint32_t)n;
    f = f * g + (float)n;
    d = d * f + (double)n;
    n = n > 127 ? 127 : n < -128 ? -128 : n;
    packed.word++;
    big = other;
    switch (n & 7) {
    case 0: m = 5; break;
    case 1: m = 77; break;
    case 2: m = n; break;
    case 3: m = 3 * n; break;
    case 4: m = sum; break;
    case 5: m = -n; break;
    default: m = 1; break;
    }
    """,
    declarations="""
    volatile int32_t n = 100, m = 7, sum;
    uint32_t pairs[16];
    volatile int64_t wide;
    volatile float f = 1.5f, g = 2.0f;
    volatile double d = 0.25;
    struct __attribute__((packed)) { char c; volatile uint32_t word; } packed;
    struct { uint8_t bytes[200]; } big, other;
    """,
)

# Armv6-M Architecture Reference Manual (DDI 0419), A5 and A6.7; conditional branches come as b.
_ARMV6M_NAMES = (
    "adcs add adds adr ands asrs b bics bkpt bl blx bx cmn cmp cps cpsid cpsie dmb dsb eors isb ldm ldr ldrb ldrh ldrsb "
    "ldrsh lsls lsrs mov movs mrs msr muls mvns nop orrs pop push rev rev16 revsh rors rsbs sbcs sev stm str strb strh "
    "sub subs svc sxtb sxth tst udf uxtb uxth wfe wfi yield"
)
ARMV6M = set(_ARMV6M_NAMES.split())
# Armv8-M Architecture Reference Manual (DDI 0553), B: what the baseline adds to that.
ARMV8M_BASE = ARMV6M | {"sdiv", "udiv", "movw", "movt", "cbz", "cbnz"}
SMALL_CORES = {"cortex-m0": ARMV6M, "cortex-m0+": ARMV6M, "cortex-m23": ARMV8M_BASE}
# Armv7-M Architecture Reference Manual (DDI 0403), A4.4: what the DSP extension adds.
_DSP_NAMES = (
    "smla smul smua smus smmla smmls smmul smlal smlsl umaal usad8 usada8 qadd qsub qdadd qdsub qasx qsax uqadd uqsub "
    "shadd shsub uhadd uhsub sadd8 sadd16 ssub8 ssub16 uadd8 uadd16 usub8 usub16 sel pkh sxtab sxtah uxtab uxtah sxtb16 "
    "uxtb16 ssat16 usat16 smlsd"
)
DSP_PREFIXES = tuple(_DSP_NAMES.split())
NOT_DSP = {"smlal", "smull"}
CONDITIONS = ("eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le")


def instructions(program: Program) -> Iterator[tuple[int, str, str]]:
    """Address, mnemonic without condition and width, operands."""
    decoder = capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS)
    for start, end in program.code_ranges:
        segment = next(s for s in program.segments if s.address <= start < s.address + len(s.data))
        code = segment.data[start - segment.address : end - segment.address]
        position = start
        for address, size, mnemonic, operands in decoder.disasm_lite(code, start):
            assert address == position, f"data at {position:#x} among code"
            position = address + size
            yield address, mnemonic.split(".")[0] if not mnemonic.startswith("v") else mnemonic, operands
        assert end - position < 4, f"{position:#x} does not decode"


def plain(mnemonic: str) -> str:
    for condition in CONDITIONS:
        if (
            mnemonic.endswith(condition)
            and len(mnemonic) - 2 >= 1
            and mnemonic not in ARMV8M_BASE | {"teq", "smull", "umull"}
        ):
            return mnemonic[: -len(condition)]
    return mnemonic


def is_dsp(mnemonic: str) -> bool:
    return mnemonic not in NOT_DSP and mnemonic.startswith(DSP_PREFIXES)


@pytest.mark.parametrize(("core", "fpu", "dsp"), TARGETS)
def test_an_image_holds_only_instructions_of_its_target(core: str, fpu: str, dsp: bool, toolchain: Toolchain) -> None:
    program = read_program(build(TEMPTING, board(core, fpu, dsp), toolchain).elf)
    found = [(address, plain(mnemonic), operands) for address, mnemonic, operands in instructions(program)]
    assert len(found) > 300
    wrong = []
    for address, mnemonic, operands in found:
        is_float = mnemonic.startswith("v")
        double = ".f64" in mnemonic and not mnemonic.startswith(("vmov", "vldr", "vstr"))
        if (
            (core in SMALL_CORES and mnemonic not in SMALL_CORES[core])
            or (is_float and fpu == "none")
            or (is_float and double and fpu.endswith("sp-d16"))
            or (is_dsp(mnemonic) and not dsp)
        ):
            function = program.function_at(address)
            wrong.append(f"{address:#x} {mnemonic} {operands} in {function.name if function else '?'}")
    assert not wrong, wrong[:10]
    names = {mnemonic for _, mnemonic, _ in found}
    assert ("sdiv" in names) == (core not in ("cortex-m0", "cortex-m0+")), "or the check sees too little"
    assert bool(names & {"vmul.f32", "vmla.f32"}) == (fpu != "none")
    assert bool(names & {"vmul.f64", "vmla.f64"}) == (fpu == "fpv5-d16")
    if dsp:
        assert any(is_dsp(name) for name in names)
