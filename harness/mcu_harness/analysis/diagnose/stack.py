"""A stack that is used up: noticed by its paint, or by a fault right below it."""

from __future__ import annotations

from mcu_harness.analysis.address_names import path_text, short_name
from mcu_harness.analysis.diagnose.context import Case, call_lines, register_lines, status_lines
from mcu_harness.analysis.stack.frames import Frames
from mcu_harness.analysis.stack.stack_path import deepest_path
from mcu_harness.emulator.contract import STACK_PAINT, ExitReason, FaultKind
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.memory_records import StackStep
from mcu_harness.results.records import Contributor, Finding, Verdict

_ACCESSES = (FaultKind.READ, FaultKind.WRITE, FaultKind.FLASH_WRITE, FaultKind.STACKING)
_LARGEST_PUSH = 256  # a fault while pushing: the stack pointer has not moved yet
_MOST_FRAMES = 5


def stack_finding(case: Case) -> Finding | None:
    """The finding for a stack that was used up, None when it was not."""
    execution = case.execution
    stack = execution.stack_bytes
    faulted = is_overflow_fault(case)
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
    path = _deepest(case)
    details = [*status_lines(case), *call_lines(case), *register_lines(case)] if faulted else _path_lines(path)
    return Finding(
        code=Code.RUN_STACK_OVERFLOW,
        verdict=Verdict.FAIL,
        message=message,
        advice="look for large locals and deep calls in the functions named, or leave more RAM for the stack: "
        "a smaller model, or a board with more of it",
        limit=size,
        measured=size,
        unit="B",
        contributors=_largest(path),
        details=tuple(details),
    )


def is_overflow_fault(case: Case) -> bool:
    """Whether a fault is the stack's: an access by a stack pointer that has left its area, or is about to."""
    execution = case.execution
    fault, (low, high) = execution.fault, case.firmware.plan.stack
    if execution.reason is not ExitReason.FAULT or fault is None or fault.address is None:
        return False
    if (
        not low or high <= low
    ):  # an image whose sections take all of the RAM, as Mbed's: nobody knows where the stack ends
        return False
    pointer = execution.registers.get("sp", low + _LARGEST_PUSH)
    return fault.kind in _ACCESSES and fault.address < low and pointer < low + _LARGEST_PUSH


def _deepest(case: Case) -> tuple[StackStep, ...]:
    """The calls of what was measured that took most stack, by the frames of their functions, outermost first."""
    blocks = case.execution.blocks
    found = deepest_path(blocks, case.program, Frames(case.program)) if blocks is not None else None
    return found.steps if found is not None else ()


def _path_lines(path: tuple[StackStep, ...]) -> list[str]:
    """An estimate, said to be one."""
    if not path:
        return []
    total = sum(step.nbytes for step in path)
    names = [short_name(step.function) for step in path]
    return [f"deepest path by the frames of its functions, about {total:,} B: {path_text(names)}"]


def _largest(path: tuple[StackStep, ...]) -> tuple[Contributor, ...]:
    sizes: dict[str, int] = {}
    for step in path:
        name = short_name(step.function)
        sizes[name] = max(sizes.get(name, 0), step.nbytes)
    largest = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:_MOST_FRAMES]
    return tuple(Contributor(f"frame of {name}", size) for name, size in largest if size)
