"""The call path at the deepest point of the stack, out of what was executed.

Painting gives the depth and no more. Here each calling context gets the depth that its functions' frames add up to, at the
instructions that really ran. A frame may hold bytes that are never written, which paint cannot show.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.analysis.stack.frames import Frame, Frames
from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.hardware.arm.thumb import CALL, PLAIN, UNKNOWN_TARGET, block_end, instruction_size
from mcu_harness.image.program import Program
from mcu_harness.results.memory_records import StackStep

# What a core pushes when it takes an exception, without floating-point state (Armv7-M ARM, B1.5.6).
EXCEPTION_FRAME = 32


@dataclass(frozen=True, slots=True)
class DeepestPath:
    """Depths are bytes below the stack pointer at the start of the first window.

    `steps` lead from the function at `entry`, which was entered at depth `base` (less than 0: before the window), to
    the deepest point. `doubt` says why that may not be exact, "" where it is.
    """

    steps: tuple[StackStep, ...]
    entry: int
    base: int
    doubt: str

    @property
    def depth(self) -> int:
        return self.base + sum(step.nbytes for step in self.steps)


def deepest_path(counts: BlockCounts, program: Program, frames: Frames) -> DeepestPath | None:
    """The path of calls that took most stack; None where nothing was counted."""
    return _Contexts(counts, program, frames).path() if len(counts.edge_count) else None


class _Contexts:
    """Depths by calling context."""

    def __init__(self, counts: BlockCounts, program: Program, frames: Frames) -> None:
        self._counts = counts
        self._program = program
        self._frames = frames
        self._doubts: dict[int, str] = {}  # by context
        self._parents = counts.context_parent.tolist()
        self._functions = [self._function(entry) for entry in counts.context_entry.tolist()]
        self._addresses = counts.block_address.tolist()
        self._instructions = [_places(*block) for block in zip(self._addresses, counts.block_code, strict=True)]
        self._ends = [block_end(code, at) for at, code in zip(self._addresses, counts.block_code, strict=True)]
        self._at_entry: dict[int, int] = {}  # depth where the context's function was entered
        self._own: dict[int, int] = {}  # and the most on top of that while it ran itself
        self._measure()

    def path(self) -> DeepestPath:
        context = max(self._own, key=lambda c: (self._at_entry[c] + self._own[c], -c))
        below = self._at_entry[context] + self._own[context]
        steps: list[StackStep] = []
        first, base, doubt = context, below, ""
        while context >= 0:
            at_entry = self._at_entry[context]
            if at_entry <= below:  # else it had returned to what the window began in
                steps.append(StackStep(self._name(context), below - at_entry))
                below = base = at_entry
                first = context
                doubt = doubt or self._doubts.get(context, "")
            context = self._parents[context]
        return DeepestPath(tuple(reversed(steps)), self._functions[first], base, doubt)

    def _measure(self) -> None:
        counts = self._counts
        steps: list[list[tuple[int, int]]] = [[] for _ in self._parents]  # by context: from block to block
        columns = (counts.edge_context, counts.edge_previous, counts.edge_current)
        for context, previous, current in zip(*(column.tolist() for column in columns), strict=True):
            steps[context].append((previous, current))
        ran = [{current for _, current in inside} for inside in steps]
        self._at_entry[0] = -self._before(0, int(counts.context_entry[0]))
        for context, inside in enumerate(steps):  # parents come before their children
            parent = self._parents[context]
            if parent >= 0:
                from_parent = [(p, c) for p, c in inside if p in ran[parent]]
                entered = [(p, c) for p, c in from_parent if self._is_entry(context, p, c)]
                # Without any: it was gone back into, by a return out of what the window began in.
                depths = [self._on_arrival(context, parent, *step) for step in entered or from_parent]
                if any(previous < 0 for previous, _ in inside):  # an exception, where the emulator says so
                    depths.append(self._interrupted(parent))
                self._at_entry[context] = max(depths, default=self._at_entry[parent])
            if inside:
                self._own[context] = max(self._deepest_in(context, current) for _, current in inside)

    def _is_entry(self, context: int, previous: int, current: int) -> bool:
        """Whether this step enters the context at its beginning, and does not only go on in it."""
        if self._addresses[current] != int(self._counts.context_entry[context]):
            return False
        return (
            self._ends[previous].kind == CALL or self._function(self._addresses[previous]) != self._functions[context]
        )

    def _on_arrival(self, context: int, parent: int, previous: int, current: int) -> int:
        """How deep it was where the context's function was entered, by a step into it out of its parent."""
        to = self._addresses[current]
        if not self._leads_to(previous, to):
            return self._interrupted(parent)
        left = self._depths(parent, self._instructions[previous][-1])[1]
        return self._at_entry[parent] + left - self._before(context, to)

    def _leads_to(self, block: int, to: int) -> bool:
        """Whether anything in `block` does: if not, an exception came."""
        end = self._ends[block]
        if end.kind != PLAIN and end.target == UNKNOWN_TARGET:
            return True
        return to in (end.target, self._addresses[block] + end.size)

    def _interrupted(self, context: int) -> int:
        """How deep it was at most where an exception was taken in a context: recorders do not say at which place."""
        self._doubts[context] = f"an exception was taken in {self._name(context)}, whose frame is 32 B or more"
        return self._at_entry[context] + self._own.get(context, 0) + EXCEPTION_FRAME

    def _deepest_in(self, context: int, block: int) -> int:
        return max(self._depths(context, at)[1] for at in self._instructions[block])

    def _before(self, context: int, address: int) -> int:
        return self._depths(context, address)[0]

    def _depths(self, context: int, address: int) -> tuple[int, int]:
        frame: Frame = self._frames.at(self._functions[context])
        if frame.unknown:
            self._doubts[context] = f"{self._name(context)} {frame.unknown}"
        found = frame.depths.get(address)
        if found is None:
            self._doubts[context] = f"not all of {self._name(context)} could be followed"
            return frame.deepest, frame.deepest
        return found

    def _function(self, address: int) -> int:
        function = self._program.function_at(address)
        return function.address if function is not None else address

    def _name(self, context: int) -> str:
        function = self._program.function_at(self._functions[context])
        return function.name if function is not None else f"{self._functions[context]:#010x}"


def _places(start: int, code: bytes) -> list[int]:
    """Where each instruction of a block is."""
    found, at = [], 0
    while at < len(code):
        found.append(start + at)
        at += instruction_size(int.from_bytes(code[at : at + 2], "little"))
    return found
