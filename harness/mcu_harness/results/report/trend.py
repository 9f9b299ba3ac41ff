"""Figures over time: a table with sparklines for a terminal, CSV of every point, and a self-contained SVG."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax import saxutils

from mcu_harness.base import units
from mcu_harness.base.text import for_csv, for_terminal, for_xml, one_line
from mcu_harness.results.comparison import figure_name, value_text
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.scenario.figure_catalogue import FIGURES, compared

if TYPE_CHECKING:
    from mcu_harness.results.history import Series

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH, _HEIGHT, _TEXT_WIDTH, _GAP = 190, 44, 230, 14  # of one chart, in px
_MOST_BARS = 20
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1c2024}.note{fill:#60646c;font-size:10px}"
    ".line{fill:none;stroke:#0b68cb;stroke-width:1.6}.dot{fill:#0b68cb}.back{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#edeef0}.note{fill:#b0b4ba}.line{stroke:#70b8ff}"
    ".dot{fill:#70b8ff}.back{fill:#18191b}}"
)


def table(series: Sequence[Series], verbosity: int = 0) -> str:
    """A row per case: each figure now, its change since the first point, its course; all points with verbosity 1."""
    figures = _figures(series)
    rows = [
        [one.case, one.board, one.toolchain, str(len(one.points)), *(_course(one.values(f), f) for f in figures)]
        for one in series
    ]
    titles = ["scenario", "board", "compiler", "points", *map(figure_name, figures)]
    alignment = ("left", "left", "left", *["right"] * (len(figures) + 1))
    lines = [terminal_table(titles, rows, alignment) if rows else "no points"]
    for one in series if verbosity else ():
        points = [
            [point.label, point.when, *(with_unit(point.figures.get(f), f) for f in figures)] for point in one.points
        ]
        heads = ["point", "date", *map(figure_name, figures)]
        made = terminal_table(heads, points, ("left", "left", *["right"] * len(figures)))
        lines += ["", f"{one.case} on {one.board}", made]
    return for_terminal("\n".join(lines)) + "\n"


def to_csv(series: Sequence[Series]) -> str:
    """A row per point and case."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["scenario", "board", "toolchain", "point", "date", *compared()])
    for one in series:
        for point in one.points:
            cells = (one.case, one.board, one.toolchain, point.label, point.when)
            writer.writerow([*map(for_csv, cells), *(point.figures.get(figure, "") for figure in compared())])
    return stream.getvalue()


def to_svg(series: Sequence[Series]) -> str:
    """A grid of line charts: a row per case and board, a column per figure. Opens in any browser, light and dark."""
    figures = _figures(series)
    row, column = _HEIGHT + 3 * _GAP, _WIDTH + 2 * _GAP
    width, height = _TEXT_WIDTH + column * len(figures), 40 + row * len(series)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img"><title>figures over time</title><style>{_STYLE}</style>',
        f'<rect class="back" width="{width}" height="{height}"/>',
    ]
    for x, figure in enumerate(figures):
        lines.append(f'<text x="{_TEXT_WIDTH + x * column}" y="20">{escape(figure_name(figure))}</text>')
    for y, one in enumerate(series):
        top = 40 + y * row
        lines.append(f'<text x="8" y="{top + 18}">{escape(one.case)}</text>')
        lines.append(f'<text class="note" x="8" y="{top + 34}">{escape(f"{one.board}, {one.toolchain}")}</text>')
        for x, figure in enumerate(figures):
            lines += _chart(one, figure, _TEXT_WIDTH + x * column, top)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _chart(one: Series, figure: str, left: float, top: float) -> list[str]:
    points = [(point.label, point.figures[figure]) for point in one.points if figure in point.figures]
    if not points:
        return []
    low, high = min(value for _, value in points), max(value for _, value in points)
    spread = (high - low) or 1
    step = _WIDTH / max(len(points) - 1, 1)
    places = [
        (left + i * step, top + _HEIGHT - (v - low) / spread * (_HEIGHT - 8) - 4) for i, (_, v) in enumerate(points)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.4"><title>{escape(label)}: '
        f"{escape(with_unit(value, figure))}</title></circle>"
        for (x, y), (label, value) in zip(places, points, strict=True)
    ]
    note = _change(points[0][1], points[-1][1])
    return [
        f'<polyline class="line" points="{path}"/>',
        *dots,
        f'<text class="note" x="{left}" y="{top + _HEIGHT + 12}">{escape(with_unit(points[-1][1], figure))} {note}</text>',
    ]


def escape(text: str) -> str:
    """Text of an SVG element."""
    return saxutils.escape(for_xml(one_line(text)))


def _figures(series: Sequence[Series]) -> list[str]:
    return [figure for figure in compared() if any(one.values(figure) for one in series)]


def _course(values: Sequence[float], figure: str) -> str:
    """ "178,891 +1.20 % ▁▁▃█"; no course where nothing moved."""
    if not values:
        return ""
    shown = values[-_MOST_BARS:]
    low, spread = min(shown), max(shown) - min(shown)
    bars = "".join(_BARS[round((value - low) / spread * (len(_BARS) - 1))] for value in shown) if spread else ""
    return f"{with_unit(values[-1], figure)} {_change(values[0], values[-1])} {bars}".strip()


def _change(first: float, last: float) -> str:
    if first == last:
        return "="
    return f"{(last - first) / first * 100:+.2f} %" if first else units.format_signed(last)


def with_unit(value: float | None, figure: str) -> str:
    """A value of a compared figure with its unit, sizes to the byte; "" for None."""
    if value is None:
        return ""
    return value_text(value, figure) + (" B" if FIGURES[figure].unit == "B" else "")
