"""What taking an exception costs, and going back: one price for every emulator, by how the handler was entered.

Emulators enter handlers between two instructions, and no time passes in them for it. What silicon needs for it is added
here, where the handler begins: for a handler entered from code, entry and return together, so that a chain of handlers
costs what one on its own does and a step of the chain for each further one. An exception of higher priority that comes
while registers are still being pushed (late arrival) costs nothing of its own on silicon: its handler runs first, and the
other is chained to it. That is how emulators take two that are pending at once, so it needs no price.

Floating-point registers are kept lazily: room is left for them, and they are pushed when the handler first uses the
FPU. A handler of which any code that ran does so is charged for it each time that there was something to keep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.analysis.profile.cycles.cost import Cost
from mcu_harness.emulator.contract import CHAINED, ENTERED, ENTERED_WITH_FLOATS, BlockCounts

Real = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ExceptionCosts:
    """`entry` from the last instruction before to the first of the handler, `leave` the way back, `chained` from the last
    of one handler to the first of the next. `floats` is keeping the floating-point registers and getting them back.
    """

    entry: Cost
    leave: Cost
    chained: Cost
    floats: Cost

    @property
    def all(self) -> tuple[Cost, ...]:
        return self.entry, self.leave, self.chained, self.floats


_MSP432 = "TI SLAU356, 1.5.8 (Cortex-M4F)"
_FLOATS = Cost(
    2 * 17, "Arm DAI 0298: 17 words more take 17 cycles, 29 instead of 12 at entry; taken to be as many at the return"
)
_NO_FLOATS = Cost(0, "Armv6-M has no FPU")


def three_stages(manual: str) -> ExceptionCosts:
    """Cores that push eight words in 12 cycles, as `manual` says, and chain handlers in 6."""
    return ExceptionCosts(
        entry=Cost(12, f"{manual}: 12 cycles to the handler's first instruction, without wait states"),
        leave=Cost(12, f"{_MSP432}: a return takes 12 cycles, the next instruction is fetched meanwhile"),
        chained=Cost(6, f"{_MSP432}: tail-chaining takes 6 cycles, nothing is pushed or popped"),
        floats=_FLOATS,
    )


def baseline(entry: float, manual: str) -> ExceptionCosts:
    """Cores of Armv6-M, of which only the latency `entry` is published."""
    return ExceptionCosts(
        entry=Cost(entry, f"{manual}: interrupt latency {entry:g} cycles"),
        leave=Cost(entry, "not published: taken to be as much as the entry, as on the Cortex-M4"),
        chained=Cost(entry / 2, "not published: taken to be half of the entry, as on the Cortex-M4"),
        floats=_NO_FLOATS,
    )


def exception_cycles(costs: ExceptionCosts, counts: BlockCounts, float_blocks: npt.NDArray[np.bool_]) -> Real:
    """Cycles on top of each edge for the exception that it begins with; `float_blocks[i]` whether block i uses the FPU."""
    cycles = np.zeros(len(counts.edge_previous), np.float64)
    once = costs.entry.cycles + costs.leave.cycles
    cycles[np.isin(counts.edge_previous, (ENTERED, ENTERED_WITH_FLOATS))] = once
    cycles[counts.edge_previous == CHAINED] = costs.chained.cycles
    keeps = (counts.edge_previous == ENTERED_WITH_FLOATS) & _uses_floats(counts, float_blocks)[counts.edge_context]
    cycles[keeps] += costs.floats.cycles
    return cycles


def _uses_floats(counts: BlockCounts, float_blocks: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether the FPU is used in each context, or in what is called from it."""
    uses = np.zeros(len(counts.context_parent), np.bool_)
    uses[counts.edge_context[float_blocks[counts.edge_current]]] = True
    for context in range(len(uses) - 1, 0, -1):  # parents come before their children
        uses[counts.context_parent[context]] |= uses[context]
    return uses
