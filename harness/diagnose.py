"""What went wrong in a run, as findings: how it ended, where, and in which layer."""

from __future__ import annotations

from harness.elf import Program
from harness.emulator import STACK_PAINT, Execution, ExitReason
from harness.records import Finding, Verdict

_ADVICE = {
    ExitReason.TIMEOUT: "give it more time, or look for a loop in the function named that never ends",
    ExitReason.INSTRUCTION_LIMIT: "look for a loop in the function named that never ends",
    ExitReason.FAULT: "look at the function named: a bad pointer, or more stack than there is",
    ExitReason.ENDLESS_LOOP: "the firmware waits there for ever: a failed check, or a fault handler",
    ExitReason.STOPPED_EARLY: "the firmware ended before it had run every input",
}
_CODES = {
    ExitReason.TIMEOUT: "run.timeout",
    ExitReason.INSTRUCTION_LIMIT: "run.instruction-limit",
    ExitReason.FAULT: "run.fault",
    ExitReason.ENDLESS_LOOP: "run.endless-loop",
    ExitReason.STOPPED_EARLY: "run.stopped-early",
}


def execution_findings(execution: Execution, program: Program) -> list[Finding]:
    """Findings for a run that did not finish, ended with a status, or used up its stack; [] for a good one."""
    findings = []
    if execution.stack_bytes and execution.stack_bytes[0] != STACK_PAINT:
        size = len(execution.stack_bytes)
        findings.append(
            Finding(
                code="run.stack-overflow",
                verdict=Verdict.FAIL,
                message=f"the stack used all of its {size:,} B and may have overwritten the data below it",
                advice="use a smaller model or a board with more RAM; look for large locals and deep calls",
                limit=size,
                unit="B",
            )
        )
    if execution.reason is not ExitReason.FINISHED:
        findings.append(
            Finding(
                code=_CODES[execution.reason],
                verdict=Verdict.FAIL,
                message=f"{execution.reason} {_place(execution, program)}: {execution.detail}",
                advice=_ADVICE[execution.reason],
            )
        )
    elif execution.status:
        findings.append(
            Finding(
                code="run.status",
                verdict=Verdict.FAIL,
                message=f"the firmware ended with status {execution.status}",
                advice="look at its console output",
            )
        )
    return findings


def run_notes(execution: Execution, program: Program) -> list[Finding]:
    """What a reader of the figures should know of a run, though nothing is wrong with it."""
    notes = []
    if execution.reason is ExitReason.FINISHED and execution.detail:
        notes.append(
            Finding(
                code="firmware.end",
                verdict=Verdict.PASS,
                message=f"the run ended {_place(execution, program)}: {execution.detail}",
                advice="if that is not where it should end, name the place with `stop`",
            )
        )
    if execution.made_up:
        shown = ", ".join(f"{address:#010x}" for address in execution.made_up[:8])
        more = f" and {len(execution.made_up) - 8} more" if len(execution.made_up) > 8 else ""
        notes.append(
            Finding(
                code="firmware.made-up-registers",
                verdict=Verdict.PASS,
                message=f"the program waited for device registers that the embedded emulator has no model of, and got "
                f"made-up answers so that it would go on: {shown}{more}",
                advice="what it does with these devices is not to be trusted; Renode models many of them",
            )
        )
    return notes


def _place(execution: Execution, program: Program) -> str:
    function = program.function_at(execution.pc)
    name = f"in {function.name} " if function else "outside all functions "
    return f"{name}at {execution.pc:#010x}"
