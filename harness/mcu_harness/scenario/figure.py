"""What is known of a figure before it is measured; `figure_catalogue.py` has a row of it for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, StrEnum, auto


class Better(StrEnum):
    """Which way a figure improves."""

    LESS = "less"
    MORE = "more"


class Shown(Flag):
    """Where a figure stands, besides the lists of all figures, which have every one."""

    NOWHERE = 0
    SUMMARY = auto()  # a column of the summary table when no columns were chosen
    OVERVIEW = auto()  # HTML: a column of the table of all runs
    BARS = auto()  # HTML: the bars that show boards side by side
    TRENDS = auto()  # github-action-benchmark and Bencher
    VARIANTS = auto()  # a column of the table that shows variants side by side
    WHAT_IFS = auto()  # a row of the table of what-ifs, under the name that `WhatIf` has it by


class Parts(Flag):
    """Which records have a part of a figure, by the figure's name (of functions, with `self_` before it)."""

    NONE = 0
    LAYERS = auto()
    FUNCTIONS = auto()
    SECTIONS = auto()  # and symbols


# What may differ between two builds, so that figures of both cannot be compared.
DEPENDENCIES = ("compiler", "flags", "kernel set", "cycle model")
BUILD = frozenset({"compiler", "flags", "kernel set"})
_KIND_OF_UNIT = {
    "B": "bytes",
    "s": "seconds",
    "J": "joules",
    "fraction": "fraction",
    "dB": "decibels",
    "real": "number",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """That a figure can have a budget: what to do when it breaks it.

    `title` is the figure's name in sentences where its own title does not do; `unmeasured` says why it may be missing.
    """

    advice: str
    title: str = ""
    unmeasured: str = "nothing measures it here"


@dataclass(frozen=True, slots=True)
class BestBoard:
    """What the board with the best value is called in a ranking of boards: in words, and as a key of its JSON."""

    words: str
    key: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `name` is that of its measurement, `key` what people write: in budgets, tolerances and columns.

    `short` heads columns, "" = the title. `compared` figures are kept in baselines, take tolerances, and are compared
    between results; they can be compared only where `depends_on` is the same. `tile` is its place among the tiles of
    a run's page, 0 = none; with `tile_may_miss`, there is no tile where it was not measured. `gives_way` is its turn
    to be left out of a summary that is too wide, 0 = never. `of_inputs` is a share of a run's inputs, shown as n of N. `worst_of`, of a figure of the worst
    single input, names the figure that is the mean over all inputs.
    `bencher` is a measure that Bencher knows, and what to multiply by.
    """

    name: str
    key: str
    unit: str
    title: str
    short: str = ""
    better: Better = Better.LESS
    limit: Limit | None = None
    compared: bool = False
    depends_on: frozenset[str] = BUILD
    parts: Parts = Parts.NONE
    shown: Shown = Shown.NOWHERE
    tile: int = 0
    tile_may_miss: bool = False
    gives_way: int = 0
    of_inputs: bool = False
    worst_of: str = ""
    best_board: BestBoard | None = None
    bencher: tuple[str, float] | None = None

    @property
    def kind(self) -> str:
        """As `base.units.parse` names it."""
        return _KIND_OF_UNIT.get(self.unit, "count")

    @property
    def is_count(self) -> bool:
        """Whether it counts bytes or events: a hundredth of one says nothing."""
        return self.kind in ("bytes", "count")

    @property
    def heading(self) -> str:
        return self.short or self.title

    @property
    def in_sentences(self) -> str:
        return (self.limit.title if self.limit else "") or self.title

    def excess(self, value: float, limit: float) -> float:
        """By how much `value` is on the wrong side of `limit`; 0 or less when it is kept."""
        return limit - value if self.better is Better.MORE else value - limit
