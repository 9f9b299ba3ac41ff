"""Coverage for a terminal: shares, and what never ran."""

from __future__ import annotations

from mcu_harness.base.text import one_line
from mcu_harness.results.coverage_records import Coverage, lines_of, merged
from mcu_harness.results.records import Results

_MOST_FUNCTIONS = 20


def lines(results: Results) -> list[str]:
    """Nothing where coverage was not asked for."""
    found = [run.coverage for run in results.runs if run.coverage is not None]
    return _lines(merged(found)) if found else []


def _lines(coverage: Coverage) -> list[str]:
    said = [f"coverage: {coverage.lines} lines, {coverage.functions} functions, {coverage.branches} ways of branches"]
    said += [f"  {one_line(file.path)}: {lines_of([file])}" for file in coverage.files]
    never = coverage.never_entered
    if never:
        names = ", ".join(one_line(function.name) for _, function in never[:_MOST_FUNCTIONS])
        more = f" and {len(never) - _MOST_FUNCTIONS} more" if len(never) > _MOST_FUNCTIONS else ""
        said.append(f"  never entered: {names}{more}")
    return said
