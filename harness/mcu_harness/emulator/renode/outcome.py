"""What the end of a run in Renode means: its causes as the facts that every emulator brings."""

from __future__ import annotations

from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import Fault, FaultKind, RunPlan, Wait
from mcu_harness.emulator.dialogue import describe_step
from mcu_harness.emulator.ending import RunFacts
from mcu_harness.emulator.renode.accessing import address_of, numbered
from mcu_harness.emulator.renode.protocol import Cause
from mcu_harness.emulator.renode.protocol import End as RenodeEnd
from mcu_harness.hardware.arm.data_access import accesses
from mcu_harness.hardware.board import Board

# The translator's own numbers of exceptions (tlib, arch/arm/cpu.h).
_UNDEFINED, _NOT_EXECUTABLE, _FORBIDDEN, _BREAKPOINT, _NO_COPROCESSOR, _INVALID_STATE = 1, 3, 4, 7, 17, 18
_EXCEPTIONS = {
    _NOT_EXECUTABLE: (FaultKind.JUMP, "it fetches an instruction from where no code may be"),
    _FORBIDDEN: (FaultKind.OTHER, "it accesses memory that memory protection forbids"),
    _NO_COPROCESSOR: (FaultKind.NO_COPROCESSOR, ""),
}
THUMB_STATE = 1 << 24
_WORD = 4
_RESET_LR = 0xFFFFFFFE
BRANCH_TO_ITSELF = b"\xfe\xe7"
_INTERRUPTED, _IN_A_LOOP = 1, 2
WAITS = {b"\x30\xbf": Wait.INTERRUPT, b"\x20\xbf": Wait.EVENT}


def is_even_jump(end: RenodeEnd) -> bool:
    """Whether it ended by a jump to an even address that has not been made: newer versions of Renode stop before it."""
    return end.cause is Cause.EXCEPTION and end.about == _INVALID_STATE and bool(end.registers["xpsr"] & THUMB_STATE)


def explain(
    end: RenodeEnd, board: Board, plan: RunPlan, closed: int, vectors: int, code: bytes, dropped: int = 0
) -> ending.End:
    """Why the run ended. `closed` windows were measured, and `dropped` are in no figure; `code` are the bytes around the last
    instruction, from two bytes before it.
    """
    pc = end.pc & ~1
    facts = RunFacts(
        plan=plan,
        closed=closed,
        is_open=end.window_open,
        dropped=dropped,
        step=describe_step(plan.dialogue, end.step, end.unread),
        returned=end.main,
    )
    match end.cause:
        case Cause.EXIT:
            return ending.exited(facts, end.about)
        case Cause.WINDOWS_DONE | Cause.STOP_PLACE | Cause.DIALOGUE_OVER:
            return ending.finished(facts)
        case Cause.STOP_AFTER:
            return ending.stopped_after(facts)
        case Cause.DEADLINE:
            return ending.out_of_time(facts)
        case Cause.INSTRUCTION_LIMIT:
            return ending.out_of_instructions(facts)
        case Cause.STUCK:
            in_main = plan.main is not None and plan.main[0] <= pc < plan.main[1]
            return ending.waits_for_ever(facts, _stuck(end, code), in_main)
        case Cause.BAD_VECTORS:
            return ending.no_vectors(vectors, end.about, end.more)
        case Cause.SYSTEM_RESET:
            return ending.faulted(Fault(FaultKind.RESET_REQUEST))
        case Cause.SUPERVISOR_CALL:
            return ending.faulted(Fault(FaultKind.SUPERVISOR_CALL))
        case Cause.STACKING:
            return ending.faulted(Fault(FaultKind.STACKING, end.about), ending.no_stack(end.about, end.more))
        case Cause.UNSTACKING:
            return ending.faulted(
                Fault(FaultKind.UNSTACKING, end.about), ending.no_stack_to_return(end.about, end.more)
            )
        case Cause.OTHER_ABORTED:
            return ending.faulted(
                Fault(FaultKind.OTHER), ending.other_core_lost(plan.other_cores[end.more].name, end.about)
            )
        case Cause.EXCEPTION:
            return _exception(end, code[2:])
        case Cause.FLASH_WRITE:
            fault = Fault(FaultKind.FLASH_WRITE, end.about, end.more or _size(code[2:], pc))
            return ending.faulted(fault, ending.bad_access(fault, _memories(board)))
    if end.cause is Cause.ABORT or end.about == end.pc:
        return _lost(end, facts, board)
    address, size = _accessed(end, code[2:])
    fault = Fault(FaultKind.WRITE if end.is_write else FaultKind.READ, address, size)
    return ending.faulted(fault, ending.bad_access(fault, _memories(board)))


def _accessed(end: RenodeEnd, code: bytes) -> tuple[int, int]:
    """(address, bytes) of the access that the instruction `code` made: Renode makes aligned ones of one that is not."""
    pc, touched, size = end.pc & ~1, end.about, end.more & 0xFF
    for offset, access in accesses(code, pc):
        if offset == 0 and access.size <= _WORD:
            address = address_of(access, pc, numbered(end.registers))
            if touched < address < touched + _WORD:
                return address, access.size
    return touched, size


def _size(code: bytes, pc: int) -> int:
    """Bytes of the access that the instruction `code` makes, as far as each one of it goes; 0 where it makes none."""
    return next((min(access.size, _WORD) for offset, access in accesses(code, pc) if offset == 0), 0)


def _lost(end: RenodeEnd, facts: RunFacts, board: Board) -> ending.End:
    """It fetched an instruction from where there is none."""
    if end.pc != _RESET_LR:
        return ending.faulted(Fault(FaultKind.JUMP, end.pc), ending.bad_jump(end.pc, _memories(board)))
    if facts.returned is not None:
        return ending.exited(facts, facts.returned)
    return ending.faulted(Fault(FaultKind.RETURN_FROM_RESET, end.pc))


def _exception(end: RenodeEnd, code: bytes) -> ending.End:
    if end.about == _INVALID_STATE or not end.registers["xpsr"] & THUMB_STATE:
        return ending.faulted(Fault(FaultKind.NOT_THUMB, end.pc), ending.even_jump(end.pc))
    if end.about == _UNDEFINED:
        return ending.faulted(Fault(FaultKind.UNDEFINED), ending.undefined(code))
    if end.about == _BREAKPOINT:
        return ending.faulted(Fault(FaultKind.BREAKPOINT), ending.breakpoint_reached(code))
    other = FaultKind.OTHER, f"the core takes the unexpected exception {end.about}"
    kind, sentence = _EXCEPTIONS.get(end.about, other)
    return ending.faulted(Fault(kind), sentence)


def _stuck(end: RenodeEnd, code: bytes) -> Wait:
    """What it is left in; `about` of the end is 1 where interrupts came, and 2 where it executes a loop."""
    before, at = code[:2], code[2:4]
    if end.about == _IN_A_LOOP:
        return Wait.LOOP
    if at == BRANCH_TO_ITSELF:
        return Wait.BRANCH
    wait = WAITS.get(at) or WAITS.get(before) or Wait.UNKNOWN
    return Wait.IN_VAIN if wait is Wait.INTERRUPT and end.about == _INTERRUPTED else wait


def _memories(board: Board) -> str:
    return ", ".join(f"{m.name} {m.origin:#010x}..{m.end - 1:#010x}" for m in board.memories)
