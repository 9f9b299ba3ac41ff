"""What went wrong in a run, as findings: how it ended, where, in which layer, why, and what to do about it."""

from __future__ import annotations

from mcu_harness.analysis.address_names import Places
from mcu_harness.analysis.diagnose.context import Case
from mcu_harness.analysis.diagnose.endings import known_ending, other_ending
from mcu_harness.analysis.diagnose.explain_fault import fault_finding
from mcu_harness.analysis.diagnose.stack import is_overflow_fault, stack_finding
from mcu_harness.analysis.diagnose.waiting import describe, waiting_finding
from mcu_harness.analysis.diagnose.window_notes import window_notes
from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading
from mcu_harness.base.text import one_line
from mcu_harness.emulator.contract import BlockCounts, Execution, ExitReason, FaultKind
from mcu_harness.hardware.arm.thumb import instruction_size
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program, Section
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, Verdict

# Faults that programs run into on purpose, when a check has failed.
_ON_PURPOSE = (FaultKind.BREAKPOINT, FaultKind.UNDEFINED, FaultKind.RESET_REQUEST)


class Diagnosis(Analysis):
    """How the run ended, and why it did not end well where it did not."""

    def read(self, run: ObservedRun) -> Reading:
        findings = tuple(execution_findings(run.execution, run.firmware, run.board))
        notes = [
            *run_notes(run.execution, run.firmware.program, run.board),
            *window_notes(run.execution, run.firmware.plan),
        ]
        waits = any(finding.code == Code.RUN_WAITING for finding in findings)
        return Reading(
            findings=findings, notes=tuple(note for note in notes if not (waits and note.code == Code.FIRMWARE_END))
        )


def execution_findings(execution: Execution, firmware: FirmwareUnderTest, board: Board) -> list[Finding]:
    """Findings for a run that did not end well or used up its stack; [] for a good one."""
    case = Case(execution, firmware, board, Places(firmware.program, firmware.code_regions))
    findings = []
    overflow = stack_finding(case)
    if overflow is not None:
        findings.append(overflow)
    end = _end(case)
    # A fault right below the stack is the overflow itself.
    if end is not None and not is_overflow_fault(case):
        findings.append(end)
    return findings


def _end(case: Case) -> Finding | None:
    execution = case.execution
    if execution.reason is ExitReason.FINISHED and not execution.status:
        ended = execution.detail and execution.status is None
        return known_ending(case) or waiting_finding(case) if ended else None
    kind = execution.fault.kind if execution.fault else None
    if execution.reason is ExitReason.FAULT:
        return (known_ending(case) if kind in _ON_PURPOSE else None) or fault_finding(case)
    return known_ending(case) or waiting_finding(case) or other_ending(case)


def run_notes(execution: Execution, program: Program, board: Board) -> list[Finding]:
    """What a reader of the figures should know of a run, though nothing is wrong with it."""
    notes = []
    if execution.reason is ExitReason.FINISHED and execution.detail:
        notes.append(
            Finding(
                code=Code.FIRMWARE_END,
                verdict=Verdict.PASS,
                message=f"the run ended {Places(program).where(execution.pc)}: {execution.detail}",
                advice="if that is not where it should end, name the place with `stop`",
            )
        )
    if execution.made_up:
        shown = ", ".join(describe(address, board.part) for address in execution.made_up[:8])
        more = f" and {len(execution.made_up) - 8} more" if len(execution.made_up) > 8 else ""
        notes.append(
            Finding(
                code=Code.FIRMWARE_MADE_UP_REGISTERS,
                verdict=Verdict.PASS,
                message=f"the program waited for device registers that the embedded emulator has no model of, and got "
                f"made-up answers so that it would go on: {shown}{more}",
                advice="what it does with these devices is not to be trusted; Renode models many of them",
            )
        )
    inside = _entered_inside(execution.blocks, program) if execution.blocks is not None else []
    if inside:
        places = Places(program)
        more = f", and at {len(inside) - 1} more places" if len(inside) > 1 else ""
        notes.append(
            Finding(
                code=Code.FIRMWARE_INSIDE_INSTRUCTION,
                verdict=Verdict.PASS,
                message=f"code is entered in the middle of an instruction that also runs, {places.where(inside[0])}{more}",
                advice="nearly always a wrong jump: look at what leads there",
            )
        )
    notes += [_overlays(program, group) for group in program.overlays]
    return notes


def _entered_inside(blocks: BlockCounts, program: Program) -> list[int]:
    """Where blocks begin in the second half of an instruction of another block, but for overlays, which are several pieces of code."""
    wide: set[int] = set()
    for start, code in zip(blocks.block_address.tolist(), blocks.block_code, strict=True):
        at = 0
        while at < len(code):
            size = instruction_size(int.from_bytes(code[at : at + 2], "little"))
            if size > 2:
                wide.add(start + at + 2)
            at += size
    found = sorted(wide & set(blocks.block_address.tolist()))
    shared = [(group[0].address, max(section.end for section in group)) for group in program.overlays]
    return [address for address in found if not any(low <= address < high for low, high in shared)]


def _overlays(program: Program, group: list[Section]) -> Finding:
    """What is told apart of overlays that share memory."""
    names = one_line(", ".join(section.name for section in group))
    low, high = group[0].address, max(section.end for section in group)
    active = [section.name for section in group if section.name not in program.idle]
    several = [one for one in program.several_at if low <= one.address < high]
    message = f"{names} are overlays that share the memory at {low:#010x}: "
    if len(active) == 1:
        message += f"by its bytes, what ran there was {one_line(active[0])}"
    elif several:
        message += (
            "functions of several that lie at one address are one row, with the names of all, and where their code has blocks of one length at one "
            "address, calls and cycles are those of the block that ran first"
        )
    else:
        message += "no functions of two of them lie at one address"
    return Finding(
        code=Code.FIRMWARE_OVERLAYS,
        verdict=Verdict.PASS,
        message=f"{message}. Their source is not in coverage",
        advice="measure overlays in images of their own to tell them apart" if several else "",
    )
