"""Models x boards: what fits, with how much to spare, what binds, and which board is the smallest that will do.

A view of results and nothing else: the same results always give the same matrix. "Smallest" means the board with the
least RAM on the chip; of those with the same, the one with the least flash; then the slowest clock; then the first by
name. RAM comes first because it is what a chip's price and idle current follow, and what models run out of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mcu_harness.results.finding_codes import Category, Code
from mcu_harness.results.memory_records import RegionResult
from mcu_harness.results.records import Results, RunResult, Verdict
from mcu_harness.scenario.figure import Better
from mcu_harness.scenario.figure_catalogue import FIGURES

SMALLEST = "the least RAM on the chip, then the least flash, then the slowest clock"


class Standing(StrEnum):
    """How a model stands on a board, best first."""

    MEETS = "fits"  # and keeps every budget
    UNKNOWN = "not measured"  # fits as far as is known, but something that has a budget was not measured
    MISSES = "over budget"  # fits and runs, and breaks a budget
    TOO_SMALL = "does not fit"
    FAILS = "fails"  # fits, but faults, hangs or computes something else
    NOT_RUN = "not run"


_ORDER = {standing: rank for rank, standing in enumerate(Standing)}


@dataclass(frozen=True, slots=True)
class Constraint:
    """Something that a run is held to: a memory of the board (`of_board`) or a budget.

    `measurement` is what it limits; with the board's RAM, the stack counts too. `used` and `limit` are in `unit`;
    `at_least` turns the limit into a minimum.
    """

    title: str
    measurement: str
    used: float
    limit: float
    unit: str
    of_board: bool
    at_least: bool = False

    @property
    def share(self) -> float:
        """How much of the limit is in use, 1 = all of it."""
        if self.at_least:
            return self.used
        return self.used / self.limit if self.limit else 1.0

    @property
    def spare(self) -> float:
        """What is left until the limit, negative when it is broken."""
        return self.used - self.limit if self.at_least else self.limit - self.used

    @property
    def spare_share(self) -> float:
        """The same as a share of the limit."""
        return self.spare / self.limit if self.limit else (0.0 if self.spare >= 0 else -1.0)


@dataclass(frozen=True, slots=True)
class Fit:
    """One model (`case`) on one board. `binding` is the constraint with the least to spare, None without any."""

    case: str
    run: RunResult
    standing: Standing
    constraints: tuple[Constraint, ...]

    @property
    def binding(self) -> Constraint | None:
        # A minimum that is kept costs nothing: only a broken one binds.
        found = [c for c in self.constraints if not c.at_least or c.spare < 0]
        return min(found, key=lambda c: c.spare_share, default=None)

    def on_board(self, measurement: str) -> Constraint | None:
        """The board's own limit for "flash_bytes" or "ram_bytes"."""
        return next((c for c in self.constraints if c.measurement == measurement and c.of_board), None)

    @property
    def ram_on_chip(self) -> int:
        return sum(region.capacity_bytes for region in self.run.regions if region.kind == "ram")

    @property
    def flash_on_chip(self) -> int:
        return sum(region.capacity_bytes for region in self.run.regions if region.kind == "flash")

    @property
    def size(self) -> tuple[int, int, int, str]:
        """What boards are compared by: see the top of this module."""
        return (self.ram_on_chip, self.flash_on_chip, self.run.clock_hz, self.run.board)


@dataclass(frozen=True, slots=True)
class Matrix:
    """`cases` and `boards` in the order of the results; `fits` keyed by (case, board), absent where nothing was run."""

    cases: tuple[str, ...]
    boards: tuple[str, ...]
    fits: dict[tuple[str, str], Fit]

    def ranked(self, case: str) -> tuple[Fit, ...]:
        """The boards of `case`, best first: those that will do by size, the others by how close they come."""
        found = [fit for (name, _), fit in self.fits.items() if name == case]
        return tuple(sorted(found, key=_rank))

    def smallest(self, case: str) -> Fit | None:
        """The smallest board that meets every budget, None where none does."""
        return next((fit for fit in self.ranked(case) if fit.standing is Standing.MEETS), None)

    def least(self, case: str, measurement: str) -> Fit | None:
        """Of the boards that meet every budget, the one with the least of a figure."""
        known = [(fit.run.value(measurement), fit) for fit in self.ranked(case) if fit.standing is Standing.MEETS]
        measured = [(value, fit.size, fit) for value, fit in known if value is not None]
        return min(measured, key=lambda item: item[:2])[2] if measured else None


def matrix(results: Results) -> Matrix:
    """The matrix of all runs; of several runs of a case on a board (other compilers), the last one counts."""
    fits = {(run.case_name, run.board): _fit(run) for run in results.runs}
    return Matrix(
        cases=tuple(dict.fromkeys(case for case, _ in fits)),
        boards=tuple(dict.fromkeys(board for _, board in fits)),
        fits=fits,
    )


def _fit(run: RunResult) -> Fit:
    return Fit(run.case_name, run, _standing(run), (*_memories(run), *_budgets(run)))


def _standing(run: RunResult) -> Standing:
    """From the findings; what the baseline says is another question."""
    if not run.regions:
        return Standing.NOT_RUN
    found = [f for f in run.findings if f.category is not Category.BASELINE]
    failed = [f for f in found if f.verdict is Verdict.FAIL]
    if any(f.category is Category.FIT or f.code == Code.RUN_STACK_OVERFLOW for f in failed):
        return Standing.TOO_SMALL
    if any(f.category is not Category.BUDGET for f in failed):
        return Standing.FAILS
    if failed:
        return Standing.MISSES
    return Standing.UNKNOWN if any(f.verdict is not Verdict.PASS for f in found) else Standing.MEETS


def _memories(run: RunResult) -> Iterable[Constraint]:
    """The memories that the firmware is linked into; the stack takes from the one with the data."""
    stack = run.value("stack_hwm_bytes") or 0
    overflown = any(f.code == Code.RUN_STACK_OVERFLOW for f in run.findings)
    for region in _linked(run.regions):
        holds_data = "data" in region.role or (not region.role and region.kind == "ram")
        used = region.used_bytes + stack if holds_data else region.used_bytes
        if holds_data and overflown:
            used = max(used, region.capacity_bytes)
        title, measurement = ("RAM", "ram_bytes") if holds_data else ("flash", "flash_bytes")
        yield Constraint(title, measurement, used, region.capacity_bytes, "B", of_board=True)


def _linked(regions: tuple[RegionResult, ...]) -> list[RegionResult]:
    with_role = [region for region in regions if region.role]
    return with_role or [region for region in regions if region.used_bytes]


def _budgets(run: RunResult) -> Iterable[Constraint]:
    for name, limit in run.budgets.items():
        measurement, figure = run.measurements.get(name), FIGURES.get(name)
        if measurement is not None and measurement.value is not None and figure is not None:
            at_least = figure.better is Better.MORE
            title = f"{figure.in_sentences} budget"
            yield Constraint(title, name, measurement.value, limit, measurement.unit, False, at_least)


def _rank(fit: Fit) -> tuple[int, float, tuple[int, int, int, str]]:
    closeness = 0.0
    if fit.standing in (Standing.MISSES, Standing.TOO_SMALL) and fit.binding is not None:
        closeness = -fit.binding.spare_share
    return (_ORDER[fit.standing], closeness, fit.size)
