"""Checks every executed instruction against the board's real core, since emulators execute what the core does not have.

Checked are all blocks that ran, inside and outside of windows, and whether the FPU was switched on before it was used.
Instructions that an IT block skipped count as executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mcu_harness.analysis.address_names import Places
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading
from mcu_harness.emulator.contract import Execution
from mcu_harness.hardware.arm.decoder import disassembled
from mcu_harness.hardware.arm.instruction_set import FLOATING, Part, part_of, parts_of
from mcu_harness.hardware.arm.thumb import instruction_size
from mcu_harness.hardware.board import Board
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, Verdict

_MOST_PLACES = 8
_USAGE_FAULT = "UsageFault, or HardFault while that is not enabled in SHCSR"
_CPACR = "0xE000ED88"
_SWITCH_ON = f"*(volatile uint32_t *){_CPACR} |= 0xFu << 20; then DSB and ISB"


@dataclass(frozen=True, slots=True)
class Breach:
    """An instruction that the core does not have. `executions` None = not counted (outside of windows)."""

    address: int
    code: bytes
    part: Part
    executions: int | None = None
    layer: str = ""


class CoreConformance(Analysis):
    """Whether everything that ran is something that the board's core can do."""

    def read(self, run: ObservedRun) -> Reading:
        places = Places(run.firmware.program, run.firmware.code_regions)
        return Reading(findings=tuple(law_findings(run.execution, run.board, places)))


def law_findings(execution: Execution, board: Board, places: Places) -> list[Finding]:
    """What the run did that the board would not have done; [] for a run that keeps to it."""
    found: dict[Part, list[Breach]] = {}
    for breach in _breaches(execution, board, places):
        found.setdefault(breach.part, []).append(breach)
    findings = [instruction_finding(breaches, board, places) for breaches in found.values()]
    findings += _fetch_findings(execution, board, places)
    if execution.fpu_off_at is not None and not found.keys() & FLOATING:
        findings.append(fpu_finding(execution.fpu_off_at, board, places))
    return findings


def _fetch_findings(execution: Execution, board: Board, places: Places) -> Iterator[Finding]:
    """Code that ran in a memory that the core cannot fetch from: one emulator lets it."""
    closed = [memory for memory in board.memories if not memory.has_code]
    starts = {address for address, _ in execution.elsewhere}
    if execution.blocks is not None and closed:
        starts |= set(execution.blocks.block_address.tolist())
    for memory in closed:
        first = min((address for address in starts if memory.holds(address)), default=None)
        if first is not None:
            yield Finding(
                code=Code.LAW_FETCH,
                verdict=Verdict.FAIL,
                message=f"code runs from {memory.name}, {places.where(first)}: the core cannot fetch instructions from there",
                advice=f"link this code into another memory than {memory.name}",
                details=(
                    "on the board: BusFault, or HardFault while that is not enabled in SHCSR, CFSR 0x00000100 (IBUSERR)",
                ),
            )


def instruction_finding(breaches: Sequence[Breach], board: Board, places: Places, stopped: bool = False) -> Finding:
    """The finding for instructions of one part, in the order in which they are to be shown.

    `stopped`: the emulator refused the first of them, which ended the run; otherwise it executed all of them.
    """
    first = breaches[0]
    text = disassembled(first.code, first.address)
    layer = f", layer {first.layer}" if first.layer else ""
    told = "the emulator stopped there" if stopped else "the emulator executed it all the same"
    details = [f"on the board: {_consequence(first.part, board)}; {told}"]
    if first.executions is not None or len(breaches) > 1:
        details += [_line(breach, places) for breach in breaches[:_MOST_PLACES]]
    if len(breaches) > _MOST_PLACES:
        details.append(f"and {len(breaches) - _MOST_PLACES:,} more instructions that need {first.part}")
    need = f"it needs {first.part}; the board has {_has(board)}"
    return Finding(
        code=Code.LAW_INSTRUCTION,
        verdict=Verdict.FAIL,
        message=f"the {board.core.title} of {board.name} has no `{text}`, {places.where(first.address)}{layer}: {need}",
        advice=_advice(first.part, board),
        details=tuple(details),
    )


def fpu_finding(address: int, board: Board, places: Places, stopped: bool = False) -> Finding:
    """The finding for the FPU used while it was off, first at `address`."""
    told = "the emulator stopped there" if stopped else "the emulator executed it all the same"
    return Finding(
        code=Code.LAW_FPU_OFF,
        verdict=Verdict.FAIL,
        message=f"the FPU is used while it is off, {places.where(address)}: "
        f"coprocessors 10 and 11 were not enabled in CPACR ({_CPACR})",
        advice=f"in the reset handler, before anything that may use the FPU: {_SWITCH_ON}",
        details=(f"on the board: {_USAGE_FAULT}, CFSR 0x00080000 (NOCP); {told}",),
    )


def _breaches(execution: Execution, board: Board, places: Places) -> Iterator[Breach]:
    """Every instruction that the core does not have, once, the most executed first."""
    allowed = parts_of(board)
    found: dict[int, Breach] = {}
    blocks = execution.blocks
    if blocks is not None:
        counts = np.zeros(len(blocks.block_code), np.int64)
        np.add.at(counts, blocks.edge_current, blocks.edge_count)
        for block, (start, code) in enumerate(zip(blocks.block_address.tolist(), blocks.block_code, strict=True)):
            for address, instruction, part in _foreign(start, code, allowed):
                before = found[address].executions or 0 if address in found else 0
                layer = places.layer_of_block(blocks, block)
                found[address] = Breach(address, instruction, part, before + int(counts[block]), layer)
    for start, code in execution.elsewhere:
        for address, instruction, part in _foreign(start, code, allowed):
            found.setdefault(address, Breach(address, instruction, part))
    yield from sorted(found.values(), key=lambda breach: (-(breach.executions or 0), breach.address))


def _foreign(start: int, code: bytes, allowed: frozenset[Part]) -> Iterator[tuple[int, bytes, Part]]:
    at = 0
    while at < len(code):
        size = instruction_size(int.from_bytes(code[at : at + 2], "little"))
        part = part_of(code[at : at + size])
        if part not in allowed and part is not Part.UNDEFINED:  # which every emulator refuses
            yield start + at, code[at : at + size], part
        at += size


def _line(breach: Breach, places: Places) -> str:
    times = "outside of what is measured" if breach.executions is None else f"executed {breach.executions:,} times"
    layer = f", layer {breach.layer}" if breach.layer else ""
    return f"{places.short(breach.address)}: {disassembled(breach.code, breach.address)}, {times}{layer}"


def _consequence(part: Part, board: Board) -> str:
    if not board.core.architecture.has_fault_status:
        return "HardFault"
    if part in (Part.HELIUM, Part.COPROCESSOR) or (part in FLOATING and board.fpu == "none"):
        return f"{_USAGE_FAULT}, CFSR 0x00080000 (NOCP)"
    return f"{_USAGE_FAULT}, CFSR 0x00010000 (UNDEFINSTR)"


def _has(board: Board) -> str:
    fpu = "no FPU" if board.fpu == "none" else f"the FPU {board.fpu}"
    dsp = "no DSP extension, " if board.core.dsp == "optional" and not board.dsp else ""
    return f"{board.core.architecture.title}, {dsp}{fpu}"


def _advice(part: Part, board: Board) -> str:
    no_dsp = "+nodsp" if board.core.dsp == "optional" and not board.dsp else ""
    flags = f"-mcpu={board.core.gcc_cpu}{no_dsp}"
    if part in FLOATING:
        flags += " -mfloat-abi=soft" if board.fpu == "none" else f" -mfpu={board.fpu}"
    return f"compile everything for this board, libraries too ({flags}), or choose the board it was compiled for"
