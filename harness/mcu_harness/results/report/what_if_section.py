"""What-ifs of a run as a table: as measured, and what each would have cost instead, for the whole and per layer."""

from __future__ import annotations

from mcu_harness.base import units
from mcu_harness.base.text import for_terminal
from mcu_harness.results.records import RunResult, WhatIf
from mcu_harness.results.report import text
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.scenario.figure import Shown
from mcu_harness.scenario.figure_catalogue import shown_in


def table(run: RunResult) -> tuple[list[str], list[list[str]]]:
    """Titles and rows; a column for each what-if, with the difference to the run in cycles where there is one."""
    titles = ["", "this run", *(one.name for one in run.what_ifs)]
    cycles = run.value("cycles")
    rows = [
        ["cycles", text.number(cycles), *(_cell(one.cycles, cycles) for one in run.what_ifs)],
        ["clock", units.format_hertz(run.clock_hz), *(units.format_hertz(one.clock_hz) for one in run.what_ifs)],
    ]
    for figure in shown_in(Shown.WHAT_IFS):
        values = [run.value(figure.name), *(getattr(one, figure.name) for one in run.what_ifs)]
        if any(value is not None for value in values):
            shown = ("" if value is None else units.format_value(value, figure.unit) for value in values)
            rows.append([figure.heading, *shown])
    for nth, layer in enumerate(run.layers):
        cells = [_cell(_layer(one, nth), layer.cycles) for one in run.what_ifs]
        rows.append([layer.name, text.number(layer.cycles), *cells])
    return titles, rows


def explained(run: RunResult) -> list[str]:
    """What each what-if changes, and what its figures are worth where that is not what the run's own are."""
    own = run.measurements["cycles"].origin if "cycles" in run.measurements else ""
    return [f"{one.name}: {'; '.join(one.changes)} ({_worth(one, own)})" for one in run.what_ifs]


def _worth(one: WhatIf, own: str) -> str:
    is_known = one.notes and one.origin == "; ".join((own, *one.notes))
    return "; ".join(one.notes) if is_known else one.origin


def lines(run: RunResult) -> list[str]:
    """Both, for a terminal."""
    titles, rows = table(run)
    alignment = ("left", *["right"] * (len(titles) - 1))
    made = terminal_table(titles, rows, alignment).splitlines()
    return [for_terminal(line) for line in (f"what if ({run.case_name} on {run.board}):", *made, *explained(run))]


def _layer(one: WhatIf, nth: int) -> float | int | None:
    return one.layer_cycles[nth] if nth < len(one.layer_cycles) else None


def _cell(value: float | int | None, base: float | int | None) -> str:
    """Cycles, and the difference to those of the run."""
    if value is None:
        return text.number(value)
    if base is None or not base:
        return text.number(value)
    if value == base:
        return f"{text.number(value)} (same)"
    return f"{text.number(value)} ({(value - base) / base * 100:+.1f} %)"
