"""A run's figures as the page shows them: value, how it was obtained, and how far it is from what it is held to."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.results.board_matrix import Constraint, Fit
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Measurement, RunResult
from mcu_harness.results.report import input_spread, text
from mcu_harness.scenario import figure_catalogue as catalogue

# What the way in which a figure was obtained means for trust: a style class, and words.
_CLASSES = {
    OriginKind.NOT_MEASURED: ("none", text.NOT_MEASURED),
    OriginKind.ESTIMATED: ("estimate", "estimate"),
    OriginKind.COUNTED: ("counted", "counted"),
    OriginKind.SCANNED: ("counted", "scanned"),
    OriginKind.OBSERVED: ("counted", "measured"),
    OriginKind.ELF: ("exact", "from the ELF"),
    OriginKind.COMPUTED: ("exact", "from the code"),
    OriginKind.PLAN: ("exact", "from the plan"),
    OriginKind.MODEL: ("exact", "from the model"),
}


@dataclass(frozen=True, slots=True)
class Limit:
    """A bar: `share` of the limit in use (0 to 1, more when broken), and what is left, in words."""

    title: str
    text: str
    share: float
    broken: bool


@dataclass(frozen=True, slots=True)
class ShownFigure:
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


def figures(run: RunResult, fit: Fit) -> list[ShownFigure]:
    """All figures of `run` in the order in which reports show them."""
    return [_figure(run, measurement, fit) for measurement in input_spread.shown_figures(run)]


def tiles(found: list[ShownFigure]) -> list[ShownFigure]:
    """Those that a person looks at first; everything else is in the table of all figures."""
    by_name = {figure.name: figure for figure in found}
    known = [(tile, by_name[tile.name]) for tile in catalogue.tiles() if tile.name in by_name]
    return [figure for tile, figure in known if figure.kind != "none" or not tile.tile_may_miss]


def accuracy_class(measurement: Measurement) -> tuple[str, str]:
    """A style class and words for how `measurement` was obtained."""
    return _CLASSES[measurement.kind]


def _figure(run: RunResult, measurement: Measurement, fit: Fit) -> ShownFigure:
    kind, words = accuracy_class(measurement)
    budget = run.budgets.get(measurement.name)
    return ShownFigure(
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
