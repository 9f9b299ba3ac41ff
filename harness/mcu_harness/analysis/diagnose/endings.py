"""Runs that did not fault and did not end well either: failed checks, endless loops, a status, too little time."""

from __future__ import annotations

from mcu_harness.analysis.diagnose.arguments import arguments, text_at
from mcu_harness.analysis.diagnose.context import Case, call_lines, register_lines
from mcu_harness.analysis.diagnose.exception_handlers import FAULTS, exception_name, vectors_of, vectors_text
from mcu_harness.analysis.diagnose.failure_functions import FailureFunction, failure_function
from mcu_harness.emulator.contract import Call, ExitReason
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, Verdict

_ADVICE = {
    ExitReason.TIMEOUT: (
        "look for a loop in the function named that never ends; of a large model, run fewer inputs ([inputs] count), or emulate fewer of them "
        "([inputs] emulated)"
    ),
    ExitReason.INSTRUCTION_LIMIT: "look for a loop in the function named that never ends",
    ExitReason.ENDLESS_LOOP: "the firmware waits there for ever: look at why it was called, a failed check or a handler",
    ExitReason.STOPPED_EARLY: "the firmware ended before it had run every input",
}
_FOR_EVER = (  # of firmware that is not made here, and may well have no end
    "look for a loop in the function named that never ends; firmware that goes on for ever is ended earlier by --stop-after "
    "(`stop_after` under [firmware]), as in --stop-after 50M"
)
_NOT_MEASURED = (
    "the run was over before: by a loop that does nothing any more, or by what was told to stop it; have the firmware come "
    "to it before that, or measure something else"
)
_CODES = {
    ExitReason.TIMEOUT: Code.RUN_TIMEOUT,
    ExitReason.INSTRUCTION_LIMIT: Code.RUN_INSTRUCTION_LIMIT,
    ExitReason.ENDLESS_LOOP: Code.RUN_ENDLESS_LOOP,
    ExitReason.STOPPED_EARLY: Code.RUN_STOPPED_EARLY,
}
_FRAME = ("r0", "r1", "r2", "r3", "r12", "lr", "pc", "xpsr")  # what a core stacks (DDI 0403, B1.5.6)
_SYMBOLIC_ASSERTS = ("__assert_func", "__assert_fail", "__assert")


def known_ending(case: Case) -> Finding | None:
    """The finding when the run ended in, or below, a function whose name says what went wrong; else None."""
    execution = case.execution
    for call in execution.calls:
        function = case.program.function_at(call.entry)
        ending = failure_function(function.name) if function else None
        if ending is not None:
            return _ending_finding(case, ending, call)
    function = case.program.function_at(execution.pc)
    ending = failure_function(function.name) if function else None
    return _ending_finding(case, ending, None) if ending else None


def other_ending(case: Case) -> Finding | None:
    """The finding for any other end that is none to be content with, None for a good one."""
    execution = case.execution
    if execution.reason is ExitReason.FINISHED:
        if not execution.status:
            return None
        return Finding(
            code=Code.RUN_STATUS,
            verdict=Verdict.FAIL,
            message=f"the firmware ended with status {execution.status}",
            advice="look at its console output",
            details=tuple(call_lines(case)),
        )
    if execution.reason is ExitReason.ENDLESS_LOOP:
        entered = _entered_handler(case)
        if entered is not None:
            return entered
    handler = _handler_of(case) if execution.reason is ExitReason.ENDLESS_LOOP else ""
    detail, advice = execution.detail, _ADVICE[execution.reason]
    if execution.reason in (ExitReason.TIMEOUT, ExitReason.INSTRUCTION_LIMIT) and not case.firmware.generated:
        advice = _FOR_EVER
    begin = case.firmware.plan.begin
    if execution.reason is ExitReason.STOPPED_EARLY and case.firmware.plan.repeat and begin is not None:
        at, name = f"{begin:#010x}", case.places.name(begin)
        detail, advice = detail.replace(at, f"{name} ({at})" if name else at), _NOT_MEASURED
    return Finding(
        code=_CODES[execution.reason],
        verdict=Verdict.FAIL,
        message=f"{execution.reason} {case.places.where(execution.pc)}{case.layer}: {detail}",
        advice=advice,
        details=(*([handler] if handler else []), *call_lines(case)),
    )


def _ending_finding(case: Case, ending: FailureFunction, call: Call | None) -> Finding:
    """`call` is the one that the ending is about, None when it is only known to be running."""
    execution, places = case.execution, case.places
    site = call.returns_to - 2 if call is not None and call.returns_to is not None else execution.pc
    said = _assertion(case, call) or ending.said
    how = f"status {execution.status}" if execution.status is not None else f"{execution.reason}"
    return Finding(
        code=ending.code,
        verdict=Verdict.FAIL,
        message=f"{said}, {places.where(site)}{case.layer}",
        advice=ending.advice,
        details=(f"the run ended there: {how}, {places.where(execution.pc)}", *call_lines(case)),
    )


def _assertion(case: Case, call: Call | None) -> str:
    """The assertion as newlib would print it, "" where its arguments are not in the code."""
    blocks = case.execution.blocks
    if call is None or call.returns_to is None or blocks is None:
        return ""
    function = case.program.function_at(call.entry)
    if function is None or function.name not in _SYMBOLIC_ASSERTS:
        return ""
    given = arguments(blocks, case.program, call.returns_to)
    # __assert_func(file, line, function, expression); __assert_fail(expression, file, line, function)
    order = (0, 1, 3) if function.name == "__assert_func" else (1, 2, 0)
    file, line, expression = (given[nth] for nth in order)
    text, name = text_at(case.program, expression), text_at(case.program, file)
    if function.name == "__assert":  # newlib: (file, line, expression)
        name, line, text = text_at(case.program, given[0]), given[1], text_at(case.program, given[2])
    if not text:
        return ""
    at = f" ({name}:{line})" if name and line is not None else ""
    return f"an assertion failed: `{text}`{at}"


def _entered_handler(case: Case) -> Finding | None:
    """The finding for a loop inside an exception handler that really was entered, as the IPSR says."""
    execution, places = case.execution, case.places
    number = execution.registers.get("xpsr", 0) & 0x1FF
    if number < 2:
        return None
    name = exception_name(number)
    frame = _stacked(case)
    details = [f"stacked pc {places.short(frame['pc'] & ~1)}, lr {frame['lr']:#010x}"] if frame else []
    is_fault = number in FAULTS
    where = f"came {places.where(frame['pc'] & ~1)}" if frame else "was taken"
    return Finding(
        code=Code.FAULT_HANDLER if is_fault else Code.RUN_ENDLESS_LOOP,
        verdict=Verdict.FAIL,
        message=f"{name} {where}, and its handler waits for ever, {places.where(execution.pc)}{case.layer}",
        advice="look at the stacked pc: that instruction faulted"
        if is_fault
        else f"write a handler for {name}, or keep it disabled: this one is not made to return",
        details=(*details, *call_lines(case), *register_lines(case)),
    )


def _handler_of(case: Case) -> str:
    """Which exceptions lead to where the program loops, "" when none do."""
    function = case.program.function_at(case.execution.pc)
    if function is None:
        return ""
    table = case.firmware.plan.vectors
    if table is None and case.firmware.plan.start is None:
        table = case.board.code_memory.origin + case.board.vector_offset
    numbers = vectors_of(case.program, table, (function.address, function.address + function.size))
    return f"that is the handler of {vectors_text(numbers)}" if numbers else ""


def _stacked(case: Case) -> dict[str, int] | None:
    """The frame at the stack pointer, where a handler has not moved it since it was entered."""
    registers, stack = case.execution.registers, case.execution.stack_bytes
    high = case.firmware.plan.stack[1]
    at = registers.get("sp", 0) - (high - len(stack))
    if registers.get("lr", 0) >> 8 != 0xFFFFFF or not 0 <= at <= len(stack) - 4 * len(_FRAME):
        return None
    words = [int.from_bytes(stack[at + 4 * nth :][:4], "little") for nth in range(len(_FRAME))]
    return dict(zip(_FRAME, words, strict=True))
