"""From executed blocks to a profile: instructions and cycles per layer, per function and per call path, and stack use.

All figures are per inference: sums over the measured windows, divided by their number. Functions
together are everything that was counted, and so are the nodes of the call tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mcu_harness.analysis.high_water_mark import high_water_mark
from mcu_harness.analysis.profile.costs import Cost, Layer, Number, mean, mean_parts
from mcu_harness.analysis.profile.spread import (
    CostSpread,
    WindowCosts,
    closed_windows,
    part_spreads,
    spread_of,
    whole_spread,
    window_costs,
)
from mcu_harness.emulator.contract import BlockCounts, Execution
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program
from mcu_harness.results.cost_records import CallNode, CycleParts, FunctionResult
from mcu_harness.results.origin import Origin, not_measured

Real = npt.NDArray[np.float64]
_NOTHING_KNOWN = CostSpread()


@dataclass(frozen=True, slots=True)
class Profile:
    """`layers[i]` is layer i with everything called from it, `layer_parts[i]` what its cycles go into, where they are known.

    `cycles_origin` says how cycles were obtained and how far they can be trusted; `cycle_model` names the model and
    its version. `stack_hwm_bytes` is None when the stack was not painted. There were `inputs` windows; `windows` are
    the costs of each, None where they were not told apart. Without them only the instructions of `spread` are known.
    """

    instructions: Number
    cycles: Number | None
    cycles_origin: Origin
    cycle_model: str
    layers: tuple[Cost, ...]
    functions: tuple[FunctionResult, ...]
    calls: tuple[CallNode, ...]
    stack_hwm_bytes: int | None
    inputs: int = 1
    windows: WindowCosts | None = None
    spread: CostSpread = _NOTHING_KNOWN
    layer_spreads: tuple[CostSpread, ...] = ()
    layer_parts: tuple[CycleParts, ...] = ()


def profile(
    execution: Execution, program: Program, layers: Sequence[Layer], board: Board, times: Sequence[int] = ()
) -> Profile:
    """The profile of a finished run; without recorded blocks, only totals and stack use.

    `times` says how many inferences each window holds, where it is not one each. What ran in a window that never closed
    is left out, unless none did.
    """
    closed = len(execution.window_instructions)
    times = times[:closed]
    windows = max(1, sum(times) or closed)
    stack = high_water_mark(execution.stack_bytes)
    each = np.array(execution.window_instructions, np.float64) / (times or 1)
    spread = CostSpread(spread_of(each))
    counts = execution.blocks
    if counts is None:
        total = mean(sum(execution.window_instructions), windows)
        nothing = Cost(0, None)
        missing = not_measured("the run counted instructions only")
        return Profile(
            total, None, missing, "", (nothing,) * len(layers), (), (), stack, closed, None, spread
        )  # fmt: skip
    # Late: the disassembler behind the cycle models is not needed to import this package.
    from mcu_harness.analysis.profile.call_tree import CallTree
    from mcu_harness.analysis.profile.cycles.pricing import price

    counts = closed_windows(counts, closed)
    prices = price(counts, board, trace=execution.data)
    edge_cycles = None if prices is None else prices.edge_cycles
    tree = CallTree(counts, edge_cycles, program)
    owners = tree.owners(layers)
    costs = [part.mean(windows) for part in tree.layers(layers)]
    total_cost = tree.whole.mean(windows)
    made = Profile(
        instructions=total_cost.instructions,
        cycles=total_cost.cycles,
        cycles_origin=prices.origin if prices else not_measured(f"no cycle model for the {board.core.name}"),
        cycle_model=prices.model if prices else "",
        layers=tuple(costs[:-1]),
        functions=tree.functions(windows),
        calls=tree.nodes(windows),
        stack_hwm_bytes=stack,
        inputs=closed,
        spread=spread,
        layer_parts=() if prices is None else _layer_parts(counts, prices.edge_parts, owners, len(layers), windows),
    )
    single = window_costs(counts, edge_cycles, owners, len(layers) + 1, times)
    if single is None:
        return made
    return replace(made, windows=single, spread=whole_spread(single), layer_spreads=tuple(part_spreads(single)[:-1]))


def _layer_parts(
    counts: BlockCounts, edge_parts: Real, owners: Sequence[int], layers: int, windows: int
) -> tuple[CycleParts, ...]:
    """What the cycles of each layer go into; `owners` are the layers of contexts (`CallTree.owners`)."""
    sums = np.zeros((layers + 1, edge_parts.shape[1]), np.float64)
    np.add.at(sums, np.asarray(owners)[counts.edge_context], counts.edge_count[:, None] * edge_parts)
    return tuple(mean_parts(row, windows) for row in sums[:layers].tolist())
