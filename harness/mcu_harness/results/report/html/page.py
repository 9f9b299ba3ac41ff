"""The page as text: templates filled in, scripts and styles put inline, and a policy that allows those and no others."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mcu_harness import __version__
from mcu_harness.base import units
from mcu_harness.base.text import printable
from mcu_harness.results.board_matrix import Fit, Matrix, matrix
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Finding, Results, Verdict
from mcu_harness.results.report import accesses_section, text
from mcu_harness.results.report import board_matrix_text as fit_report
from mcu_harness.results.report.columns import present
from mcu_harness.results.report.html import chart_data
from mcu_harness.results.report.html.run_view import RunView, run_views
from mcu_harness.scenario.figure import Shown
from mcu_harness.scenario.figure_catalogue import by_tile, shown_in

_STATIC = Path(__file__).parent / "static"
_STYLES = ("page.css", "parts.css", "print.css")
# In this order: each may use what those before it put into `mcu`.
_SCRIPTS = (
    "base.js",
    "charts.js",
    "layers.js",
    "tree.js",
    "trees.js",
    "arena.js",
    "compare.js",
    "tables.js",
    "page.js",
)


def page(results: Results, *, first: str = "overview") -> str:
    """The whole report of `results`; deterministic."""
    found = matrix(results)
    runs = run_views(found.fits)
    names = chart_data.Names()
    bars = chart_data.bar_figures(results.runs)
    styles, script = static(_STYLES), static(_SCRIPTS)
    return (
        environment()
        .get_template("page.html")
        .render(
            title=_title(results),
            version=__version__,
            first=first,
            policy=policy(styles, script),
            styles=_ours(styles),
            script=_ours(script),
            results=results,
            runs=runs,
            anchors={(view.case, view.run.board): view.anchor for view in runs},
            counts=_counts(results),
            urgent=_urgent(runs),
            matrix=found,
            rankings=_rankings(found),
            overview_figures=by_tile(present(shown_in(Shown.OVERVIEW), results)),
            bar_figures=bars,
            ranking_figures=fit_report.ranking_figures(),
            estimated=_estimated(results),
            overview_json=_json(chart_data.overview_data(results.runs, found)),
            run_json=lambda view: _json(chart_data.run_data(view.run, names)),
            names_json=lambda: _json(names.all),  # called after all runs
        )
    )


@cache
def environment() -> Environment:
    """What fills in the templates of all pages."""
    made = Environment(
        loader=PackageLoader("mcu_harness.results.report.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "bytes": lambda value: text.NOT_MEASURED if value is None else units.format_bytes(value),
        "count": text.number,
        "joules": text.joules,
        "decibels": text.decibels,
        "hertz": units.format_hertz,
        "percent": lambda share: "" if share is None else f"{share * 100:.1f} %",
        "ratio": lambda value: "" if value is None else f"{value:.2f}",
        "hex": lambda value: f"0x{value:08X}",
        "code": _code,
        "slug": lambda words: str(words).replace(" ", "-"),
    }
    made.globals |= {
        "figure": text.figure,
        "accesses_about": accesses_section.ABOUT,
        "binding_text": fit_report.binding_text,
        "cell_text": fit_report.cell_text,
        "spare_text": fit_report.spare_text,
        "price_class": fit_report.price_class,
        "Verdict": Verdict,
    }
    return made


def _code(words: str) -> Markup:
    """Text in which what stands between backticks is code; everything in it is escaped."""
    pieces = printable(words).split("`")
    if len(pieces) % 2 == 0:  # one without its other
        return Markup.escape(printable(words))
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if nth % 2 else Markup.escape(piece) for nth, piece in enumerate(pieces)
    )


def static(names: tuple[str, ...]) -> str:
    """Files of `static/`, one after the other."""
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names)


def policy(styles: str, script: str = "") -> str:
    """Nothing is loaded, nothing runs but this script, nothing styles but this sheet."""
    scripts = f"script-src {_hash(script)}; " if script else ""
    return f"default-src 'none'; {scripts}style-src {_hash(styles)}; base-uri 'none'; form-action 'none'"


def _hash(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _ours(content: str) -> Markup:
    """Text that goes into the page as it is: files of this package, and `script_json`."""
    return Markup(content)  # noqa: S704


def _json(value: object) -> Markup:
    return _ours(chart_data.script_json(value))


def _estimated(results: Results) -> set[str]:
    """Names of the figures that are estimates in any run."""
    every = (measurement for run in results.runs for measurement in run.measurements.values())
    return {measurement.name for measurement in every if measurement.kind is OriginKind.ESTIMATED}


def _title(results: Results) -> str:
    boards = sorted({run.board for run in results.runs})
    cases = list(dict.fromkeys(run.case_name for run in results.runs))
    if len(boards) == 1:
        return f"{cases[0] if len(cases) == 1 else f'{len(results.runs)} runs'} on {boards[0]}"
    return f"{cases[0]} on {len(boards)} boards" if len(cases) == 1 else f"{len(cases)} models, {len(boards)} boards"


def _counts(results: Results) -> list[tuple[Verdict, int]]:
    return [(v, n) for v in Verdict if (n := sum(run.verdict is v for run in results.runs))]


def _urgent(runs: list[RunView]) -> list[tuple[RunView, Finding]]:
    order = {Verdict.FAIL: 0, Verdict.NOT_COMPARABLE: 1, Verdict.NOT_MEASURED: 2}
    found = [(view, finding) for view in runs for finding in view.urgent]
    return sorted(found, key=lambda pair: order[pair[1].verdict])


def _rankings(found: Matrix) -> list[tuple[str, tuple[Fit, ...], list[str], bool]]:
    """Per case: the boards, best first; what to choose; and whether any board has a price class."""
    rankings = []
    for case in found.cases:
        ranked = found.ranked(case)
        priced = any(fit_report.price_class(fit) for fit in ranked)
        rankings.append((case, ranked, fit_report.choices(found, case), priced))
    return rankings
