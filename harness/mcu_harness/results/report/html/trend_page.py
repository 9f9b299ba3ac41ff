"""Figures over time as a page: a line chart with axes and dates for each figure of each case, and every point in a table.

It has no script: what is drawn is in the page, so that a mail or an artifact viewer shows it as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mcu_harness import __version__
from mcu_harness.results.comparison import figure_name
from mcu_harness.results.history import Point, Series
from mcu_harness.results.report.html.axis import round_step
from mcu_harness.results.report.html.page import environment, policy, static
from mcu_harness.results.report.trend import with_unit
from mcu_harness.scenario.figure_catalogue import FIGURES, compared

_STYLES = ("page.css", "parts.css", "trend.css", "print.css")
# In units of the drawing, which the page scales to the width that it has.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 190, 80, 22, 12, 36
_TICKS = 4
_MOST_DATES = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a chart, or a tick of an axis: where it is, and what is written there."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure of one case. The vertical axis begins near the least value, not at 0."""

    title: str
    now: str
    change: str
    worse: bool
    better: bool
    path: str
    points: tuple[Mark, ...]
    values: tuple[Mark, ...]
    dates: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Case:
    series: Series
    charts: tuple[Chart, ...]
    figures: tuple[str, ...]

    @property
    def rows(self) -> list[tuple[Point, list[str]]]:
        """Every point, newest first, with its values as text."""
        return [
            (point, [with_unit(point.figures[f], f) if f in point.figures else "" for f in self.figures])
            for point in reversed(self.series.points)
        ]


def trend_page(series: Sequence[Series]) -> str:
    """The page of all `series`; deterministic."""
    styles = static(_STYLES)
    return (
        environment()
        .get_template("trend.html")
        .render(
            title="Figures over time",
            policy=policy(styles),
            version=__version__,
            styles=Markup(styles),  # noqa: S704 - files of this package
            cases=[_case(one) for one in series],
            figure_name=figure_name,
            box=(_WIDTH, _HEIGHT),
            frame=(_LEFT, _TOP, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM),
        )
    )


def _case(one: Series) -> Case:
    figures = tuple(name for name in compared() if one.values(name))
    return Case(one, tuple(_chart(one, name) for name in figures), figures)


def _chart(one: Series, figure: str) -> Chart:
    found = [(point, point.figures[figure]) for point in one.points if figure in point.figures]
    values = [value for _, value in found]
    scale = ticks(min(values), max(values), whole=FIGURES[figure].is_count)
    low, high = scale[0], scale[-1]
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def x(i: int) -> float:
        return round(_LEFT + wide * (i / (len(found) - 1) if found[1:] else 0.5), 1)

    def y(value: float) -> float:
        return round(_TOP + tall * (1 - (value - low) / (high - low)), 1)

    points = tuple(
        Mark(x(i), y(value), ", ".join(filter(None, (point.label, point.when, with_unit(value, figure)))))
        for i, (point, value) in enumerate(found)
    )
    first, last = values[0], values[-1]
    excess = FIGURES[figure].excess(last, first)
    is_one_day = len({point.when for point, _ in found}) == 1
    return Chart(
        title=FIGURES[figure].title,
        now=with_unit(last, figure),
        change=_change(first, last),
        worse=excess > 0,
        better=excess < 0,
        path=" ".join(f"{mark.x},{mark.y}" for mark in points),
        points=points,
        values=tuple(Mark(_LEFT - 6, y(value), with_unit(value, figure), "end") for value in scale),
        dates=tuple(
            Mark(x(i), _HEIGHT - _BOTTOM + 16, _name(found[i][0], is_one_day), _anchor(i, len(found)))
            for i in _spread(len(found))
        ),
    )


def _name(point: Point, is_one_day: bool) -> str:
    """What stands under a point: its date, or its label where the dates would all be the same."""
    return point.label or point.when if is_one_day else point.when or point.label


def _change(first: float, last: float) -> str:
    if first == last:
        return "as at first"
    return f"{(last - first) / first * 100:+.2f} % since the first" if first else "was 0 at first"


def ticks(least: float, most: float, *, whole: bool) -> list[float]:
    """Round values that enclose those from `least` to `most`, two at least; whole numbers of what is counted."""
    if least == most:
        margin = max(abs(least) * 0.05, 1.0 if whole else 1e-12)
        least, most = max(0.0, least - margin), most + margin
    rough = (most - least) / _TICKS
    step = max(1.0, round_step(rough)) if whole else round_step(rough)
    start, end = math.floor(least / step), math.ceil(most / step)
    return [i * step for i in range(start, max(end, start + 1) + 1)]


def _spread(count: int) -> list[int]:
    """Which of `count` points have their date written: the first, the last and some between."""
    shown = min(count, _MOST_DATES)
    return sorted({round(i * (count - 1) / max(1, shown - 1)) for i in range(shown)})


def _anchor(i: int, count: int) -> str:
    if count == 1:
        return "middle"
    return "start" if i == 0 else "end" if i == count - 1 else "middle"
