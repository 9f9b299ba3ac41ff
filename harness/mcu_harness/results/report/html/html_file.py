"""The HTML report: one file that opens anywhere, without a network, for the person who has to decide.

Charts are drawn by plotly.js, which the Python package `plotly` brings along (extra `html`). It was chosen because it
is the one well-kept library that has what is needed here (bars, treemap, icicle), comes as a Python package, so that
no third-party code lies in this repository and its licence travels with it, and runs under a strict content security
policy. It costs 4.8 MB in every file (1.4 MB compressed), which is why one file holds all boards, and why a file per
board is made only on request. Smaller libraries (uPlot, Observable Plot) have no treemap; D3, Apache ECharts and Vega
are not packaged for Python by people who maintain them.

What must hold without the library, or without any script, is in the HTML itself: every table, finding and memory map.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from mcu_harness.base.errors import HarnessError
from mcu_harness.base.files import write_text
from mcu_harness.results.records import Results

NEEDED = ("jinja2", "plotly")


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

    path = output / "report.html" if output.is_dir() else output
    write_text(path, page(results, first=first))
    return [path]


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
