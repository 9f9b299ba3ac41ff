"""Results of parts of a session (shards of a CI job, machines) as one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mcu_harness.base.errors import ResultsError
from mcu_harness.results.records import Results, RunResult, case_key, in_order


def merge(parts: Iterable[tuple[Path, Results]]) -> Results:
    """All runs of `parts` in the fixed order. The same run twice counts once.

    Raises ResultsError that names both files when they disagree about a case.
    """
    kept: dict[tuple[str, ...], tuple[Path, RunResult]] = {}
    for path, results in parts:
        for run in results.runs:
            first = kept.setdefault(case_key(run), (path, run))
            if first[1] != run:
                raise ResultsError(
                    f"{first[0]} and {path} disagree about {run.scenario} ({run.model}) on {run.board}: "
                    f"{_difference(first[1], run)}",
                    hint="merge parts of one session; `mcu-harness compare` shows what moved between two",
                )
    return in_order(run for _, run in kept.values())


def _difference(one: RunResult, other: RunResult) -> str:
    for name in one.measurements:
        if one.value(name) != other.value(name):
            return f"{name} is {one.value(name)} and {other.value(name)}"
    for name in RunResult.__dataclass_fields__:
        if getattr(one, name) != getattr(other, name):
            return f"{name} differs"
    return "something differs"
