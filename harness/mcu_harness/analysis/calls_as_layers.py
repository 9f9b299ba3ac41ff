"""Single calls as layers: a function that is called for several layers in turn gets a row for each of its calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mcu_harness.analysis.firmware_under_test import CodeRegion
from mcu_harness.analysis.profile.costs import Contexts
from mcu_harness.emulator.contract import BlockCounts
from mcu_harness.image.program import Program


def entries(parts: Iterable[CodeRegion]) -> frozenset[int]:
    """The functions whose calls the emulator has to tell apart."""
    wanted: set[int] = set()
    for part in parts:
        if part.each_call and not isinstance(part.entries, Contexts):
            wanted |= set(part.entries)
    return frozenset(wanted)


def split(parts: Sequence[CodeRegion], counts: BlockCounts, program: Program) -> tuple[CodeRegion, ...]:
    """`parts` with a part for each call in place of those that want it, in the order of the first window.

    Calls within a call of the same part belong to it. Kernels that did not run are left out.
    """
    calls = _calls(parts, counts, program)
    numbered: list[CodeRegion] = [part for part in parts if not part.each_call]
    seen: dict[int, int] = {}
    kernels = 0
    for root, index in calls:
        part = parts[index]
        seen[index] = seen.get(index, 0) + 1
        name = f"{kernels:02} {part.name}" if part.kernel else f"{part.name} {seen[index]}"
        kernels += part.kernel
        row = replace(part, name=name, operator=part.operator or part.name, entries=Contexts(frozenset({root})))
        numbered.append(replace(row, flash_bytes=None, each_call=False))
    idle = [part for i, part in enumerate(parts) if part.each_call and i not in seen and not part.kernel]
    return (*numbered, *idle)


def _calls(parts: Sequence[CodeRegion], counts: BlockCounts, program: Program) -> list[tuple[int, int]]:
    """(context, index of its part) of the outermost calls, in the order in which they were first made."""
    index_of = {entry: i for i, part in enumerate(parts) if part.each_call for entry in _addresses(part)}
    inside: list[int] = []
    found = []
    for context, (parent, entry) in enumerate(
        zip(counts.context_parent.tolist(), counts.context_entry.tolist(), strict=True)
    ):
        function = program.function_at(entry)
        outer = inside[parent] if parent >= 0 else -1
        own = index_of.get(function.address if function else entry, outer)
        if own != outer:
            found.append((context, own))
        inside.append(own)
    return found


def _addresses(part: CodeRegion) -> Iterable[int]:
    return () if isinstance(part.entries, Contexts) else part.entries
