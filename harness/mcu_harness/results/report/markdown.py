"""A Markdown report per board: what fits, what it costs, where it goes."""

from __future__ import annotations

from pathlib import Path

from mcu_harness.base import units
from mcu_harness.base.files import write_text
from mcu_harness.base.text import for_markdown, for_markdown_code
from mcu_harness.results.records import Results, RunResult
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
from mcu_harness.results.report.columns import present
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.scenario.figure import Shown
from mcu_harness.scenario.figure_catalogue import shown_in


def write_board_reports(results: Results, directory: Path) -> list[Path]:
    """Write `<board>.md` for every board of `results` into `directory`; returns the paths."""
    paths = []
    for board in sorted({run.board for run in results.runs}):
        path = directory / f"{board}.md"
        write_text(path, board_report(results, board))
        paths.append(path)
    return paths


def board_report(results: Results, board: str) -> str:
    """The report of one board as Markdown."""
    runs = [run for run in results.runs if run.board == board]
    first, summary = runs[0], present(shown_in(Shown.SUMMARY), Results(tuple(runs)))
    lines = [f"# {board}", "", f"{for_markdown(first.core)} at {units.format_hertz(first.clock_hz)}.", ""]
    lines += _table(
        ["scenario", "verdict", *(figure.heading for figure in summary)],
        [
            [
                for_markdown(run.case_name),
                f"**{text.run_mark(run)}**",
                *(text.figure(run.measurements.get(figure.name)) for figure in summary),
            ]
            for run in runs
        ],
        numbers_from=2,
    )
    for run in runs:
        lines += ["", f"## {for_markdown(run.case_name)}", "", *_run(run)]
    return "\n".join(lines) + "\n"


def _run(run: RunResult) -> list[str]:
    lines = [f"Outputs: {for_markdown(text.outputs_text(run))}.", ""]
    for finding in run.findings:
        body = text.finding_lines(finding, most=10)
        lines += [
            f"- {for_markdown(body[0])}  " if body[1:] else f"- {for_markdown(body[0])}",
            *("    " + for_markdown(line.strip()) + "  " for line in body[1:]),
        ]
    if run.findings:
        lines.append("")
    rows = []
    for measurement in input_spread.shown_figures(run):
        budget = run.budgets.get(measurement.name)
        rows.append(
            [
                for_markdown(text.title(measurement)),
                for_markdown(text.figure(measurement)),
                "" if budget is None else units.format_value(budget, measurement.unit),
                text.headroom(measurement, budget),
                for_markdown(text.exact(measurement)),
                for_markdown(measurement.origin),
            ]
        )
    lines += _table(["figure", "value", "budget", "headroom", "exact", "how it was obtained"], rows)
    lines += _layers(run) + _what_ifs(run) + _memory(run) + _accesses(run) + _stack(run) + _heap(run) + _functions(run)
    made = run.provenance
    flags = " ".join(run.toolchain.flags)
    lines += [
        "",
        "### Provenance",
        "",
        f"- emulator: {for_markdown(text.tool(run.emulator))}",
        f"- compiler: {for_markdown(text.tool(run.toolchain))}, {for_markdown_code(flags)}",
        f"- kernels: {for_markdown(made.kernel_set)}; rounding: {for_markdown(run.outputs.rounding)}",
        f"- cycle model: {for_markdown(made.cycle_model)}",
        f"- model sha256 {for_markdown(made.model_digest[:16])}, board file sha256 {for_markdown(made.board_digest[:16])}, "
        f"build {for_markdown(made.build_id[:16])}",
        f"- mcu-harness {for_markdown(made.harness_version)}"
        + (f", commit {for_markdown(made.commit[:12])}" if made.commit else ""),
        *([f"- model converted from {for_markdown(text.converted_from(made))}"] if made.converted_from else []),
    ]
    if made.import_notes:
        lines += ["", "### What import changed of the model", ""]
        lines += [f"- {for_markdown(note)}" for note in made.import_notes]
    return lines


def _layers(run: RunResult) -> list[str]:
    if not run.layers:
        return []
    total = sum(layer.cycles or 0 for layer in run.layers)
    differ, timed = input_spread.differ(run), run.value("energy_j") is not None
    ratios, fewer = text.has_ratios(run), spared_section.any_channels(run)
    rows = []
    for layer in run.layers:
        share = f"{layer.cycles / total * 100:.1f} %" if total and layer.cycles is not None else ""
        per_mac = f"{layer.cycles / layer.macs:.2f}" if layer.macs and layer.cycles is not None else ""
        rows.append(
            [
                for_markdown(layer.name),
                *([spared_section.channels(layer)] if fewer else []),
                text.number(layer.macs or None),
                text.number(layer.instructions),
                text.number(layer.cycles),
                share,
                per_mac,
                text.number(layer.flash_bytes),
                text.number(layer.arena_bytes),
                *([text.joules(text.layer_energy_j(run, layer))] if timed else []),
                *([text.decibels(layer.sqnr_db)] if ratios else []),
                *(input_spread.triple(input_spread.layer_spread(layer)) if differ else ()),
            ]
        )
    titles = ["layer", *(["channels"] if fewer else [])]
    titles += ["MACs", "instructions", "cycles", "share", "cycles/MAC", "flash B", "arena live B"]
    titles += ["energy (estimated)"] if timed else []
    titles += ["SQNR"] if ratios else []
    lines = ["", "### Layers", ""]
    if differ:
        what = input_spread.what_differs(run)
        titles += [f"{what}: min", "median", "max"]
        lines += [input_spread.sentence(run), ""]
    return [*lines, *_table(titles, rows, numbers_from=1), *_spared(run), *_placed(run), *_cycle_parts(run)]


def _cycle_parts(run: RunResult) -> list[str]:
    if not cycle_parts_section.is_known(run):
        return []
    titles, rows = cycle_parts_section.table(run)
    cells = [[for_markdown(cell) for cell in row] for row in rows]
    about = ["### What the cycles of layers go into", "", cycle_parts_section.ABOUT, ""]
    return ["", *about, *_table(titles, cells, numbers_from=cycle_parts_section.texts_in(run))]


def _placed(run: RunResult) -> list[str]:
    lines = placement_section.lines(run)
    return ["", *(f"- {for_markdown(line)}" for line in lines)] if lines else []


def _spared(run: RunResult) -> list[str]:
    sentence, found = spared_section.sentence(run), spared_section.lines(run)
    return [
        *(["", sentence] if sentence else []),
        *(["", *(f"- {for_markdown(line)}" for line in found)] if found else []),
    ]


def _what_ifs(run: RunResult) -> list[str]:
    if not run.what_ifs:
        return []
    titles, rows = what_if_section.table(run)
    cells = [[for_markdown(cell) for cell in row] for row in rows]
    lines = ["", "### What if", "", *_table([for_markdown(title) for title in titles], cells, numbers_from=1), ""]
    return [*lines, *(f"- {for_markdown(line)}" for line in what_if_section.explained(run))]


def _memory(run: RunResult) -> list[str]:
    regions = [
        [
            for_markdown(region.name),
            f"{region.origin:#010x}",
            units.format_bytes(region.used_bytes),
            units.format_bytes(region.capacity_bytes),
            f"{region.used_bytes / region.capacity_bytes * 100:.1f} %" if region.capacity_bytes else "",
        ]
        for region in run.regions
    ]
    largest = sorted(run.symbols, key=lambda symbol: (-(symbol.flash_bytes + symbol.ram_bytes), symbol.name))[:12]
    symbols = [
        [
            for_markdown_code(symbol.name),
            for_markdown(symbol.region),
            text.number(symbol.flash_bytes),
            text.number(symbol.ram_bytes),
        ]
        for symbol in largest
    ]
    return [
        "",
        "### Memory",
        "",
        *_table(["region", "origin", "used", "size", "share"], regions, numbers_from=1),
        "",
        *_table(["largest symbols", "region", "flash B", "RAM B"], symbols, numbers_from=2),
    ]


def _accesses(run: RunResult) -> list[str]:
    if run.accesses is None:
        return []
    lines = ["", "### Memory accesses", ""]
    if run.accesses.missing:
        return [*lines, f"{for_markdown(run.accesses.missing)}."]
    layers = [[*map(for_markdown, row[:2]), *row[2:]] for row in accesses_section.by_layer(run)]
    objects, more = accesses_section.by_object(run, most=20)
    lines += [accesses_section.ABOUT, "", *_table([*accesses_section.LAYER_TITLES], layers, numbers_from=2), ""]
    lines += _table(
        [*accesses_section.OBJECT_TITLES],
        [[for_markdown_code(row[0]), *map(for_markdown, row[1:])] for row in objects],
        numbers_from=3,
    )
    return [*lines, *(["", f"And {more} more."] if more else [])]


def _stack(run: RunResult) -> list[str]:
    use = run.stack
    if use is None or not (use.path or use.static_path or use.tasks):
        return []
    lines = ["", "### Stack", ""]
    if use.path:
        lines += [f"{for_markdown(stack_section.measured_title(use))}.", "", *_path(stack_section.rows(use.path)), ""]
    if use.static_path:
        lines += [f"{for_markdown(stack_section.static_title(use))}."]
        lines += ["", *(f"- not in it: {for_markdown(why)}" for why in use.open_ends)] if use.open_ends else []
        lines += ["", *_path(stack_section.rows(use.static_path))] if stack_section.shows_static_path(use) else []
    if use.tasks:
        rows = [[for_markdown_code(name), used, size] for name, used, size in stack_section.task_rows(use)]
        lines += ["", f"{stack_section.TASKS_TITLE}:", "", *_table([*stack_section.TASK_COLUMNS], rows, 1)]
    return lines


def _heap(run: RunResult) -> list[str]:
    return ["", "### Heap", "", f"{for_markdown(heap_section.sentence(run.heap))}."] if run.heap else []


def _path(rows: list[stack_section.Row]) -> list[str]:
    return _table(
        ["function", "stack B", "depth B"], [[for_markdown_code(name), own, depth] for name, own, depth in rows], 1
    )


def _functions(run: RunResult) -> list[str]:
    hottest = sorted(run.functions, key=lambda f: (-(f.self_cycles or f.self_instructions), f.name))[:12]
    rows = [
        [for_markdown_code(f.name), f"{f.calls:,.6g}", text.number(f.self_instructions), text.number(f.self_cycles)]
        for f in hottest
    ]
    if not rows:
        return []
    return [
        "",
        "### Functions",
        "",
        *_table(["function", "calls", "own instructions", "own cycles"], rows, numbers_from=1),
    ]


def _table(titles: list[str], rows: list[list[str]], numbers_from: int = 99) -> list[str]:
    alignment = ["right" if column >= numbers_from else "left" for column in range(len(titles))]
    return terminal_table(titles, rows, alignment, form="pipe").splitlines()
