"""A run's figures as the page shows them: value, how it was obtained, and how far it is from what it is held to."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.results.board_matrix import Constraint, Fit
from mcu_harness.results.records import Measurement, RunResult
from mcu_harness.results.report import input_spread, text

# How a figure was obtained, by how its origin begins (see records.Measurement), and what that means for trust.
_CLASSES = (
    ("not measured", "none", "not measured"),
    ("estimated", "estimate", "estimate"),
    ("counted", "counted", "counted"),
    ("painted", "counted", "scanned"),
    ("ELF", "exact", "from the ELF"),
    ("computed", "exact", "from the code"),
    ("memory plan", "exact", "from the plan"),
    ("model", "exact", "from the model"),
)
# What is shown large; everything else is in the table of all figures.
_TILES = ("latency_s", "cycles", "instructions", "flash_bytes", "ram_bytes", "arena_bytes", "stack_hwm_bytes")
_OPTIONAL_TILES = ("accuracy", "energy_j")


@dataclass(frozen=True, slots=True)
class Limit:
    """A bar: `share` of the limit in use (0 to 1, more when broken), and what is left, in words."""

    title: str
    text: str
    share: float
    broken: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `kind` is a style class, `kind_text` what it means, `exact` the value to the last digit."""

    name: str
    title: str
    value: str
    exact: str
    kind: str
    kind_text: str
    origin: str
    budget: str
    headroom: str
    limits: tuple[Limit, ...]

    @property
    def doubtful(self) -> bool:
        """Whether the origin must stand beside the value: estimates, and what is missing."""
        return self.kind in ("estimate", "none")


def figures(run: RunResult, fit: Fit) -> list[Figure]:
    """All figures of `run` in the order in which reports show them."""
    return [_figure(run, measurement, fit) for measurement in input_spread.shown_figures(run)]


def tiles(found: list[Figure]) -> list[Figure]:
    """Those that a person looks at first."""
    by_name = {figure.name: figure for figure in found}
    chosen = [by_name[name] for name in _TILES if name in by_name]
    return chosen + [by_name[n] for n in _OPTIONAL_TILES if n in by_name and by_name[n].kind != "none"]


def accuracy_class(measurement: Measurement) -> tuple[str, str]:
    """A style class and words for how `measurement` was obtained."""
    if measurement.value is None:
        return "none", text.NOT_MEASURED
    for beginning, kind, words in _CLASSES:
        if measurement.origin.startswith(beginning):
            return kind, words
    return "counted", "measured"


def _figure(run: RunResult, measurement: Measurement, fit: Fit) -> Figure:
    kind, words = accuracy_class(measurement)
    budget = run.budgets.get(measurement.name)
    return Figure(
        name=measurement.name,
        title=text.title(measurement),
        value=text.figure(measurement),
        exact=text.exact(measurement),
        kind=kind,
        kind_text=words,
        origin=measurement.origin,
        budget="" if budget is None else units.format_value(budget, measurement.unit),
        headroom=text.headroom(measurement, budget),
        limits=tuple(_limits(measurement, fit)),
    )


def _limits(measurement: Measurement, fit: Fit) -> list[Limit]:
    found = [c for c in fit.constraints if c.measurement == measurement.name and measurement.value is not None]
    return [Limit(*_words(c), c.share, c.spare < 0) for c in sorted(found, key=lambda c: c.of_board)]


def _words(constraint: Constraint) -> tuple[str, str]:
    limit = units.format_value(constraint.limit, constraint.unit)
    left = units.format_value(abs(constraint.spare), constraint.unit)
    if constraint.at_least:
        return "budget", f"at least {limit}, {left} {'above' if constraint.spare >= 0 else 'missing'}"
    state = f"{left} {'left' if constraint.spare >= 0 else 'missing'}"
    if not constraint.of_board:
        return "budget", f"budget {limit}, {state}"
    return "board", f"board {limit}, {state}" + (" with the stack" if constraint.title == "RAM" else "")
