"""What the end of a run in Renode means: the same words for the same mishap as in any other emulator."""

from __future__ import annotations

from harness.board import Board
from harness.elf import Program
from harness.emulator import ExitReason, RunPlan
from harness.emulator.renode.protocol import Cause, End

# The translator's own numbers (tlib, arch/arm/cpu.h).
_EXCEPTIONS = {
    1: "an undefined instruction",
    3: "instructions fetched from where none may be fetched (memory protection)",
    4: "an access that memory protection forbids",
    7: "a breakpoint instruction without a debugger",
    17: "a coprocessor or FPU instruction while that unit is switched off",
    18: "a jump to an even address: Arm code on a core that only runs Thumb",
}
_UNDEFINED, _INVALID_STATE = 1, 18
_THUMB_STATE = 1 << 24
_BRANCH_TO_ITSELF = b"\xfe\xe7"
_WAITS = {b"\x30\xbf": "WFI", b"\x20\xbf": "WFE"}


def outcome(end: End, program: Program, board: Board, plan: RunPlan, windows_seen: int) -> tuple[ExitReason, str]:
    """Why the run ended, and the sentence for `Execution.detail`."""
    cause = end.cause
    if cause is Cause.EXIT:
        if windows_seen < len(plan.windows):
            return ExitReason.STOPPED_EARLY, f"exit was reached after {windows_seen} of {len(plan.windows)} windows"
        return ExitReason.FINISHED, ""
    if cause is Cause.DEADLINE:
        return ExitReason.TIMEOUT, f"{end.instructions:,} instructions in {plan.timeout_s:g} s, and no end"
    if cause is Cause.INSTRUCTION_LIMIT:
        return ExitReason.INSTRUCTION_LIMIT, f"more than {plan.max_instructions:,} instructions"
    if cause is Cause.STUCK:
        return ExitReason.ENDLESS_LOOP, _stuck(end, program)
    return ExitReason.FAULT, _fault(end, board)


def _fault(end: End, board: Board) -> str:
    if end.cause is Cause.BAD_RESET:
        return f"the reset vector {end.pc:#010x} is not the address of Thumb code in a memory of {board.name}"
    fetched = end.cause is Cause.BAD_ACCESS and end.about == end.pc
    if end.cause is Cause.BAD_ACCESS and not fetched:
        what = "write to" if end.more & 0x100 else "read from"
        return f"{end.more & 0xFF} B {what} {end.about:#010x}, outside the memory of {board.name}"
    if end.cause is Cause.EXCEPTION:
        number = end.about
        if number == _UNDEFINED and not end.registers["xpsr"] & _THUMB_STATE:
            number = _INVALID_STATE
        what = _EXCEPTIONS.get(number, f"exception {number}")
        status = f" (CFSR {end.more:#010x})" if end.more else ""
        return what + status
    where = "nowhere" if board.region_of(end.pc) is None else "code that cannot be executed"
    return f"a jump to {where}: {end.pc:#010x}"


def _stuck(end: End, program: Program) -> str:
    if _code_at(program, end.pc) == _BRANCH_TO_ITSELF:
        return "a branch to itself, and no interrupt is on to leave it"
    waits = _WAITS.get(_code_at(program, end.pc)) or _WAITS.get(_code_at(program, end.pc - 2))
    if waits:
        return f"{waits}, and nothing is on that could wake the core"
    return "the core executes nothing any more"


def _code_at(program: Program, address: int) -> bytes:
    for segment in program.segments:
        if segment.address <= address and address + 2 <= segment.address + len(segment.data):
            return segment.data[address - segment.address : address - segment.address + 2]
    return b""
