"""From executed instructions to the source: every line, branch and function that has code, and how often it ran."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator

from mcu_harness.analysis.coverage.executed import Executed, walk
from mcu_harness.analysis.coverage.paths import SourcePaths
from mcu_harness.hardware.arm.thumb import is_conditional_branch
from mcu_harness.image.line_table import SourceLines
from mcu_harness.image.program import Program
from mcu_harness.image.symbol_names import titles
from mcu_harness.results.coverage_records import (
    BranchCoverage,
    Coverage,
    FileCoverage,
    FunctionCoverage,
    LineCoverage,
    merged,
)


def coverage(program: Program, ran: Executed) -> Coverage:
    """Of `program`, as far as its debug information says where its code is from; no files without any.

    Overlays are left out: line tables tell code by its address alone.
    """
    table, paths = SourceLines(program), SourcePaths(program)
    lines = _lines(program, table, ran)
    branches = _branches(program, table, ran)
    functions = _functions(program, table, ran)
    return merged(
        Coverage(
            (
                FileCoverage(
                    paths.of(path),
                    tuple(LineCoverage(*item) for item in sorted(lines[path].items())),
                    tuple(branches.get(path, ())),
                    tuple(functions.get(path, ())),
                ),
            )
        )
        for path in lines
    )


def _is_overlay(program: Program) -> Callable[[int], bool]:
    shared = [(group[0].address, max(section.end for section in group)) for group in program.overlays]
    return lambda address: any(low <= address < high for low, high in shared)


def _lines(program: Program, table: SourceLines, ran: Executed) -> dict[str, dict[int, int]]:
    addresses = sorted(ran.instructions)
    found: dict[str, dict[int, int]] = defaultdict(dict)
    is_overlay = _is_overlay(program)
    for low, high, place in table.ranges():
        if is_overlay(low):
            continue
        inside = addresses[bisect_left(addresses, low) : bisect_left(addresses, high)]
        count = max((ran.instructions[at] for at in inside), default=0)
        lines = found[place.path]
        lines[place.line] = max(lines.get(place.line, 0), count)
    return found


def _branches(program: Program, table: SourceLines, ran: Executed) -> dict[str, list[BranchCoverage]]:
    """All conditional branches of the code, by file, sorted by line and address."""
    places: list[tuple[str, int, int]] = []
    is_overlay = _is_overlay(program)
    for address in _conditional(program):
        place = table.at(address)
        if place is not None and not is_overlay(address):
            places.append((place.path, place.line, address))
    found: dict[str, list[BranchCoverage]] = defaultdict(list)
    before, number = ("", 0), 0
    for path, line, address in sorted(places):
        number = number + 1 if (path, line) == before else 0
        before = (path, line)
        ways = ran.taken.get(address, 0), ran.not_taken.get(address, 0)
        found[path].append(BranchCoverage(line, number, *ways))
    return found


def _conditional(program: Program) -> Iterator[int]:
    for start, end in program.code_ranges:
        for address, code in walk(start, program.bytes_at(start, end - start)):
            if is_conditional_branch(code):
                yield address


def _functions(program: Program, table: SourceLines, ran: Executed) -> dict[str, list[FunctionCoverage]]:
    found: dict[str, list[FunctionCoverage]] = defaultdict(list)
    functions = {symbol.address: symbol for symbol in reversed(program.symbols) if symbol.kind == "function"}
    names = titles(program, functions.values())
    is_overlay = _is_overlay(program)
    for address in functions:
        place = table.at(address)
        if place is not None and not is_overlay(address):
            found[place.path].append(FunctionCoverage(names[address], place.line, ran.instructions.get(address, 0)))
    return found
