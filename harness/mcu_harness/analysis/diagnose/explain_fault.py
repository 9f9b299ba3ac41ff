"""A fault that ended the run, explained."""

from __future__ import annotations

from mcu_harness.analysis.core_conformance import Breach, fpu_finding, instruction_finding
from mcu_harness.analysis.diagnose.addresses import about, memories
from mcu_harness.analysis.diagnose.context import Case, call_lines, register_lines, status_lines
from mcu_harness.emulator.contract import Fault, FaultKind
from mcu_harness.emulator.fault_kinds import FAULT_MEANINGS
from mcu_harness.hardware.arm.decoder import disassembled
from mcu_harness.hardware.arm.instruction_set import FLOATING, Part, part_of, parts_of
from mcu_harness.hardware.arm.thumb import CALL, instruction_size
from mcu_harness.hardware.arm.thumb import block_end as end_of
from mcu_harness.results.records import Finding, Verdict

_JUMPS = (FaultKind.JUMP, FaultKind.NOT_THUMB, FaultKind.EXCEPTION_RETURN)
_AWAY = (*_JUMPS, FaultKind.RETURN_FROM_RESET)
_ACCESSES = (FaultKind.READ, FaultKind.WRITE, FaultKind.FLASH_WRITE)
_INSTRUCTIONS = (FaultKind.UNDEFINED, FaultKind.NO_COPROCESSOR)
_TRAPS = {b"\xff\xde": "what GCC makes of __builtin_trap()", b"\xfe\xde": "what clang makes of __builtin_trap()"}
_CALLED = "the function pointer that is called there is wrong, or was never set: look at where it comes from"
_RETURNED = "the return address on the stack was overwritten: look in {name}, and in what it called, for a local array written beyond its end"
_PURE = "; in C++ also a pure virtual function, where nothing links __cxa_pure_virtual"


def fault_finding(case: Case) -> Finding:
    """What happened, where, in which layer, and what to do."""
    execution, places = case.execution, case.places
    fault = execution.fault or Fault(FaultKind.OTHER)
    foreign = _foreign(case) if fault.kind in _INSTRUCTIONS else None
    backing = (*call_lines(case), *register_lines(case))
    if foreign is not None:
        return Finding(
            **{name: getattr(foreign, name) for name in ("code", "verdict", "message", "advice")},
            details=(*foreign.details, f"stacked pc {places.short(execution.pc)}", *backing),
        )
    meaning = FAULT_MEANINGS[fault.kind]
    code = _instruction(case, execution.pc)
    said = meaning.said.format(
        address="nowhere" if fault.address is None else f"{fault.address:#010x}",
        size=fault.size,
        sized=f" {fault.size} B" if fault.size else "",
        instruction=disassembled(code, execution.pc) if code else "nothing that is known",
        detail=execution.detail,
    )
    place = fault.origin if fault.kind in _AWAY and fault.origin is not None else execution.pc
    return Finding(
        code=meaning.code,
        verdict=Verdict.FAIL,
        message=f"fault {places.where(place)}{case.layer}: {said}{_hint(case, fault)}",
        advice=_advice(case, fault) or meaning.advice,
        details=(*status_lines(case), *_memory_lines(case, fault), *backing),
    )


def _foreign(case: Case) -> Finding | None:
    """The finding about the core, when it refused an instruction that belongs to another one."""
    pc = case.execution.pc
    code = _instruction(case, pc)
    if not code:
        return None
    part = part_of(code)
    if part in FLOATING and part in parts_of(case.board):  # Renode calls that undefined
        return fpu_finding(pc, case.board, case.places, stopped=True)
    if part in parts_of(case.board) or part is Part.UNDEFINED:
        return None
    breach = Breach(pc, code, part, layer=case.layer.removeprefix(", layer "))
    return instruction_finding([breach], case.board, case.places, stopped=True)


def _instruction(case: Case, address: int) -> bytes:
    code = case.code_at(address)
    return code[: instruction_size(int.from_bytes(code[:2], "little"))] if len(code) >= 2 else b""


def _hint(case: Case, fault: Fault) -> str:
    if fault.kind is FaultKind.UNDEFINED:
        trap = _TRAPS.get(_instruction(case, case.execution.pc))
        return f": {trap}" if trap else ""
    if fault.address is None or fault.kind not in (*_ACCESSES, *_JUMPS):
        return ""
    if fault.kind is FaultKind.FLASH_WRITE and case.board.region_of(fault.address) is None:
        return ""
    memory = case.board.memory_at(fault.address)
    if fault.kind is FaultKind.JUMP and memory is not None and not memory.has_code:
        return f": the core cannot fetch instructions from {memory.name}"
    text = about(fault.address, case.board)
    return f": {text}" if text else ""


def _memory_lines(case: Case, fault: Fault) -> list[str]:
    asked = fault.kind in (FaultKind.READ, FaultKind.WRITE, FaultKind.JUMP)
    return [f"memories: {memories(case.board)}"] if asked else []


def _advice(case: Case, fault: Fault) -> str:
    """Advice by how it jumped, "" where that says nothing."""
    if fault.kind not in (FaultKind.JUMP, FaultKind.NOT_THUMB) or fault.origin is None:
        return ""
    code = _instruction(case, fault.origin)
    if not code:
        return ""
    is_return = code in (b"\x70\x47",) or code[1:2] == b"\xbd" or code[:2] == b"\xbd\xe8" or code[:2] == b"\x5d\xf8"
    if is_return:
        return _RETURNED.format(name=case.places.name(fault.origin) or "the function")
    target = case.board.memory_at(fault.address or 0)
    if target is not None and not target.has_code:
        return f"link this code into another memory than {target.name}"
    is_call = end_of(code, fault.origin).kind == CALL
    plain = fault.kind is FaultKind.NOT_THUMB and fault.address
    pure = _PURE if not fault.address and case.places.name(fault.origin).startswith("_Z") else ""
    return _CALLED + pure if is_call and not plain else ""
