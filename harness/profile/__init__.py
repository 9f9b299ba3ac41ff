"""From executed blocks to a profile: instructions and cycles per layer, per function and per call path, and stack use.

All figures are per inference: sums over the measured windows, divided by their number. Sums of parts equal the whole:
layers and overhead together are everything that was counted, and so are the nodes of the call tree.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from harness.board import Board
from harness.elf import Program
from harness.emulator import Execution
from harness.profile.stack import high_water_mark
from harness.records import CallNode, FunctionResult

Number = float | int


@dataclass(frozen=True, slots=True)
class Contexts:
    """Calls: what runs in the contexts `roots` (indexes in `BlockCounts`) and below them."""

    roots: frozenset[int]


# The symbol of a layer's function, the addresses of several functions, or single calls.
Layer = str | Collection[int] | Contexts


@dataclass(frozen=True, slots=True)
class Cost:
    """Instructions and cycles; cycles None = not measured."""

    instructions: Number
    cycles: Number | None

    def mean(self, windows: int) -> Cost:
        """A sum over windows, per window."""
        return Cost(mean(self.instructions, windows), None if self.cycles is None else mean(self.cycles, windows))


@dataclass(frozen=True, slots=True)
class Profile:
    """`layers[i]` is layer i with everything called from it; `overhead` is what runs outside all layers.

    `cycles_origin` says how cycles were obtained and how far they can be trusted; `cycle_model` names the model and
    its version. `stack_hwm_bytes` is None when the stack was not painted.
    """

    instructions: Number
    cycles: Number | None
    cycles_origin: str
    cycle_model: str
    layers: tuple[Cost, ...]
    overhead: Cost
    functions: tuple[FunctionResult, ...]
    calls: tuple[CallNode, ...]
    stack_hwm_bytes: int | None


def profile(
    execution: Execution, program: Program, layers: Sequence[Layer], board: Board, times: Sequence[int] = ()
) -> Profile:
    """The profile of a finished run; without recorded blocks, only totals and stack use.

    `times` says how many inferences each window holds, where it is not one each.
    """
    windows = max(1, sum(times) or len(execution.window_instructions))
    stack = high_water_mark(execution.stack_bytes)
    counts = execution.blocks
    if counts is None:
        total = mean(sum(execution.window_instructions), windows)
        nothing = Cost(0, None)
        missing = "not measured: the run counted instructions only"
        return Profile(total, None, missing, "", (nothing,) * len(layers), Cost(total, None), (), (), stack)
    # Late: the disassembler behind the cycle models is not needed to import this package.
    from harness.profile.cycles import price
    from harness.profile.tree import CallTree

    prices = price(counts, board)
    tree = CallTree(counts, None if prices is None else prices.edge_cycles, program)
    costs = [part.mean(windows) for part in tree.layers(layers)]
    whole = tree.whole.mean(windows)
    return Profile(
        instructions=whole.instructions,
        cycles=whole.cycles,
        cycles_origin=prices.origin if prices else f"not measured: no cycle model for the {board.core.name}",
        cycle_model=prices.model if prices else "",
        layers=tuple(costs[:-1]),
        overhead=costs[-1],
        functions=tree.functions(windows),
        calls=tree.nodes(windows),
        stack_hwm_bytes=stack,
    )


def mean(total: Number, windows: int) -> Number:
    """`total` / `windows`, whole when it is whole."""
    quotient = total / windows
    return int(quotient) if quotient == int(quotient) else quotient
