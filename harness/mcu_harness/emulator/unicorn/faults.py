"""What ended a run, from error and exception numbers of the embedded emulator."""

from __future__ import annotations

from unicorn import unicorn_const as const

from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import Fault, FaultKind
from mcu_harness.emulator.ending import End, faulted
from mcu_harness.emulator.unicorn.engine import Engine

# QEMU's exception numbers for Arm (EXCP_* of its cpu.h), as Unicorn hands them on.
SVC, PREFETCH_ABORT, DATA_ABORT, BREAKPOINT, EXCEPTION_EXIT = 2, 3, 4, 7, 8
# They end the block that asks, where the recorder may pause too: asked once more, they would pause it once more.
ASKING = (SVC, BREAKPOINT)
_NO_COPROCESSOR, _INVALID_STATE, _STACK_LIMIT, _LAZY_FP, _LAZY_SECURE, _UNALIGNED = 17, 18, 19, 20, 21, 22
_LAZY = "floating-point context cannot be saved"
_KINDS = {
    EXCEPTION_EXIT: FaultKind.EXCEPTION_RETURN,
    _NO_COPROCESSOR: FaultKind.NO_COPROCESSOR,
    _INVALID_STATE: FaultKind.NOT_THUMB,
    _STACK_LIMIT: FaultKind.STACK_LIMIT,
    SVC: FaultKind.SUPERVISOR_CALL,
}
_FETCHES = (const.UC_MEM_FETCH_UNMAPPED, const.UC_MEM_FETCH_PROT)
_RESET_LR = 0xFFFFFFFE


def explain_fault(engine: Engine, error: int) -> End:
    """What stopped the engine at its pc: `error` is what it reported, 0 after an exception."""
    pc = engine.pc
    if engine.bad_access is not None:
        return _explain_access(engine)
    if engine.divided_by_zero:
        return faulted(Fault(FaultKind.DIVIDE_BY_ZERO))
    code = engine.memory.peek(pc, 4) or engine.memory.peek(pc, 2) or b""
    if error == const.UC_ERR_INSN_INVALID:
        if not engine.thumb:
            return faulted(Fault(FaultKind.NOT_THUMB, pc), ending.even_jump(pc))
        return faulted(Fault(FaultKind.UNDEFINED), ending.undefined(code))
    if engine.exception == BREAKPOINT:
        return faulted(Fault(FaultKind.BREAKPOINT), ending.breakpoint_reached(code))
    if engine.exception in (DATA_ABORT, _UNALIGNED):
        shown = ending.shown(code)
        sentence = f"a memory access at an address that is not aligned, which this core does not allow ({shown})"
        return faulted(Fault(FaultKind.UNALIGNED), sentence)
    if engine.exception == PREFETCH_ABORT:
        return _explain_jump(engine, pc)
    if engine.exception in _KINDS:
        return faulted(Fault(_KINDS[engine.exception]))
    if engine.exception in (_LAZY_FP, _LAZY_SECURE):
        return faulted(Fault(FaultKind.OTHER), _LAZY)
    return faulted(Fault(FaultKind.OTHER), f"the emulator stopped with error {error}, exception {engine.exception}")


def _explain_access(engine: Engine) -> End:
    access = engine.bad_access
    assert access is not None
    if access.kind in _FETCHES:
        return _explain_jump(engine, access.address)
    if access.kind == const.UC_MEM_WRITE_PROT:
        kind = FaultKind.FLASH_WRITE
    else:
        kind = FaultKind.WRITE if access.kind == const.UC_MEM_WRITE_UNMAPPED else FaultKind.READ
    fault = Fault(kind, access.address, access.size)
    return faulted(fault, ending.bad_access(fault, engine.memory.describe()))


def _explain_jump(engine: Engine, address: int) -> End:
    if address == _RESET_LR:
        return faulted(Fault(FaultKind.RETURN_FROM_RESET, address))
    sentence = ending.bad_jump(address, engine.memory.describe(), engine.memory.name_at(address))
    return faulted(Fault(FaultKind.JUMP, address), sentence)
