"""What a memory trace says of a run: accesses per layer and object, and reads of what was never written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from mcu_harness.analysis.address_names import Places
from mcu_harness.analysis.firmware_under_test import FirmwareUnderTest
from mcu_harness.analysis.memory.objects import Layout, MemoryObjects, cuts
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading, Request
from mcu_harness.analysis.profile.costs import mean
from mcu_harness.emulator.contract import DataTrace, Execution, FaultKind, RunPlan, TraceRequest
from mcu_harness.emulator.emulators import EMULATORS, Need, emulator_entry
from mcu_harness.hardware.board import Board
from mcu_harness.model.codegen.sources import ARENA_SYMBOL
from mcu_harness.results.access_records import MemoryAccesses, MemoryObject, ObjectAccesses
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.records import Finding, RunResult, Verdict

_MOST_DETAILS = 20
_OUTSIDE = -1


class AccessCounts(Analysis):
    """Where a memory trace was asked for: what read and wrote what, and reads of what was never written."""

    reads_costs = True  # of layers as the profile has them

    @classmethod
    def asked(cls, request: Request) -> Self | None:
        return cls() if request.memory_trace else None

    def plan(self, plan: RunPlan, firmware: FirmwareUnderTest, board: Board, emulator: str) -> RunPlan:
        return with_request(plan, firmware, board, emulator)

    def read(self, run: ObservedRun) -> Reading:
        accesses, notes = traced(run.execution, run.firmware, run.board, run.emulator.name)

        def show(result: RunResult) -> RunResult:
            return replace(result, accesses=accesses)

        return Reading(notes=tuple(notes), show=show)


def with_request(plan: RunPlan, firmware: FirmwareUnderTest, board: Board, emulator: str) -> RunPlan:
    """`plan` with a trace of the whole run, by object, where that emulator can."""
    if not _can_trace(emulator):
        return plan
    request = plan.trace or TraceRequest()
    return replace(plan, trace=replace(request, cuts=cuts(layout_of(firmware, board)), whole=True))


def layout_of(firmware: FirmwareUnderTest, board: Board) -> Layout:
    """Where the objects of firmware lie."""
    arena_at = firmware.program.symbol(ARENA_SYMBOL).address if firmware.arena else 0
    grows = firmware.plan.sbrk is not None
    return Layout(firmware.program, board, firmware.plan.stack, firmware.arena, arena_at, grows)


def traced(
    execution: Execution, firmware: FirmwareUnderTest, board: Board, emulator: str
) -> tuple[MemoryAccesses, list[Finding]]:
    """The accesses of a run that was to be traced, and what they give reason to say."""
    data = execution.whole
    if data is None:
        accesses = MemoryAccesses(missing=_why_missing(emulator))
        able = " or ".join(entry.name for entry in EMULATORS if Need.MEMORY_TRACE in entry.has)
        advice = "leave --memory-trace out" if _can_trace(emulator) else f"use --emulator {able}, which has one"
        message = f"memory accesses: {accesses.missing}"
        return accesses, [Finding(Code.MEMORY_NOT_TRACED, Verdict.PASS, message, advice)]
    objects = MemoryObjects(layout_of(firmware, board), execution.heap)
    closed = len(execution.window_instructions)
    windows = max(1, sum(firmware.times[:closed]) or closed)
    owners = _owners(execution, firmware)
    places = Places(firmware.program, firmware.code_regions)
    findings = uninitialised(data, owners, objects, places)
    if (
        execution.fault is None or execution.fault.kind is not FaultKind.UNALIGNED
    ):  # else that is what the run ended with
        findings += unaligned(data, board, places)
    return per_object(data, owners, objects, windows), findings


def _can_trace(emulator: str) -> bool:
    return Need.MEMORY_TRACE in emulator_entry(emulator).has


def _why_missing(emulator: str) -> str:
    if not _can_trace(emulator):
        return f"not measured: {emulator} has no memory trace here"
    return "not measured: where this build of the emulator keeps its registers was not found (it has to be Linux)"


def _owners(execution: Execution, firmware: FirmwareUnderTest) -> list[int]:
    """The layer of each context, -1 outside of all."""
    if execution.blocks is None:
        return []
    # Late: the disassembler behind it is not needed without a trace.
    from mcu_harness.analysis.profile.call_tree import CallTree

    outside = len(firmware.code_regions)
    tree = CallTree(execution.blocks, None, firmware.program)
    found = tree.owners([part.entries for part in firmware.code_regions])
    return [_OUTSIDE if owner == outside else owner for owner in found]


def per_object(data: DataTrace, owners: list[int], objects: MemoryObjects, windows: int) -> MemoryAccesses:
    """The accesses of the windows, per inference; `owners` says the layer of each context, -1 outside of all."""
    sums: dict[tuple[int, int, bool], list[int]] = defaultdict(lambda: [0, 0])
    for context, low, write, count, size in zip(
        data.context.tolist(),
        data.low.tolist(),
        data.write.tolist(),
        data.count.tolist(),
        data.size.tolist(),
        strict=True,
    ):
        if context < 0:  # outside of the windows
            continue
        entry = sums[owners[context] if context < len(owners) else _OUTSIDE, low, write]
        entry[0] += count
        entry[1] += count * size
    rows: dict[tuple[int, MemoryObject], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (layer, low, write), (count, moved) in sums.items():
        row = rows[layer, objects.at(low, layer, write)]
        row[2 * write] += count
        row[2 * write + 1] += moved
    weights: dict[MemoryObject, int] = defaultdict(int)
    for (_, found), row in rows.items():
        weights[found] += row[1] + row[3]
    ordered = sorted(weights, key=lambda found: (-weights[found], found.address, found.name))
    index = {found: nth for nth, found in enumerate(ordered)}
    keys = sorted(rows, key=lambda key: (key[0] == _OUTSIDE, key[0], index[key[1]]))
    return MemoryAccesses(
        tuple(ordered),
        tuple(ObjectAccesses(key[0], index[key[1]], *(mean(value, windows) for value in rows[key])) for key in keys),
    )


def uninitialised(data: DataTrace, owners: list[int], objects: MemoryObjects, places: Places) -> list[Finding]:
    """A note on reads of RAM that nothing had written since reset, anywhere in the run; [] without any.

    What an instruction read that was written by somebody before, as dead parts of the stack are, is not among them.
    """
    reads: dict[tuple[str, int], tuple[int, int]] = {}
    for nth in data.unwritten.nonzero()[0].tolist():
        context = int(data.context[nth])
        layer = owners[context] if 0 <= context < len(owners) else _OUTSIDE
        name = objects.at(int(data.low[nth]), layer, write=False).name
        count, first = int(data.unwritten[nth]), int(data.first_unwritten[nth])
        before = reads.get((name, int(data.instruction[nth])), (0, first))
        reads[name, int(data.instruction[nth])] = (before[0] + count, min(before[1], first))
    if not reads:
        return []
    ordered = sorted(reads.items(), key=lambda item: (-item[1][0], item[0]))
    (name, instruction), (_, first) = ordered[0]
    total = sum(count for count, _ in reads.values())
    details = [
        f"{count:,} of {name}, first at {at:#010x}, {places.where(place)}"
        for (name, place), (count, at) in ordered[:_MOST_DETAILS]
    ]
    return [
        Finding(
            code=Code.MEMORY_UNINITIALISED_READ,
            verdict=Verdict.PASS,
            message=f"{total:,} reads of RAM that nothing had written: of {name} at {first:#010x}, "
            f"{places.where(instruction)}" + _and_more(len(ordered)),
            advice="give it a value before it is read; on the board it holds whatever was there at power-on",
            details=_listed(details, len(ordered)),
        )
    ]


def unaligned(data: DataTrace, board: Board, places: Places) -> list[Finding]:
    """A failing finding for accesses that the emulator did and the board's core would fault at; [] without any."""
    counts: dict[int, int] = defaultdict(int)
    for nth in data.unaligned.nonzero()[0].tolist():
        counts[int(data.instruction[nth])] += int(data.unaligned[nth])
    if not counts:
        return []
    ordered = sorted(counts, key=lambda instruction: (-counts[instruction], instruction))
    details = [f"{counts[place]:,} times {places.where(place)}" for place in ordered[:_MOST_DETAILS]]
    return [
        Finding(
            code=Code.LAW_UNALIGNED,
            verdict=Verdict.FAIL,
            message=f"{sum(counts.values()):,} accesses are not aligned and a fault on the {board.core.name}: "
            f"{places.where(ordered[0])}" + _and_more(len(ordered)),
            advice="look at where the pointer in that line comes from; bytes of other alignment are copied with memcpy",
            details=_listed(details, len(ordered)),
        )
    ]


def _and_more(places: int) -> str:
    """What follows the first of so many places in a sentence."""
    return f", and in {places - 1} more places" if places > 1 else ""


def _listed(details: Sequence[str], places: int) -> tuple[str, ...]:
    """A line for each of several places, as far as they are shown; one place stands in the message already."""
    rest = places - _MOST_DETAILS
    return (*details, *([f"and {rest} more places"] if rest > 0 else [])) if places > 1 else ()
