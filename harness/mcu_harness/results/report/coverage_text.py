"""Coverage for a terminal: shares, and what never ran."""

from __future__ import annotations

from collections import defaultdict

from mcu_harness.base.text import one_line
from mcu_harness.results.coverage_records import Coverage, lines_of, merged
from mcu_harness.results.records import Results

_MOST_FUNCTIONS = 20


def lines(results: Results) -> list[str]:
    """Nothing where coverage was not asked for."""
    found = [run.coverage for run in results.runs if run.coverage is not None]
    return [*_lines(merged(found)), *_layers_not_reached(results)] if found else []


def _layers_not_reached(results: Results) -> list[str]:
    """Layers, with their kernels, that ran for no input in any of the runs that say what is covered."""
    instructions: dict[tuple[str, str], float] = defaultdict(float)
    for run in results.runs:
        for layer in run.layers if run.coverage is not None else ():
            kernel = f" ({layer.kernel})" if layer.kernel else ""
            instructions[run.scenario, f"{layer.name}{kernel}"] += layer.instructions or 0
    idle: dict[str, list[str]] = defaultdict(list)
    for (scenario, name), count in instructions.items():
        if not count:
            idle[scenario].append(one_line(name))
    return [
        f"  {one_line(scenario)}: layers that no input reached: {', '.join(names)}" for scenario, names in idle.items()
    ]


def _lines(coverage: Coverage) -> list[str]:
    said = [f"coverage: {coverage.lines} lines, {coverage.functions} functions, {coverage.branches} ways of branches"]
    said += [f"  {one_line(file.path)}: {lines_of([file])}" for file in coverage.files]
    never = coverage.never_entered
    if never:
        names = ", ".join(one_line(function.name) for _, function in never[:_MOST_FUNCTIONS])
        more = f" and {len(never) - _MOST_FUNCTIONS} more" if len(never) > _MOST_FUNCTIONS else ""
        said.append(f"  never entered: {names}{more}")
    return said
