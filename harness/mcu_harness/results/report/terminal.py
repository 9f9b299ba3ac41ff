"""Results for a terminal: one table, then what failed and why."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable

from mcu_harness.base.text import for_terminal
from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.finding_codes import STOPPED
from mcu_harness.results.records import Results, RunResult, Verdict
from mcu_harness.results.report import (
    accesses_section,
    cycle_parts_section,
    heap_section,
    input_spread,
    placement_section,
    spared_section,
    stack_section,
    text,
    what_if_section,
)
from mcu_harness.results.report.colour import Colour, paint
from mcu_harness.results.report.columns import Column, columns_for
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.scenario.figure_catalogue import FIGURES

_COLOURS = {
    Verdict.PASS: Colour.GREEN,
    Verdict.FAIL: Colour.RED,
    Verdict.NOT_COMPARABLE: Colour.YELLOW,
    Verdict.NOT_MEASURED: Colour.YELLOW,
}

# What notes say of a converted model, besides its noisiest layer.
_FAITHFULNESS = ("accuracy_drop", "argmax_agreement", "sqnr_db")


def summary_table(
    results: Results, chosen: Iterable[str] = (), width: int | None = None, *, coloured: bool = False
) -> str:
    """A row per run, with the columns that are `chosen` (see `columns`); figures that break their budgets say so.

    Without a choice, columns are left out until the table is not wider than `width`; a last line says which. All of
    them are in the reports.
    """
    names = list(chosen)
    columns = columns_for(results, names)
    table = _table(results, columns.values())
    if names or width is None:
        return _table(results, columns.values(), coloured) if coloured else table
    left_out: list[str] = []
    for name in sorted((n for n, c in columns.items() if c.gives_way), key=lambda n: columns[n].gives_way):
        if max(map(len, table.splitlines())) <= width:
            break
        left_out.append(name)
        table = _table(results, [column for key, column in columns.items() if key not in left_out])
    if coloured:
        table = _table(results, [column for key, column in columns.items() if key not in left_out], coloured)
    return f"{table}\n({', '.join(left_out)}: --columns, or a wider terminal)" if left_out else table


def _table(results: Results, columns: Collection[Column], coloured: bool = False) -> str:
    if not results.runs:
        return "no runs"
    titles = ["scenario", "board", "verdict", *(column.title for column in columns)]
    shown = list(columns)
    rows = [
        [run.case_name, run.board, text.run_mark(run), *(column.cell(run) for column in shown)] for run in results.runs
    ]

    def colour(row: int, column: int, cell: str) -> str:
        run = results.runs[row]
        if column == 2:
            return paint(cell, _COLOURS[run.verdict], coloured)
        return paint(cell, Colour.RED, coloured and column > 2 and shown[column - 3].is_broken(run))

    alignment = ("left", "left", "left", *("right" if column.is_number else "left" for column in columns))
    return terminal_table(titles, rows, alignment, paint=colour)


def failure_text(run: RunResult, verbosity: int = 0) -> str:
    """What went wrong in one run.

    With -v (1) all contributors, the layer table and the console; with -vv (2) also functions and provenance.
    """
    lines = [f"{run.case_name} on {run.board}: {run.verdict}"]
    for finding in run.findings:
        if finding.verdict is not Verdict.PASS:
            lines += ["  " + line for line in text.finding_lines(finding, most=5 if verbosity < 1 else 50)]
    if verbosity >= 1:
        lines += ["", costs_text(run)]
    if verbosity >= 2:
        lines += ["", function_table(run), "", *provenance_lines(run)]
    stopped = any(finding.category in STOPPED for finding in run.findings)
    if run.console and (verbosity >= 1 or stopped):
        lines += ["  console:", *("    | " + line for line in text.console_lines(run))]
    return for_terminal("\n".join(lines))


def profile_text(run: RunResult, verbosity: int = 0) -> str:
    """What a run of firmware costs: layers where it has named ones, the dearest functions, and what else was found."""
    lines = [f"{run.case_name} on {run.board}: {run.verdict}"]
    for finding in run.findings:
        lines += ["  " + line for line in text.finding_lines(finding, most=5 if verbosity < 1 else 50)]
    if run.layers:
        lines += ["", layer_table(run), *(_cycle_parts(run) if verbosity >= 1 else [])]
    if run.functions:
        lines += ["", function_table(run, most=10 if verbosity < 1 else 50)]
    if placed := placement_section.lines(run):
        lines += ["", *placed]
    if run.what_ifs:
        lines += ["", *what_if_section.lines(run)]
    if verbosity >= 1:
        lines += _stack(run) + _accesses(run)
    if verbosity >= 2:
        lines += ["", *provenance_lines(run)]
    if run.console and (verbosity >= 1 or run.verdict is not Verdict.PASS):
        lines += ["  console:", *("    | " + line for line in text.console_lines(run))]
    return for_terminal("\n".join(lines))


def costs_text(run: RunResult) -> str:
    """Where time and stack go: the layers and what their cycles go into, and the calls at the deepest point."""
    layers = [layer_table(run), *_cycle_parts(run)] if run.layers else []
    placed = placement_section.lines(run)
    return for_terminal("\n".join([*layers, *(["", *placed] if placed else []), *_stack(run), *_accesses(run)]))


def _cycle_parts(run: RunResult) -> list[str]:
    if not cycle_parts_section.is_known(run):
        return []
    titles, rows = cycle_parts_section.table(run)
    texts = cycle_parts_section.texts_in(run)
    alignment = [*["left"] * texts, *["right"] * (len(titles) - texts)]
    return ["", terminal_table(titles, rows, alignment), cycle_parts_section.ABOUT]


def _stack(run: RunResult) -> list[str]:
    found = [*stack_section.lines(run), *heap_section.lines(run)]
    return ["", *found] if found else []


def _accesses(run: RunResult) -> list[str]:
    found = accesses_section.lines(run, most=20)
    return ["", *found] if found else []


def layer_table(run: RunResult) -> str:
    """A row per layer with its share of the cycles, and how it differs from input to input where it does."""
    differ, ratios, fewer = input_spread.differ(run), text.has_ratios(run), spared_section.any_channels(run)
    total = run.value("cycles")
    rows = [
        [
            layer.name,
            *([spared_section.channels(layer)] if fewer else []),
            text.number(layer.macs or None),
            text.number(layer.instructions),
            text.number(layer.cycles),
            f"{layer.cycles / total * 100:.1f} %" if total and layer.cycles is not None else "",
            text.number(layer.flash_bytes),
            *([text.decibels(layer.sqnr_db)] if ratios else []),
            *(input_spread.triple(input_spread.layer_spread(layer)) if differ else ()),
        ]
        for layer in run.layers
    ]
    rows += [[name, *([""] if fewer else []), *cells] for name, *cells in _outside(run)]
    titles = ["layer", *(["channels"] if fewer else []), "MACs", "instructions", "cycles", "share", "flash B"]
    titles += ["SQNR"] if ratios else []
    if differ:
        titles += [f"{input_spread.what_differs(run)}: min", "median", "max"]
    alignment = ("left", *["right"] * (len(titles) - 1))
    table = terminal_table(titles, rows, alignment)
    notes = [input_spread.sentence(run) if differ else "", spared_section.sentence(run)]
    return "\n".join([table, *filter(None, notes)])


def _outside(run: RunResult) -> list[list[str]]:
    """A row for what runs outside of all layers, where that is a thousandth or more."""
    whole = [run.value("instructions"), run.value("cycles")]
    inside = [sum(layer.instructions or 0 for layer in run.layers), sum(layer.cycles or 0 for layer in run.layers)]
    rest, rest_cycles = (None if all_ is None else all_ - part for all_, part in zip(whole, inside, strict=True))
    if rest is None or not whole[0] or rest < whole[0] / 1000:
        return []
    share = f"{rest_cycles / whole[1] * 100:.1f} %" if rest_cycles is not None and whole[1] else ""
    return [["(outside of these)", "", text.number(rest), text.number(rest_cycles), share, ""]]


def function_table(run: RunResult, most: int = 20) -> str:
    """The functions that take most for themselves."""
    hottest = sorted(run.functions, key=lambda f: (-(f.self_cycles or f.self_instructions), f.name))[:most]
    rows = [
        [f.name, f"{f.calls:,.6g}", *map(text.number, (f.self_instructions, f.self_cycles, f.total_cycles))]
        for f in hottest
    ]
    titles = ["function", "calls", "own instructions", "own cycles", "with callees"]
    return terminal_table(titles, rows, ("left", *["right"] * 4)) if rows else ""


def provenance_lines(run: RunResult) -> list[str]:
    """What the figures of a run depend on."""
    made = run.provenance
    return [
        f"emulator: {text.tool(run.emulator)}",
        f"compiler: {text.tool(run.toolchain)} {' '.join(run.toolchain.flags)}".rstrip(),
        f"kernels: {made.kernel_set}; cycle model: {made.cycle_model or 'none'}",
        f"model {made.model_digest[:16]}, board file {made.board_digest[:16]}, build {made.build_id[:16]}",
        f"mcu-harness {made.harness_version}" + (f", commit {made.commit[:12]}" if made.commit else ""),
        *([f"model converted from {text.converted_from(made)}"] if made.converted_from else []),
        *(f"import: {note}" for note in made.import_notes),
    ]


def notes(results: Results, width: int | None = None) -> list[str]:
    """Lines under the table: were the outputs right, which emulator and compiler, how far cycles can be trusted.

    With a `width` they are broken between words so that none is longer.
    """
    lines: list[str] = []
    checks: dict[str, dict[str, set[str]]] = {}
    for run in results.runs:
        said = f"differ from {run.outputs.oracle}" if run.outputs.mismatches else text.outputs_text(run)
        checks.setdefault(said, {}).setdefault(run.case_name, set()).add(run.board)
    several = len({run.case_name for run in results.runs}) > 1
    for said, cases in sorted(checks.items()):
        of_boards = _some(set().union(*cases.values()))
        of_models = f"{_some(set(cases), 'models')} on " if several else ""
        lines.append(f"outputs: {said} ({of_models}{of_boards})")
    lines += [f"int8: {said} ({_some(names, 'models')})" for said, names in sorted(_faithfulness(results).items())]
    lines += [
        f"placement: {said} ({run.case_name} on {run.board})"
        for run in results.runs
        if (said := placement_section.summary(run))
    ]
    ran = [run for run in results.runs if text.was_set_up(run)]
    for name, tools in (("emulator", (run.emulator for run in ran)), ("compiler", (run.toolchain for run in ran))):
        used = sorted({text.tool(each) for each in tools})
        lines += [f"{name}: {', '.join(used)}"] if used else []
    origins: dict[str, set[str]] = {}
    for run in results.runs:
        cycles = run.measurements.get("cycles")
        if cycles is not None:
            origins.setdefault(cycles.origin, set()).add(run.board)
    lines += [f"cycles: {origin} ({_some(boards)})" for origin, boards in sorted(origins.items())]
    lines = [for_terminal(line) for line in lines]
    return lines if width is None else [part for line in lines for part in _broken(line, width)]


def _faithfulness(results: Results) -> dict[str, set[str]]:
    """What int8 costs against the float model, and of which models; nothing of models that were int8."""
    found: dict[str, set[str]] = {}
    for run in results.runs:
        figures = [FIGURES[name] for name in _FAITHFULNESS if run.value(name) is not None]
        if figures:
            said = ", ".join(f"{figure.heading} {text.figure_of(run, figure.name)}" for figure in figures)
            worst = min((layer for layer in run.layers if layer.sqnr_db is not None), key=_noise, default=None)
            if worst is not None:
                said += f"; the noisiest layer is {worst.name} with {text.decibels(worst.sqnr_db)}"
            found.setdefault(said, set()).add(run.case_name)
    return found


def _noise(layer: LayerResult) -> float:
    return layer.sqnr_db or 0.0


def _broken(line: str, width: int) -> list[str]:
    return textwrap.wrap(
        line, max(width, 20), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    ) or [line]


def _some(names: set[str], noun: str = "boards") -> str:
    """A few of `names`, and how many more."""
    shown = sorted(names)
    return ", ".join(shown) if len(shown) <= 3 else f"{', '.join(shown[:2])} and {len(shown) - 2} more {noun}"
