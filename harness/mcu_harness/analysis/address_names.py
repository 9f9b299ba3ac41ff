"""Addresses in words: function, source line and layer. All names come from files and are made harmless here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.profile.costs import Contexts
from mcu_harness.base.text import one_line, shown
from mcu_harness.emulator.contract import BlockCounts, Call, Execution
from mcu_harness.image.line_table import SourceLines
from mcu_harness.image.program import Program

_MOST_NAME = 120
_FIRST_CALLS, _LAST_CALLS = 5, 7


class Places:
    """What lies where in a program. `parts` are its layers."""

    def __init__(self, program: Program, parts: Sequence[CodeRegion] = ()) -> None:
        self.program = program
        self._lines = SourceLines(program)
        self._layers = {
            entry: part.name
            for part in reversed(parts)
            if not isinstance(part.entries, Contexts)
            for entry in part.entries
        }

    def name(self, address: int) -> str:
        """The function that holds `address`, "" outside all of them."""
        function = self.program.function_at(address)
        return short_name(function.name) if function else ""

    def line(self, address: int) -> str:
        """ "file:line" of the instruction at `address`, "" where the file does not say."""
        line = self._lines.at(address)
        if line is None:
            return ""
        path = shown(Path(line.path)) if line.path.startswith("/") else line.path
        return f"{path}:{line.line}"

    def where(self, address: int) -> str:
        """ "in f at 0x08000123 (main.c:7)", with what is known of it."""
        name, line = self.name(address), self.line(address)
        inside = f"in {name}" if name else "outside all functions"
        return f"{inside} at {address:#010x}" + (f" ({line})" if line else "")

    def short(self, address: int) -> str:
        """ "0x08000123 f (main.c:7)", for lists."""
        name, line = self.name(address), self.line(address)
        return f"{address:#010x}" + (f" {name}" if name else "") + (f" ({line})" if line else "")

    # Layers.

    def layer(self, functions: Sequence[int]) -> str:
        """The layer of a path of function entries, outermost first; "" outside all layers."""
        return next((self._layers[entry] for entry in reversed(functions) if entry in self._layers), "")

    def layer_of_block(self, counts: BlockCounts, block: int) -> str:
        """The layer in which the block with that index ran most often."""
        edges = (counts.edge_current == block).nonzero()[0]
        if not self._layers or not len(edges):
            return ""
        context = int(counts.edge_context[edges[counts.edge_count[edges].argmax()]])
        path: list[int] = []
        while context >= 0:
            path.insert(0, self._start(int(counts.context_entry[context])))
            context = int(counts.context_parent[context])
        return self.layer(path)

    def _start(self, address: int) -> int:
        function = self.program.function_at(address)
        return function.address if function else address

    # Calls.

    def path(self, execution: Execution) -> list[int]:
        """Entries of the functions that were running when the run ended, outermost first; [] when not known."""
        return [self._start(call.entry) for call in execution.calls]

    def path_text(self, entries: Sequence[int]) -> str:
        """ "main > infer > memcpy"; of very many, the first and the last."""
        return path_text([self.name(entry) or f"{entry:#010x}" for entry in entries])

    def caller(self, call: Call) -> str:
        """Where a call was made from, "" where that is not known."""
        return self.short(call.returns_to - 2) if call.returns_to is not None else ""


def path_text(names: Sequence[str]) -> str:
    """The names of a path of calls in one line; of very many, the first and the last."""
    folded = [name if times == 1 else f"{name} ({times:,} times)" for name, times in _folded(names)]
    if len(folded) > _FIRST_CALLS + _LAST_CALLS:
        rest = len(folded) - _FIRST_CALLS - _LAST_CALLS
        folded = [*folded[:_FIRST_CALLS], f"({rest} more)", *folded[-_LAST_CALLS:]]
    return " > ".join(folded)


def short_name(name: str) -> str:
    """A function's name, harmless for a terminal and not long."""
    name = one_line(name)
    return name if len(name) <= _MOST_NAME else name[: _MOST_NAME - 3] + "..."


def _folded(names: Sequence[str]) -> list[tuple[str, int]]:
    """Names with how often each follows itself."""
    found: list[tuple[str, int]] = []
    for name in names:
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1] + 1)
        else:
            found.append((name, 1))
    return found
