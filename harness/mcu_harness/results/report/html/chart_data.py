"""What the charts draw, as JSON that is safe inside a page. One object a run, columns instead of rows: small and quick.

The browser reads a run's object only when that run is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from mcu_harness.base.text import one_line
from mcu_harness.results.board_matrix import Matrix
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.figure import Figure, Shown
from mcu_harness.scenario.figure_catalogue import by_tile, shown_in

# What may not stand in a script element, whatever it is in: tags, comments and line ends that JSON allows.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
# Three digits more than anybody reads.
_DIGITS = 9

Column = Sequence[object]
Columns = dict[str, Column]


def script_json(value: object) -> str:
    """`value` as JSON for a <script type="application/json">: ASCII only, and nothing that could end the element."""
    made = json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    for character, escape in _UNSAFE.items():
        made = made.replace(character, escape)
    return made


class Names:
    """Every name once for the whole page: runs of one model on many boards share nearly all of theirs."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Where `name` stands in `all`."""
        return self._places.setdefault(one_line(name), len(self._places))

    @property
    def all(self) -> list[str]:
        return list(self._places)


def run_data(run: RunResult, names: Names) -> dict[str, Columns]:
    """Layers, call tree, symbols and arena of one run; names are places in `names`."""
    place = names.place
    return {
        "layers": {
            "name": [place(layer.name) for layer in run.layers],
            "operator": [place(layer.operator) for layer in run.layers],
            "macs": [layer.macs for layer in run.layers],
            "instructions": [_short(layer.instructions) for layer in run.layers],
            "cycles": [_short(layer.cycles) for layer in run.layers],
            "flash": [layer.flash_bytes for layer in run.layers],
            "arena": [layer.arena_bytes for layer in run.layers],
        },
        "calls": {
            "name": [place(call.name) for call in run.calls],
            "parent": [call.parent for call in run.calls],
            "instructions": [_short(call.self_instructions) for call in run.calls],
            "cycles": [_short(call.self_cycles) for call in run.calls],
        },
        "symbols": {
            "name": [place(symbol.name) for symbol in run.symbols],
            "section": [place(symbol.section) for symbol in run.symbols],
            "flash": [symbol.flash_bytes for symbol in run.symbols],
            "ram": [symbol.ram_bytes for symbol in run.symbols],
            "layer": [-1 if symbol.layer is None else symbol.layer for symbol in run.symbols],
        },
        "arena": {
            "size": [run.value("arena_bytes")],
            "name": [place(block.name) for block in run.arena],
            "kind": [place(block.kind) for block in run.arena],
            "offset": [block.offset for block in run.arena],
            "nbytes": [block.nbytes for block in run.arena],
            "first": [block.first for block in run.arena],
            "last": [block.last for block in run.arena],
        },
    }


def bar_figures(runs: Iterable[RunResult]) -> list[Figure]:
    """What the charts of the overview compare, in their order: what any of `runs` has."""
    values = list(runs)
    return [f for f in by_tile(shown_in(Shown.BARS)) if any(run.value(f.name) is not None for run in values)]


def overview_data(runs: Iterable[RunResult], matrix: Matrix) -> dict[str, object]:
    """The figures that the overview's charts compare, and per case a row a board."""
    columns: dict[str, dict[str, list[object]]] = {case: {} for case in matrix.cases}
    all_runs = list(runs)
    figures = bar_figures(all_runs)
    for run in all_runs:
        case = run.case_name
        row: dict[str, object] = {"board": run.board, "verdict": str(run.verdict)}
        for figure in figures:
            row[figure.name] = _short(run.value(figure.name))
            row[f"{figure.name}_limit"] = _short(run.budgets.get(figure.name))
        for key, value in row.items():
            columns[case].setdefault(key, []).append(value)
    return {
        "figures": [
            {"name": figure.name, "title": figure.title, "unit": figure.unit, "better": str(figure.better)}
            for figure in figures
        ],
        "cases": {case: dict(found) for case, found in columns.items()},
    }


def _short(value: float | int | None) -> float | int | None:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
