"""What ended a run, in words: from error and exception numbers of the embedded emulator."""

from __future__ import annotations

from unicorn import unicorn_const as const

from mcu_harness.emulator.contract import Fault, FaultKind
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.hardware.arm.thumb import instruction_size

# QEMU's exception numbers for Arm (EXCP_* of its cpu.h), as Unicorn hands them on.
SVC, PREFETCH_ABORT, DATA_ABORT, BREAKPOINT, EXCEPTION_EXIT = 2, 3, 4, 7, 8
_NO_COPROCESSOR, _INVALID_STATE, _STACK_LIMIT, _LAZY_FP, _LAZY_SECURE, _UNALIGNED = 17, 18, 19, 20, 21, 22
_NAMES = {
    EXCEPTION_EXIT: "it returns from an exception, but none was taken",
    _NO_COPROCESSOR: "it uses a coprocessor (or FPU) that the core does not have",
    _INVALID_STATE: "it leaves Thumb state, which a Cortex-M core cannot",
    _STACK_LIMIT: "the stack pointer went below its limit",
    _LAZY_FP: "floating-point context cannot be saved",
    _LAZY_SECURE: "floating-point context cannot be saved",
}
_KINDS = {
    EXCEPTION_EXIT: FaultKind.EXCEPTION_RETURN,
    _NO_COPROCESSOR: FaultKind.NO_COPROCESSOR,
    _INVALID_STATE: FaultKind.NOT_THUMB,
    _STACK_LIMIT: FaultKind.STACK_LIMIT,
}
_ACCESSES = {
    const.UC_MEM_READ_UNMAPPED: "reads",
    const.UC_MEM_READ_PROT: "reads",
    const.UC_MEM_WRITE_UNMAPPED: "writes",
    const.UC_MEM_WRITE_PROT: "writes",
    const.UC_MEM_FETCH_UNMAPPED: "jumps to",
    const.UC_MEM_FETCH_PROT: "jumps to",
}
_FETCHES = (const.UC_MEM_FETCH_UNMAPPED, const.UC_MEM_FETCH_PROT)
_RESET_LR = 0xFFFFFFFE


def explain_fault(engine: Engine, error: int) -> tuple[Fault, str]:
    """What stopped the engine at its pc, and one sentence on it: `error` is what it reported, 0 after an exception."""
    pc = engine.pc
    if engine.bad_access is not None:
        return _explain_access(engine)
    if engine.divided_by_zero:
        return Fault(FaultKind.DIVIDE_BY_ZERO), "it divides by zero, and CCR.DIV_0_TRP makes that a fault"
    code = engine.memory.peek(pc, 4) or engine.memory.peek(pc, 2) or b""
    if error == const.UC_ERR_INSN_INVALID:
        if not engine.thumb:
            sentence = f"it leaves Thumb state, which a Cortex-M core cannot: a jump to {pc:#010x} without bit 0 set"
            return Fault(FaultKind.NOT_THUMB, pc), sentence
        return (
            Fault(FaultKind.UNDEFINED),
            f"the core has no instruction {_hex(code)} (undefined, or of a larger core or an FPU)",
        )
    if engine.exception == SVC:
        return (
            Fault(FaultKind.SUPERVISOR_CALL),
            "it calls the supervisor (SVC), and there is no handler that may run",
        )
    if engine.exception == BREAKPOINT:
        return Fault(FaultKind.BREAKPOINT), f"it runs into a breakpoint ({_hex(code[:2])}) without a debugger"
    if engine.exception in (DATA_ABORT, _UNALIGNED):
        sentence = f"a memory access at an address that is not aligned, which this core does not allow ({_hex(code)})"
        return Fault(FaultKind.UNALIGNED), sentence
    if engine.exception == PREFETCH_ABORT:
        return _explain_jump(engine, pc)
    if engine.exception in _NAMES:
        return Fault(_KINDS.get(engine.exception, FaultKind.OTHER)), _NAMES[engine.exception]
    return Fault(FaultKind.OTHER), f"the emulator stopped with error {error}, exception {engine.exception}"


def _explain_access(engine: Engine) -> tuple[Fault, str]:
    access = engine.bad_access
    assert access is not None
    what = _ACCESSES.get(access.kind, "accesses")
    if access.kind in _FETCHES:
        return _explain_jump(engine, access.address)
    where = f"{access.size} B at {access.address:#010x}"
    if access.kind == const.UC_MEM_WRITE_PROT:
        return Fault(FaultKind.FLASH_WRITE, access.address, access.size), f"it writes {where}, which is flash"
    kind = FaultKind.WRITE if access.kind == const.UC_MEM_WRITE_UNMAPPED else FaultKind.READ
    sentence = f"it {what} {where}, where the board has no memory (memories: {engine.memory.describe()})"
    return Fault(kind, access.address, access.size), sentence


def _explain_jump(engine: Engine, address: int) -> tuple[Fault, str]:
    if address == _RESET_LR:
        sentence = "it returns from its first function: the link register still has its value after reset"
        return Fault(FaultKind.RETURN_FROM_RESET, address), sentence
    data = engine.memory.name_at(address)
    if data:
        return Fault(
            FaultKind.JUMP, address
        ), f"it jumps to {address:#010x} in {data}, which the core cannot fetch code from"
    sentence = f"it jumps to {address:#010x}, where no code can be (memories: {engine.memory.describe()})"
    return Fault(FaultKind.JUMP, address), sentence


def _hex(code: bytes) -> str:
    if len(code) < 2:
        return "(no memory)"
    size = min(len(code), instruction_size(int.from_bytes(code[:2], "little")))
    return " ".join(f"{int.from_bytes(code[i : i + 2], 'little'):04x}" for i in range(0, size, 2))
