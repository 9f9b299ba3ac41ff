"""What a run says about its stack: how it got to its deepest point, what is left below, how deep it could get."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mcu_harness.analysis.high_water_mark import high_water_mark
from mcu_harness.analysis.observation import Analysis, ObservedRun, Reading
from mcu_harness.analysis.stack.frames import Frames
from mcu_harness.analysis.stack.stack_path import DeepestPath, deepest_path
from mcu_harness.analysis.stack.static_stack import CallGraph, StaticStack
from mcu_harness.analysis.stack.task_stacks import task_stack_uses
from mcu_harness.emulator.contract import Execution, RunPlan
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program
from mcu_harness.results.memory_records import StackStep, StackUse
from mcu_harness.results.origin import Origin, OriginKind, not_measured
from mcu_harness.results.records import Contributor, Measurement, RunResult

_MOST_NAMED = 4


class Stack(Analysis):
    """The calls at the deepest point of the stack, the room below it, and the worst case of the call graph."""

    def read(self, run: ObservedRun) -> Reading:
        use = stack_use(run.execution, run.firmware.program, run.board, run.firmware.plan)

        def show(result: RunResult) -> RunResult:
            return replace(result, stack=use)

        return Reading(figures=stack_figures(run.execution, use), contributors=stack_contributors(use), show=show)


def stack_use(execution: Execution, program: Program, board: Board, plan: RunPlan) -> StackUse:
    """Paths and bytes; `execution` has the stack area without the heap (see `high_water_mark.above_heap`)."""
    frames = Frames(program)
    graph = CallGraph(program, frames)
    first = _first_instruction(program, board, plan)
    static = graph.worst(first) if frames.halfword(first) is not None else StaticStack(0, (), ())
    found = deepest_path(execution.blocks, program, frames) if execution.blocks is not None else None
    path, depth, note = _whole_path(found, graph, first, execution, plan) if found else ((), 0, "")
    mark = high_water_mark(execution.stack_bytes)
    return StackUse(
        path=path,
        computed_bytes=depth,
        note=_comparison(depth, mark, note) if path else note,
        static_path=static.path,
        static_bytes=static.nbytes,
        open_ends=static.open_ends,
        below=_below(execution, program, board, plan),
        tasks=task_stack_uses(execution.task_stacks, program),
    )


def stack_figures(execution: Execution, use: StackUse) -> tuple[Measurement, ...]:
    """The margin under the stack and the static worst case."""
    mark = high_water_mark(execution.stack_bytes)
    margin = None if mark is None else len(execution.stack_bytes) - mark
    return (
        Measurement.of(
            "stack_margin_bytes",
            margin,
            Origin(OriginKind.SCANNED, f"from the lowest byte used down to {use.below}")
            if margin is not None
            else not_measured("no stack was painted"),
        ),
        Measurement.of(
            "stack_static_bytes",
            use.static_bytes if use.static_path else None,
            static_origin(use) if use.static_path else not_measured("the image has no code where execution starts"),
        ),
    )


def static_origin(use: StackUse) -> Origin:
    """How the static worst case was obtained, and what is not in it."""
    start = use.static_path[0].function
    found = Origin(OriginKind.COMPUTED, f"deepest path of the call graph from {start}, without exceptions")
    if not use.open_ends:
        return found
    more = len(use.open_ends) - _MOST_NAMED
    named = use.open_ends[:_MOST_NAMED]
    return found.and_(f"at least, since {named[0]}", *named[1:], *([f"and {more} more"] if more > 0 else []))


def stack_contributors(use: StackUse) -> dict[str, tuple[Contributor, ...]]:
    """The functions on the paths, largest first, by measurement name."""
    return {"stack_hwm_bytes": _largest(use.path), "stack_static_bytes": _largest(use.static_path)}


def _largest(path: tuple[StackStep, ...]) -> tuple[Contributor, ...]:
    sums: dict[str, int] = {}
    for step in path:
        sums[step.function] = sums.get(step.function, 0) + step.nbytes
    ordered = sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Contributor(f"function {name}", nbytes) for name, nbytes in ordered if nbytes)


def _first_instruction(program: Program, board: Board, plan: RunPlan) -> int:
    """Where execution starts: said by the plan, else by the vector table, else by the image."""
    if plan.start is not None:
        return plan.start[1] & ~1
    vectors = board.code_memory.origin + board.vector_offset if plan.vectors is None else plan.vectors
    reset = program.loaded_word(vectors + 4)
    return program.entry if reset is None else reset & ~1


@dataclass(frozen=True, slots=True)
class _Above:
    """What was on the stack before the path begins: the calls that led there, and how much it is."""

    steps: tuple[StackStep, ...]
    nbytes: int


def _whole_path(
    found: DeepestPath, graph: CallGraph, first: int, execution: Execution, plan: RunPlan
) -> tuple[tuple[StackStep, ...], int, str]:
    """From the first instruction on: path, depth, and what is doubtful about them."""
    low, high = plan.stack
    pointer = execution.window_stack
    if pointer is not None and not low <= pointer <= high:
        return found.steps, found.depth, "it is on a stack of its own, which was not painted"
    nbytes = None if pointer is None else high - pointer + found.base
    above = _Above((), 0)
    if found.entry != first or nbytes:
        steps = graph.callers(first, found.entry, nbytes)
        if steps is not None:
            above = _Above(steps, sum(step.nbytes for step in steps))
        elif nbytes is not None and nbytes > 0:
            above = _Above((StackStep("(what was there before)", nbytes),), nbytes)
    path = (*above.steps, *found.steps)
    return path, sum(step.nbytes for step in path), found.doubt


def _comparison(depth: int, mark: int | None, doubt: str) -> str:
    """How what the frames add up to compares with the painted mark."""
    if doubt:
        return f"approximate: {doubt}"
    if mark is None or depth == mark:
        return "" if mark is None else "equal to the painted mark"
    if depth > mark:
        return f"{depth - mark} B more than the painted mark: reserved and never written"
    return f"{mark - depth} B less than the painted mark: the deepest point is outside of what was measured"


def _below(execution: Execution, program: Program, board: Board, plan: RunPlan) -> str:
    """What lies right under the stack area: the heap, the last thing in RAM, or nothing."""
    low = plan.stack[0]
    if execution.heap is not None and execution.heap[1] > low:
        return "the end of the heap"
    memory = next((m for m in board.memories if m.kind == "ram" and m.origin <= low <= m.end), None)
    origin = memory.origin if memory else 0
    sections = [s for s in program.sections if origin <= s.address < low and s.end <= low + 7]
    if not sections:
        return f"the start of {memory.name}" if memory else "the end of what is known"
    last = max(sections, key=lambda section: section.end)
    inside = [s for s in program.symbols if last.address <= s.address < last.end and s.size]
    if not inside:
        return f"the end of {last.name}"
    return f"{max(inside, key=lambda s: (s.address + s.size, s.name)).name} in {last.name}"
