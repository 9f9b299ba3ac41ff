"""A stack that is used up: noticed by its paint, or by a fault right below it."""

from __future__ import annotations

from mcu_harness.analysis.diagnose.context import Case, call_lines, register_lines, status_lines
from mcu_harness.analysis.diagnose.frames import deepest_path, frames
from mcu_harness.emulator.contract import STACK_PAINT, ExitReason, FaultKind
from mcu_harness.results.records import Contributor, Finding, Verdict

_ACCESSES = (FaultKind.READ, FaultKind.WRITE, FaultKind.FLASH_WRITE, FaultKind.STACKING)
_LARGEST_PUSH = 256  # a fault while pushing: the stack pointer has not moved yet
_MOST_FRAMES = 5


def stack_finding(case: Case) -> Finding | None:
    """The finding for a stack that was used up, None when it was not."""
    execution = case.execution
    stack = execution.stack_bytes
    faulted = _faulted_below(case)
    if not faulted and (not stack or stack[0] == STACK_PAINT):
        return None
    low, high = case.firmware.plan.stack
    size = len(stack) or high - low
    message = f"the stack used all of its {size:,} B and may have overwritten the data below it"
    if faulted and execution.fault is not None:
        fault = execution.fault
        message = (
            f"the stack grew beyond its {size:,} B, {case.places.where(execution.pc)}{case.layer}: "
            f"{fault.size or 4} B at {fault.address or 0:#010x} were accessed with the stack pointer at "
            f"{execution.registers['sp']:#010x}, and the stack ends at {low:#010x}"
        )
    details = [*status_lines(case), *call_lines(case), *register_lines(case)] if faulted else _deepest(case)
    return Finding(
        code="run.stack-overflow",
        verdict=Verdict.FAIL,
        message=message,
        advice="look for large locals and deep calls in the functions named, or leave more RAM for the stack: "
        "a smaller model, or a board with more of it",
        limit=size,
        measured=size,
        unit="B",
        contributors=_largest_frames(case),
        details=tuple(details),
    )


def _faulted_below(case: Case) -> bool:
    """Whether a fault is the stack's: an access by a stack pointer that has left its area, or is about to."""
    execution = case.execution
    fault, low = execution.fault, case.firmware.plan.stack[0]
    if execution.reason is not ExitReason.FAULT or fault is None or fault.address is None or not low:
        return False
    pointer = execution.registers.get("sp", low + _LARGEST_PUSH)
    return fault.kind in _ACCESSES and fault.address < low and pointer < low + _LARGEST_PUSH


def _deepest(case: Case) -> list[str]:
    """The path that took most stack, by the frames of the functions on it: an estimate, said to be one."""
    blocks = case.execution.blocks
    path = deepest_path(blocks, case.program) if blocks is not None else []
    if not path:
        return []
    names = case.places.path_text([address for address, _ in path])
    total = sum(size for _, size in path)
    return [f"deepest path by the frames of its functions, about {total:,} B: {names}"]


def _largest_frames(case: Case) -> tuple[Contributor, ...]:
    blocks = case.execution.blocks
    sizes = frames(blocks, case.program) if blocks is not None else {}
    largest = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_MOST_FRAMES]
    return tuple(Contributor(f"frame of {case.places.name(address)}", size) for address, size in largest if size)
