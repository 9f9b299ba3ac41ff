"""The calling-context tree with names and costs, and what is summed over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mcu_harness.analysis.profile.costs import Contexts, Cost, Layer, mean
from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.hardware.arm.thumb import CALL, block_end
from mcu_harness.image.program import Program
from mcu_harness.image.symbol_names import titles
from mcu_harness.results.cost_records import CallNode, FunctionResult

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]


class CallTree:
    """Contexts by index, as in `BlockCounts`; parents come before their children.

    `edge_cycles[i]` are the cycles of one execution of edge i, None when cycles are not known. Costs are sums over all
    windows.
    """

    def __init__(self, counts: BlockCounts, edge_cycles: Real | None, program: Program) -> None:
        self._counts = counts
        self._program = program
        self._parents = [int(parent) for parent in counts.context_parent]
        self._timed = edge_cycles is not None
        self._instructions: Whole = np.zeros(len(self._parents), np.int64)
        self._cycles: Real = np.zeros(len(self._parents), np.float64)
        executed = counts.edge_count * counts.block_instructions[counts.edge_current]
        np.add.at(self._instructions, counts.edge_context, executed)
        if edge_cycles is not None:
            np.add.at(self._cycles, counts.edge_context, counts.edge_count * edge_cycles)
        self._functions = [program.function_at(int(entry)) for entry in counts.context_entry]
        names = titles(program, filter(None, self._functions))
        self._names = [
            names[function.address] if function else f"{int(entry):#010x}"
            for function, entry in zip(self._functions, counts.context_entry, strict=True)
        ]

    @property
    def whole(self) -> Cost:
        """Everything that was counted."""
        return self._cost(self._instructions.sum(), self._cycles.sum())

    def layers(self, layers: Sequence[Layer]) -> list[Cost]:
        """What each layer's functions and everything called from them cost, and last, what runs outside all of them.

        Where a function of one layer is called from within another, its cost is its own layer's.
        """
        owner = self.owners(layers)
        instructions, cycles = np.zeros(len(layers) + 1, np.int64), np.zeros(len(layers) + 1, np.float64)
        np.add.at(instructions, owner, self._instructions)
        np.add.at(cycles, owner, self._cycles)
        return [self._cost(*part) for part in zip(instructions, cycles, strict=True)]

    def owners(self, layers: Sequence[Layer]) -> list[int]:
        """The layer of each context, `len(layers)` outside of all."""
        index_of: dict[int, int] = {}
        index_of_call = {
            root: i for i, layer in enumerate(layers) if isinstance(layer, Contexts) for root in layer.roots
        }
        for index, layer in enumerate(layers):
            if isinstance(layer, Contexts):
                continue
            entries = [self._program.symbol(layer).address] if isinstance(layer, str) else layer
            for entry in entries:
                index_of.setdefault(entry, index)
        outside = len(layers)
        owner: list[int] = []
        for context, (function, parent, entry) in enumerate(
            zip(self._functions, self._parents, self._counts.context_entry.tolist(), strict=True)
        ):
            inherited = outside if parent < 0 else owner[parent]
            inherited = index_of_call.get(context, inherited)
            inherited = index_of.get(function.address if function else entry, inherited)
            owner.append(index_of.get(entry, inherited))  # of overlays, the function may begin before it
        return owner

    def functions(self, windows: int) -> tuple[FunctionResult, ...]:
        """The flat profile, dearest first. A recursive function's total counts what is below it once."""
        total_instructions, total_cycles = self._instructions.copy(), self._cycles.copy()
        for context in range(len(self._parents) - 1, 0, -1):
            total_instructions[self._parents[context]] += total_instructions[context]
            total_cycles[self._parents[context]] += total_cycles[context]
        calls = self._calls()
        sums: dict[str, npt.NDArray[np.float64]] = {}
        for context, name in enumerate(self._names):
            outermost = not self._runs_inside_itself(context)
            below = total_instructions[context] * outermost, total_cycles[context] * outermost
            row = np.array([calls[context], self._instructions[context], self._cycles[context], *below], np.float64)
            if row[:3].any():  # not what ran only in a window that is left out, or only leads to what ran in others
                sums[name] = sums[name] + row if name in sums else row
        results = []
        for name, row in sums.items():
            entered, own, own_cycles, total, whole_cycles = (mean(float(value), windows) for value in row)
            timed = (own_cycles, whole_cycles) if self._timed else (None, None)
            results.append(FunctionResult(name, entered, own, timed[0], total, timed[1]))
        return tuple(sorted(results, key=lambda f: (-(f.self_cycles or 0), -f.self_instructions, f.name)))

    def nodes(self, windows: int) -> tuple[CallNode, ...]:
        """The tree as records; parents come first."""
        costs = [self._cost(*part).mean(windows) for part in zip(self._instructions, self._cycles, strict=True)]
        return tuple(
            CallNode(name, parent, cost.instructions, cost.cycles)
            for name, parent, cost in zip(self._names, self._parents, costs, strict=True)
        )

    def _cost(self, instructions: np.int64, cycles: np.float64) -> Cost:
        return Cost(int(instructions), float(cycles) if self._timed else None)

    def _runs_inside_itself(self, context: int) -> bool:
        name, above = self._names[context], self._parents[context]
        while above >= 0:
            if self._names[above] == name:
                return True
            above = self._parents[above]
        return False

    def _calls(self) -> Whole:
        """How often each context was entered: by a call, a tail call, an exception, or the start of a window."""
        counts = self._counts
        is_call = [block_end(code, 0).kind == CALL for code in counts.block_code]
        calls = np.zeros(len(self._parents), np.int64)
        at_entry = counts.block_address[counts.edge_current] == counts.context_entry[counts.edge_context]
        for edge in np.flatnonzero(at_entry):
            previous, context = int(counts.edge_previous[edge]), int(counts.edge_context[edge])
            if previous < 0 or is_call[previous] or not self._in_same_function(previous, context):
                calls[context] += counts.edge_count[edge]
        return calls

    def _in_same_function(self, block: int, context: int) -> bool:
        function = self._functions[context]
        start = function.address if function else int(self._counts.context_entry[context])
        other = self._program.function_at(int(self._counts.block_address[block]))
        return other is not None and other.address == start
