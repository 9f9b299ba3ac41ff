"""The page on which a person chooses a variant: plots, the table, who dominates whom, and layer by layer. No script at all."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from mcu_harness import __version__
from mcu_harness.base import units
from mcu_harness.base.files import write_text
from mcu_harness.results.records import Results
from mcu_harness.results.report import text, variants_text
from mcu_harness.results.report.html import scatter
from mcu_harness.results.report.html.page import environment, policy, static
from mcu_harness.results.variant_comparison import Comparison, Entry, comparisons, layer_pairs

_STYLES = ("page.css", "parts.css", "variants.css")
_MOST_ROWS = 200  # of a table of layers


def write_variants_page(results: Results, output: Path) -> list[Path]:
    """Write the page to the file `output`, or to `variants.html` in it where it is a directory; returns the path."""
    path = output / "variants.html" if output.is_dir() else output
    write_text(path, variants_page(results))
    return [path]


_MOST_NAMES = 5  # in the title


def variants_page(results: Results) -> str:
    """The page of all comparisons in `results`; deterministic."""
    found = comparisons(results)
    styles = static(_STYLES)
    names = list(dict.fromkeys(entry.name for comparison in found for entry in comparison.entries))
    return (
        environment()
        .get_template("variants.html")
        .render(
            title=f"Variants: {', '.join(names)}" if len(names) <= _MOST_NAMES else f"{len(names)} variants",
            version=__version__,
            policy=policy(styles),
            styles=Markup(styles),  # noqa: S704 - files of this package
            comparisons=found,
            hertz=units.format_hertz,
            plots=plots,
            rows=variants_text.rows,
            sentences=variants_text.sentences,
            layer_tables=layer_tables,
        )
    )


def plots(comparison: Comparison) -> list[scatter.Plot]:
    """The quality against each cost; without a quality, the first cost against the others."""
    first, *others = comparison.costs if comparison.quality is None else (comparison.quality, *comparison.costs)
    return [
        scatter.plot([_point(entry, x.name, first.name) for entry in comparison.compared], x, first) for x in others
    ]


def _point(entry: Entry, x: str, y: str) -> scatter.Point:
    across, up = entry.run.value(x), entry.run.value(y)
    assert across is not None and up is not None
    about = (
        f"{entry.name}: {text.figure_of(entry.run, y)}, {text.figure_of(entry.run, x)}; {variants_text.standing(entry)}"
    )
    return scatter.Point(entry.name, float(across), float(up), entry.on_front, about)


def layer_tables(comparison: Comparison) -> list[tuple[str, list[str], list[list[tuple[str, str]]]]]:
    """For each variant but the reference: a heading, titles, and rows of cells with "won", "lost" or "" each."""
    reference = comparison.reference
    tables = []
    for entry in comparison.compared:
        if reference is None or entry.name == reference.name:
            continue
        rows = []
        for pair in layer_pairs(reference.run, entry.run)[:_MOST_ROWS]:
            row = [(variants_text.layer_name(pair), "")]
            for name in ("cycles", "flash_bytes"):
                for layer in (pair.before, pair.after):
                    row.append((text.number(getattr(layer, name)) if layer else "", ""))
                change = pair.change(name)
                shown = "" if not change else units.format_signed(round(change))
                row.append((shown, "" if not change else "won" if change < 0 else "lost"))
            if text.has_ratios(reference.run) or text.has_ratios(entry.run):
                row += [(text.decibels(layer.sqnr_db) if layer else "", "") for layer in (pair.before, pair.after)]
            rows.append(row)
        titles = ["layer", *(f"{what}{side}" for what in ("cycles", "flash B") for side in ("", " here", " change"))]
        if rows and len(rows[0]) > len(titles):
            titles += ["SQNR", "SQNR here"]
        tables.append((f"{entry.name} against {reference.name}", titles, rows))
    return tables
