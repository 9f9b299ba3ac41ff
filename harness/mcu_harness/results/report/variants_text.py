"""Variants beside each other as text: for a terminal, as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from mcu_harness.base import units
from mcu_harness.base.text import for_markdown, for_terminal
from mcu_harness.results.records import Results
from mcu_harness.results.report import text
from mcu_harness.results.report.csv import cell as csv_cell
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.results.variant_comparison import (
    Comparison,
    Entry,
    LayerPair,
    comparisons,
    count_as_same,
    layer_pairs,
    table_figures,
)
from mcu_harness.scenario.figure import Better, Figure

FORMAT_VERSION = 1
PAGE_TITLE = "# Variants"
_QUALITIES = ("fraction", "decibels")
_OF_CONVERTED = ("accuracy_drop", "sqnr_db")
_AS_GIVEN = "it was given quantised, so there is no float model to compare it with"
# How to come to an accuracy; the same words for commands and scenarios.
_LABELS = (
    "Accuracy needs labels: an .npz file with `inputs` and `labels`, given with --dataset or as `file` of [inputs]"
)
_MOST_LAYERS = 5  # of a variant, in text
_LAYER_FIGURES = ("cycles", "flash_bytes", "sqnr_db")


def standing(entry: Entry) -> str:
    """ "front", who dominates it, which it is the same as, or why it is not compared."""
    if entry.left_out:
        return f"not compared: {entry.left_out}"
    over = "" if entry.keeps_budgets else "over budget; "
    if entry.same_as:
        return f"{over}the same model as {entry.same_as}"
    return f"{over}dominated by {', '.join(entry.dominated_by)}" if entry.dominated_by else f"{over}front"


def rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Titles and a row per variant, the best first."""
    figures = table_figures(comparison)
    has_drop = comparison.quality is not None
    titles = ["variant", *(figure.heading for figure in figures), *(["below the best"] if has_drop else []), "standing"]
    body = [
        [
            entry.name,
            *("" if entry.left_out else text.figure_of(entry.run, figure.name) for figure in figures),
            *([drop_text(comparison, entry)] if has_drop else []),
            standing(entry),
        ]
        for entry in comparison.entries
    ]
    return titles, body


def drop_text(comparison: Comparison, entry: Entry) -> str:
    """How far the quality is below the best: "1.20 points" of an accuracy."""
    drop = comparison.drop(entry)
    if drop is None or comparison.quality is None:
        return ""
    return difference_text(drop, comparison.quality).lstrip("+") if drop else "="


def difference_text(difference: float, figure: Figure) -> str:
    """A signed difference of two values of `figure`: shares in percentage points."""
    if figure.kind == "fraction":
        return f"{difference * 100:+.2f} points"
    return f"{'+' if difference >= 0 else '-'}{units.format_value(abs(difference), figure.unit)}"


def sentences(comparison: Comparison) -> list[str]:
    """What to take, what is not worth having and why, and what the comparison rests on."""
    lines = []
    if comparison.front:
        axes = [figure.heading for figure in (comparison.quality, *comparison.costs) if figure]
        lines.append(f"worth having, by {', '.join(axes)}: {', '.join(entry.name for entry in comparison.front)}")
    lines += [
        f"{entry.name} is dominated: {dominance_text(comparison, entry)}"
        for entry in comparison.compared
        if entry.dominated_by
    ]
    lines += [f"{entry.name} is not compared: {entry.left_out}" for entry in comparison.entries if entry.left_out]
    if not comparison.compared:
        return lines
    if not any(entry.keeps_budgets for entry in comparison.front):
        lines.append("none of them keeps its budgets")
    else:
        for figure in (comparison.quality, *comparison.costs):
            if figure is not None and (best := comparison.best(figure)) is not None:
                word = "most" if figure.better is Better.MORE else "least"
                within = " that keeps its budgets" if any(entry.run.budgets for entry in comparison.front) else ""
                lines.append(f"{word} {figure.heading}{within}: {best.name}, {text.figure_of(best.run, figure.name)}")
    if comparison.quality is None:
        lines.append(f"quality is not known: compared by cost alone. {_LABELS}")
    elif comparison.quality.name == "sqnr_db":
        lines.append(
            "quality is SQNR, of each variant to the float model that it was made from: it tells conversions of one "
            f"net apart, and nothing between different nets. {_LABELS}"
        )
    return lines + _reasons(comparison)


def _reasons(comparison: Comparison) -> list[str]:
    """Why figures of quality that the table shows are not measured, a line for each reason."""
    names: dict[tuple[str, str], list[str]] = {}
    for figure in table_figures(comparison):
        for entry in comparison.compared:
            measured = entry.run.measurements.get(figure.name)
            if measured is not None and measured.value is None and figure.kind in _QUALITIES:
                names.setdefault((entry.name, measured.origin), []).append(figure.heading)
            elif measured is None and figure.name in _OF_CONVERTED:
                names.setdefault((entry.name, f"not measured: {_AS_GIVEN}"), []).append(figure.heading)
    return [f"{' and '.join(headings)} of {name}: {why}" for (name, why), headings in names.items()]


def dominance_text(comparison: Comparison, entry: Entry) -> str:
    """ "B has latency -12.0 %, flash -3.1 %, the same RAM, accuracy +0.28 points" for the best of those that dominate."""
    by = comparison.entry(entry.dominated_by[0])
    others = len(entry.dominated_by) - 1
    parts = []
    for figure in (comparison.quality, *comparison.costs):
        if figure is None:
            continue
        mine, theirs = entry.run.value(figure.name), by.run.value(figure.name)
        assert mine is not None and theirs is not None
        if count_as_same(by.run, entry.run, figure):
            parts.append(f"the same {figure.heading}")
        elif figure.better is Better.MORE or not mine:
            parts.append(f"{figure.heading} {difference_text(theirs - mine, figure)}")
        else:
            parts.append(f"{figure.heading} {(theirs - mine) / mine * 100:+.1f} %")
    return f"{by.name} has {', '.join(parts)}" + (f"; {others} more dominate it, too" if others else "")


def layer_name(pair: LayerPair) -> str:
    """ "03 CONV_2D", or what it was where that has another name; "new" and "gone" where only one side has it."""
    if pair.before is None:
        return f"{pair.after.name if pair.after else ''} (new)"
    if pair.after is None:
        return f"{pair.before.name} (gone)"
    return pair.before.name if pair.before.name == pair.after.name else f"{pair.before.name} → {pair.after.name}"


def largest_changes(comparison: Comparison, entry: Entry, most: int = _MOST_LAYERS) -> list[LayerPair]:
    """The layers whose cycles changed most against the reference, the largest first."""
    reference = comparison.reference
    if reference is None or entry.left_out or entry.name == reference.name:
        return []
    moved = [pair for pair in layer_pairs(reference.run, entry.run) if pair.change("cycles")]
    return sorted(moved, key=lambda pair: -abs(pair.change("cycles") or 0))[:most]


def change_text(pair: LayerPair) -> str:
    """ "-12,345 cycles, -320 B, SQNR -1.2 dB"."""
    parts = []
    if cycles := pair.change("cycles"):
        parts.append(f"{units.format_signed(round(cycles))} cycles")
    if flash := pair.change("flash_bytes"):
        parts.append(f"{units.format_signed(flash)} B flash")
    if pair.before and pair.after and pair.before.sqnr_db is not None and pair.after.sqnr_db is not None:
        difference = pair.after.sqnr_db - pair.before.sqnr_db
        parts.append(f"SQNR {difference:+.1f} dB")
    return ", ".join(parts)


def terminal(found: Sequence[Comparison]) -> str:
    """All comparisons for a terminal; a sentence where there is none."""
    blocks = []
    for comparison in found:
        titles, body = rows(comparison)
        alignment = ("left", *["right"] * (len(titles) - 2), "left")
        lines = [f"{comparison.scenario} on {comparison.board} ({comparison.tools})", ""]
        lines += terminal_table(titles, body, alignment).splitlines()
        lines += ["", *("  " + line for line in sentences(comparison))]
        for entry in comparison.entries:
            if changes := largest_changes(comparison, entry):
                assert comparison.reference is not None
                lines += ["", f"  {entry.name} against {comparison.reference.name}, layers that changed most:"]
                lines += [f"    {layer_name(pair)}: {change_text(pair)}" for pair in changes]
        blocks.append("\n".join(lines))
    return for_terminal("\n\n".join(blocks)) + "\n" if blocks else "no scenario here has two models or more\n"


def summary_lines(results: Results) -> list[str]:
    """A line per comparison for the summary of a session."""
    return [
        f"variants of {comparison.scenario} on {comparison.board}: {'; '.join(sentences(comparison)[:1])}"
        for comparison in comparisons(results)
        if comparison.front
    ]


def markdown(results: Results) -> str:
    """All comparisons as Markdown."""
    lines = [PAGE_TITLE]
    for comparison in comparisons(results):
        titles, body = rows(comparison)
        cells = [[for_markdown(cell) for cell in row] for row in body]
        alignment = ("left", *["right"] * (len(titles) - 2), "left")
        made = terminal_table(titles, cells, alignment, form="pipe")
        lines += [
            "",
            f"## {for_markdown(comparison.scenario)} on {for_markdown(comparison.board)}",
            "",
            *made.splitlines(),
            "",
        ]
        lines += [f"- {for_markdown(line)}" for line in sentences(comparison)]
        for entry in comparison.entries:
            if changes := largest_changes(comparison, entry):
                assert comparison.reference is not None
                against = f"{for_markdown(entry.name)} against {for_markdown(comparison.reference.name)}"
                lines += ["", f"{against}, layers that changed most:", ""]
                lines += [f"- {for_markdown(layer_name(pair))}: {for_markdown(change_text(pair))}" for pair in changes]
    return "\n".join(lines) + "\n"


def to_csv(results: Results) -> str:
    """A row per variant and board, with every figure that any run has; what was not measured is an empty cell."""
    found = comparisons(results)
    entries = [(comparison, entry) for comparison in found for entry in comparison.entries]
    names = list(dict.fromkeys(m.name for _, entry in entries for m in text.ordered(entry.run.measurements)))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        ["scenario", "variant", "board", "verdict", "on_front", "dominated_by", "left_out", "below_best", *names]
    )
    for comparison, entry in entries:
        facts: list[object] = [comparison.scenario, entry.name, comparison.board, str(entry.run.verdict)]
        facts += [int(entry.on_front), " ".join(entry.dominated_by), entry.left_out, comparison.drop(entry)]
        writer.writerow([csv_cell(value) for value in (*facts, *map(entry.run.value, names))])
    return stream.getvalue()


def to_json(results: Results) -> str:
    """All comparisons as JSON text: what a script needs to pick a variant."""
    plain = {
        "format_version": FORMAT_VERSION,
        "comparisons": [
            {
                "scenario": comparison.scenario,
                "board": comparison.board,
                "quality": comparison.quality.name if comparison.quality else None,
                "costs": [figure.name for figure in comparison.costs],
                "reference": comparison.reference.name if comparison.reference else None,
                "variants": [_variant(comparison, entry) for entry in comparison.entries],
            }
            for comparison in comparisons(results)
        ],
    }
    return json.dumps(plain, indent=1, sort_keys=True) + "\n"


def _variant(comparison: Comparison, entry: Entry) -> dict[str, object]:
    reference = comparison.reference
    pairs = [] if reference is None or entry.left_out else layer_pairs(reference.run, entry.run)
    return {
        "name": entry.name,
        "verdict": str(entry.run.verdict),
        "on_front": entry.on_front,
        "dominated_by": list(entry.dominated_by),
        "left_out": entry.left_out or None,
        "below_best": comparison.drop(entry),
        "figures": {name: measurement.value for name, measurement in entry.run.measurements.items()},
        "layers": [
            {
                "reference": pair.before.name if pair.before else None,
                "variant": pair.after.name if pair.after else None,
                **{
                    name: [getattr(layer, name) if layer else None for layer in (pair.before, pair.after)]
                    for name in _LAYER_FIGURES
                },
            }
            for pair in pairs
        ],
    }
