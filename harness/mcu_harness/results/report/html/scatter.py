"""A scatter plot as SVG: variants by two figures, the Pareto front filled in. Sizes are for a phone's width; it scales up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.results.report.html.axis import round_step
from mcu_harness.scenario.figure import Better, Figure

WIDTH, HEIGHT = 360, 290  # of the drawing, in px where a phone shows it
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 16, 44
_CHARACTER, _LINE, _DOT = 7.2, 14.0, 6.0  # of a label's text, and the radius of a point
_MOST_CHARACTERS = 24
_TICKS = 4
# Where a label may stand, best first: text anchor and offset from the point.
_PLACES = (
    ("start", 9, 4), ("end", -9, 4), ("middle", 0, -10), ("middle", 0, 19),
    ("start", 8, -8), ("end", -8, -8), ("start", 8, 16), ("end", -8, 16),
    ("start", 8, -21), ("end", -8, -21), ("start", 8, 29), ("end", -8, 29),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Point:
    """A variant: its name, its values, whether it is on the front, and what a pointer over it shows."""

    name: str
    x: float
    y: float
    on_front: bool
    about: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A point as it is drawn; `label` "" where no place is free: its name is in what a pointer shows, and in the table."""

    point: Point
    x: float
    y: float
    label: str
    anchor: str
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """All that a template draws, in px of a drawing of WIDTH x HEIGHT. `front` are corners of the line along the front."""

    title: str
    x_title: str
    y_title: str
    dots: tuple[Dot, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    front: str
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def plot(points: Sequence[Point], x: Figure, y: Figure) -> Plot:
    """The plot of at least one point; `x` and `y` say what their values are."""
    x_low, x_high = _range([point.x for point in points], x)
    y_low, y_high = _range([point.y for point in points], y)

    def across(value: float) -> float:
        return _LEFT + (value - x_low) / (x_high - x_low) * (WIDTH - _LEFT - _RIGHT)

    def down(value: float) -> float:
        return HEIGHT - _BOTTOM - (value - y_low) / (y_high - y_low) * (HEIGHT - _TOP - _BOTTOM)

    placed = [(point, across(point.x), down(point.y)) for point in points]
    x_ticks = tuple(Tick(across(value), _tick_text(value, x, x_high)) for value in _ticks(x_low, x_high, x))
    y_ticks = tuple(Tick(down(value), _tick_text(value, y, y_high)) for value in _ticks(y_low, y_high, y))
    corners = [(across(a), down(b)) for a, b in _staircase([point for point in points if point.on_front], y)]
    front = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    arrow = {Better.MORE: "more is better", Better.LESS: "less is better"}
    return Plot(
        title=f"{y.heading} against {x.heading}",
        x_title=f"{x.heading} ({arrow[x.better]})",
        y_title=f"{y.heading} ({arrow[y.better]})",
        dots=tuple(_labelled(placed)),
        x_ticks=x_ticks,
        y_ticks=y_ticks,
        front=front,
    )


def _range(values: Sequence[float], figure: Figure) -> tuple[float, float]:
    """What an axis spans: the values and some room; a share never beyond 0 and 1, a cost never below 0."""
    low, high = min(values), max(values)
    room = (high - low) * 0.12 or abs(high) * 0.1 or 1.0
    low, high = low - room, high + room
    if figure.kind != "decibels":
        low = max(low, 0.0)
    if figure.kind == "fraction" and high > 1:
        high = max(1.0 + room * 0.3, max(values) + room * 0.3)
    return low, high


def _ticks(low: float, high: float, figure: Figure) -> list[float]:
    """Round values between `low` and `high`: 1, 2 or 5 times a power of ten, of bytes of two."""
    rough = (high - low) / _TICKS
    step = 2.0 ** max(round(math.log2(rough)), 0) if figure.unit == "B" else round_step(rough * 0.8)
    if figure.kind == "fraction":
        high = min(high, 1.0)
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _tick_text(value: float, figure: Figure, high: float) -> str:
    if figure.kind == "fraction":
        return f"{value * 100:.4g} %"
    if figure.unit == "B":
        return f"{value / 1024:.4g} KiB" if high >= 1024 else f"{value:.0f} B"
    return units.format_value(value, figure.unit) if value else "0"


def _staircase(points: Sequence[Point], y: Figure) -> list[tuple[float, float]]:
    """Corners of the line between what some of the front reaches and what none does; x is a cost."""
    sign = 1 if y.better is Better.MORE else -1
    corners: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda point: (point.x, -sign * point.y)):
        if not corners:
            corners.append((point.x, point.y))
        elif sign * point.y > sign * corners[-1][1]:
            corners += [(point.x, corners[-1][1]), (point.x, point.y)]
    return corners


def _labelled(placed: Sequence[tuple[Point, float, float]]) -> list[Dot]:
    """Labels where they cover neither points nor each other; those of the front choose first."""
    taken = [(x - _DOT, y - _DOT, x + _DOT, y + _DOT) for _, x, y in placed]
    dots: dict[int, Dot] = {}
    for number in sorted(range(len(placed)), key=lambda n: (not placed[n][0].on_front, n)):
        point, x, y = placed[number]
        label = point.name if len(point.name) <= _MOST_CHARACTERS else point.name[: _MOST_CHARACTERS - 1] + "…"
        others = [box for other, box in enumerate(taken) if other != number]
        found = None
        for anchor, dx, dy in _PLACES:
            box = _box(x + dx, y + dy, label, anchor)
            inside = box[0] >= _LEFT and box[2] <= WIDTH - 2 and box[1] >= 2 and box[3] <= HEIGHT - _BOTTOM
            if inside and not any(_meet(box, other) for other in others):
                found = (label, anchor, x + dx, y + dy)
                taken.append(box)
                break
        dots[number] = Dot(point, x, y, *(found or ("", "start", x, y)))
    return [dots[number] for number in range(len(placed))]


def _box(x: float, y: float, label: str, anchor: str) -> tuple[float, float, float, float]:
    width = len(label) * _CHARACTER
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return (left, y - _LINE + 3, left + width, y + 3)


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
