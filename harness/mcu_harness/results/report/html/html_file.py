"""The HTML report: one file that opens anywhere, without a network, for the person who has to decide.

Its charts (bars, flame graph, treemap, arena) are SVG drawn by the scripts in `static/`, about 20 KB in all. A plotting
library was in the page before: the one that draws all of them and that Python packages bring along is 4.8 MB in every
file, nearly all of it unused, which is more than a mail or a CI artifact viewer likes for the report of one model.

What must hold without any script is in the HTML itself: every table, finding and memory map.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from mcu_harness.base.errors import HarnessError
from mcu_harness.base.files import write_text
from mcu_harness.results.history import Series
from mcu_harness.results.records import Results

NEEDED = ("jinja2",)


def check_available() -> None:
    """Raise HarnessError, with the command that helps, unless what the report is made with is installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise HarnessError(
            f"the HTML report needs {' and '.join(missing)}", hint='pip install "pytest-mcu-harness[html]"'
        )


def write_html(results: Results, output: Path, *, first: str = "overview") -> list[Path]:
    """Write the report of all `results` to the file `output`, or to `report.html` in it where it is a directory.

    `first` is the view that it opens with: "overview" or "fit". Returns the path written.
    """
    check_available()
    from mcu_harness.results.report.html.page import page

    path = place(output)
    write_text(path, page(results, first=first))
    return [path]


def place(output: Path) -> Path:
    """The file that `write_html` writes for `output`."""
    return output / "report.html" if output.is_dir() else output


def write_board_pages(results: Results, directory: Path) -> list[Path]:
    """Write a report of its own for every board, `<board>.html` into `directory`; returns the paths."""
    check_available()
    from mcu_harness.results.report.html.page import page

    paths = []
    for board in sorted({run.board for run in results.runs}):
        path = directory / f"{board}.html"
        write_text(path, page(Results(tuple(run for run in results.runs if run.board == board))))
        paths.append(path)
    return paths


def trend_text(series: Sequence[Series]) -> str:
    """The page of figures over time."""
    check_available()
    from mcu_harness.results.report.html.trend_page import trend_page

    return trend_page(series)
