"""The fit matrix for a terminal, and as JSON: models x boards, the ranking, and the smallest board that will do."""

from __future__ import annotations

import json

from mcu_harness.base import units
from mcu_harness.base.text import for_terminal
from mcu_harness.results.board_matrix import SMALLEST, Constraint, Fit, Matrix, Standing
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.report import text
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.scenario.figure import Figure
from mcu_harness.scenario.figure_catalogue import FIGURES

FORMAT_VERSION = 1


def fit_text(matrix: Matrix) -> str:
    """For every model the boards, best first, and what to choose; with several models, the matrix before that."""
    parts = [_matrix_table(matrix)] if len(matrix.cases) > 1 else []
    for case in matrix.cases:
        parts.append("\n".join([case, *_ranking(matrix, case), "", *("  " + line for line in choices(matrix, case))]))
    return for_terminal("\n\n".join(parts)) if parts else "no runs"


def choices(matrix: Matrix, case: str) -> list[str]:
    """Sentences that say which board to take, the definition of "smallest" included."""
    smallest = matrix.smallest(case)
    if smallest is None:
        nearest = next((fit for fit in matrix.ranked(case) if fit.binding is not None), None)
        if nearest is None or nearest.binding is None:
            return ["no board was measured"]
        return [f"no board meets every limit; {nearest.run.board} comes closest: {binding_text(nearest.binding)}"]
    lines = [
        f"smallest board that meets every limit: {smallest.run.board} "
        f"({units.format_bytes(smallest.ram_on_chip)} RAM, {units.format_bytes(smallest.flash_on_chip)} flash, "
        f"{units.format_hertz(smallest.run.clock_hz)}); smallest = {SMALLEST}"
    ]
    for figure, words in ((figure, figure.best_board.words) for figure in ranking_figures() if figure.best_board):
        best = matrix.least(case, figure.name)
        if best is not None:
            measured = best.run.measurements[figure.name]
            how = " (estimated)" if measured.kind is OriginKind.ESTIMATED else ""
            lines.append(f"{words} of those: {best.run.board}, {text.figure(measured)}{how}")
    return lines


def ranking_figures() -> list[Figure]:
    """Figures by which boards that fit are told apart."""
    return [figure for figure in FIGURES.values() if figure.best_board]


def binding_text(constraint: Constraint) -> str:
    """ "RAM: 7,020 of 8,192 B" with how much is left or missing."""
    used, limit = (units.format_value(value, constraint.unit) for value in (constraint.used, constraint.limit))
    share = f"{abs(constraint.spare_share) * 100:.0f} %"
    if constraint.spare < 0:
        how = "short" if constraint.at_least else "over"
        return f"{constraint.title}: {used} of {limit}, {share} {how}"
    return f"{constraint.title}: {used} of {limit}, {share} to spare"


def spare_text(fit: Fit, measurement: str) -> str:
    """What is left of the board's flash or RAM, with its sign where it is missing; "" where it is not known."""
    constraint = fit.on_board(measurement)
    return "" if constraint is None else units.format_bytes(constraint.spare)


def _ranking(matrix: Matrix, case: str) -> list[str]:
    ranked = matrix.ranked(case)
    with_price, figures = any(price_class(fit) for fit in ranked), ranking_figures()
    rows = [
        [
            str(place),
            fit.run.board,
            fit.run.core,
            units.format_hertz(fit.run.clock_hz),
            fit.standing.upper() if fit.standing in (Standing.TOO_SMALL, Standing.FAILS) else fit.standing,
            spare_text(fit, "flash_bytes"),
            spare_text(fit, "ram_bytes"),
            *(text.figure(fit.run.measurements.get(figure.name)) for figure in figures),
            binding_text(fit.binding) if fit.binding else _why(fit),
            *([price_class(fit)] if with_price else []),
        ]
        for place, fit in enumerate(ranked, start=1)
    ]
    titles = ["", "board", "core", "clock", "verdict", "flash left", "RAM left"]
    titles += [*(figure.heading for figure in figures), "what binds"]
    alignment = ("right", "left", "left", "right", "left", "right", "right", *["right"] * len(figures), "left")
    if with_price:
        titles.append("price class")
        alignment = (*alignment, "left")
    return terminal_table(titles, rows, alignment).splitlines()


def _matrix_table(matrix: Matrix) -> str:
    rows = [[board, *(cell_text(matrix.fits.get((case, board))) for case in matrix.cases)] for board in matrix.boards]
    return terminal_table(["board", *matrix.cases], rows)


def cell_text(fit: Fit | None) -> str:
    """One cell of the matrix: the latency where it fits, else what stands in the way."""
    if fit is None:
        return ""
    if fit.standing is Standing.MEETS:
        return f"fits, {text.figure(fit.run.measurements.get('latency_s'))}"
    binding = fit.binding
    if fit.standing in (Standing.MISSES, Standing.TOO_SMALL) and binding is not None and binding.spare < 0:
        return f"{fit.standing}: {binding.title} {units.format_value(-binding.spare, binding.unit)}"
    return str(fit.standing)


def price_class(fit: Fit) -> str:
    return fit.run.board_facts.price_class if fit.run.board_facts else ""


def _why(fit: Fit) -> str:
    return fit.run.findings[0].message.splitlines()[0] if fit.run.findings else ""


def fit_json(matrix: Matrix) -> str:
    """The ranking of every case as JSON text: what a script needs to pick a board."""
    plain = {
        "format_version": FORMAT_VERSION,
        "smallest_means": SMALLEST,
        "cases": [
            {
                "case": case,
                "smallest": _board_of(matrix.smallest(case)),
                **{
                    figure.best_board.key: _board_of(matrix.least(case, figure.name))
                    for figure in ranking_figures()
                    if figure.best_board
                },
                "ranking": [_row(fit) for fit in matrix.ranked(case)],
            }
            for case in matrix.cases
        ],
    }
    return json.dumps(plain, indent=1, sort_keys=True) + "\n"


def _board_of(fit: Fit | None) -> str | None:
    return fit.run.board if fit else None


def _row(fit: Fit) -> dict[str, object]:
    flash, ram = fit.on_board("flash_bytes"), fit.on_board("ram_bytes")
    return {
        "board": fit.run.board,
        "core": fit.run.core,
        "clock_hz": fit.run.clock_hz,
        "price_class": price_class(fit) or None,
        "ram_on_chip_bytes": fit.ram_on_chip,
        "flash_on_chip_bytes": fit.flash_on_chip,
        "standing": str(fit.standing),
        "flash_spare_bytes": flash.spare if flash else None,
        "ram_spare_bytes": ram.spare if ram else None,
        **{figure.name: fit.run.value(figure.name) for figure in ranking_figures()},
        "binding": _binding(fit.binding),
        "why": _why(fit),
    }


def _binding(constraint: Constraint | None) -> dict[str, object] | None:
    if constraint is None:
        return None
    return {
        "what": constraint.title,
        "used": constraint.used,
        "limit": constraint.limit,
        "unit": constraint.unit,
        "of": "board" if constraint.of_board else "budget",
    }
