"""Kinds of instructions that cycle tables tell apart, and which instruction is of which kind."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    ALU = "alu"  # whatever is not of another kind
    BITS = "bits"  # extensions, bit fields, reversals, saturation, parallel arithmetic: one step more than plain ALU
    MULTIPLY = "multiply"
    MULTIPLY_ADD = "multiply-add"
    LONG_MULTIPLY = "long multiply"
    LONG_MULTIPLY_ADD = "long multiply-add"
    DIVIDE = "divide"
    LOAD = "load"
    STORE = "store"
    LOAD_MULTIPLE = "load multiple"
    STORE_MULTIPLE = "store multiple"
    BRANCH = "branch"
    CALL = "call"
    INDIRECT_BRANCH = "indirect branch"  # also moves and additions to the program counter
    INDIRECT_CALL = "indirect call"
    TABLE_BRANCH = "table branch"
    IF_THEN = "if-then"
    SYSTEM = "system"
    BARRIER = "barrier"
    HINT = "hint"
    FLOAT = "float"
    FLOAT_MULTIPLY_ADD = "float multiply-add"
    FLOAT_DIVIDE = "float divide"
    FLOAT_LOAD = "float load"
    FLOAT_STORE = "float store"
    FLOAT_LOAD_MULTIPLE = "float load multiple"
    FLOAT_STORE_MULTIPLE = "float store multiple"


FLOATS = frozenset(kind for kind in Kind if kind.name.startswith("FLOAT"))  # what the FPU does


# Names as the Armv7-M and Armv8-M Architecture Reference Manuals write them.
_NAMES: dict[Kind, str] = {
    Kind.BITS: (
        "SXTB SXTH UXTB UXTH SXTB16 UXTB16 SXTAB SXTAH SXTAB16 UXTAB UXTAH UXTAB16 BFI BFC SBFX UBFX REV REV16 REVSH RBIT "
        "CLZ PKHBT PKHTB SSAT USAT SSAT16 USAT16 SEL QADD QSUB QDADD QDSUB USAD8 USADA8 "
        "SADD8 SADD16 SSUB8 SSUB16 SASX SSAX UADD8 UADD16 USUB8 USUB16 UASX USAX QADD8 QADD16 QSUB8 QSUB16 QASX QSAX "
        "UQADD8 UQADD16 UQSUB8 UQSUB16 UQASX UQSAX SHADD8 SHADD16 SHSUB8 SHSUB16 SHASX SHSAX UHADD8 UHADD16 UHSUB8 UHSUB16 "
        "UHASX UHSAX"
    ),
    Kind.MULTIPLY: "MUL SMULBB SMULBT SMULTB SMULTT SMULWB SMULWT SMMUL SMMULR SMUAD SMUADX SMUSD SMUSDX",
    Kind.MULTIPLY_ADD: (
        "MLA MLS SMLABB SMLABT SMLATB SMLATT SMLAWB SMLAWT SMMLA SMMLAR SMMLS SMMLSR SMLAD SMLADX SMLSD SMLSDX"
    ),
    Kind.LONG_MULTIPLY: "UMULL SMULL",
    Kind.LONG_MULTIPLY_ADD: ("UMLAL SMLAL UMAAL SMLALBB SMLALBT SMLALTB SMLALTT SMLALD SMLALDX SMLSLD SMLSLDX"),
    Kind.DIVIDE: "SDIV UDIV",
    Kind.LOAD: "LDR LDRB LDRH LDRSB LDRSH LDRT LDRBT LDRHT LDRSBT LDRSHT LDREX LDREXB LDREXH LDA LDAB LDAH LDAEX",
    Kind.STORE: "STR STRB STRH STRT STRBT STRHT STREX STREXB STREXH STL STLB STLH STLEX",
    Kind.LOAD_MULTIPLE: "LDM LDMDB POP LDRD",
    Kind.STORE_MULTIPLE: "STM STMDB PUSH STRD",
    Kind.BRANCH: "B CBZ CBNZ",
    Kind.CALL: "BL",
    Kind.INDIRECT_BRANCH: "BX BXNS",
    Kind.INDIRECT_CALL: "BLX BLXNS",
    Kind.TABLE_BRANCH: "TBB TBH",
    Kind.IF_THEN: "IT",
    Kind.SYSTEM: "MRS MSR CPS SG TT TTT TTA TTAT",
    Kind.BARRIER: "DMB DSB ISB",
    Kind.HINT: "NOP HINT WFI WFE SEV YIELD SVC BKPT UDF PLD",
    Kind.FLOAT: (
        "VADD VSUB VMUL VNMUL VABS VNEG VCMP VCMPE VCVT VCVTA VCVTB VCVTM VCVTN VCVTP VCVTR VCVTT VMOV VMRS VMSR "
        "VSELEQ VSELGE VSELGT VSELVS VMAXNM VMINNM VRINTA VRINTM VRINTN VRINTP VRINTR VRINTX VRINTZ"
    ),
    Kind.FLOAT_MULTIPLY_ADD: "VMLA VMLS VNMLA VNMLS VFMA VFMS VFNMA VFNMS",
    Kind.FLOAT_DIVIDE: "VDIV VSQRT",
    Kind.FLOAT_LOAD: "VLDR",
    Kind.FLOAT_STORE: "VSTR",
    Kind.FLOAT_LOAD_MULTIPLE: "VLDMIA VLDMDB VPOP",
    Kind.FLOAT_STORE_MULTIPLE: "VSTMIA VSTMDB VPUSH",
}

KIND_OF_NAME: dict[str, Kind] = {name: kind for kind, names in _NAMES.items() for name in names.split()}
