"""Firmware made here beside firmware made elsewhere, as text: for a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mcu_harness.base.text import for_terminal, one_line
from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.records import Verdict
from mcu_harness.results.report import text
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.results.versus import FIGURES, Contender, Versus, cycles_ratio
from mcu_harness.scenario.figure_catalogue import FIGURES as CATALOGUE

FORMAT_VERSION = 1


def terminal(found: Sequence[Versus], notes: Sequence[str] = ()) -> str:
    """A table of figures for each board, and one of layers where any could be paired; then what to know of them."""
    blocks = []
    for versus in found:
        lines = [f"{versus.ours.model} on {versus.board}", "", _figures(versus)]
        if layers := _layers(versus):
            lines += ["", layers]
        for contender in versus.contenders:
            for finding in contender.run.findings:
                if finding.verdict is not Verdict.PASS:
                    lines += ["", f"{contender.name}:", *("  " + line for line in text.finding_lines(finding))]
        blocks.append("\n".join(lines))
    return for_terminal("\n\n".join([*blocks, *notes])) + "\n"


def _figures(versus: Versus) -> str:
    titles = ["firmware", "verdict", *(CATALOGUE[name].heading for name in FIGURES)]
    rows = [
        [one_line(each.name), text.run_mark(each.run), *(_figure(versus, each, name) for name in FIGURES)]
        for each in versus.contenders
    ]
    return terminal_table(titles, rows, ("left", "left", *["right"] * len(FIGURES)))


def _figure(versus: Versus, contender: Contender, name: str) -> str:
    shown = text.figure(contender.run.measurements.get(name))
    return shown if contender is versus.contenders[0] else shown + _times(versus.ratio(contender, name))


def _layers(versus: Versus) -> str:
    rows = versus.layers()
    if not any(any(others) for _, others in rows):
        return ""
    titles = ["layer", *(f"{one_line(each.name)}: cycles" for each in versus.contenders)]
    body = [[ours.name, text.number(ours.cycles), *(_layer(ours, other) for other in others)] for ours, others in rows]
    return terminal_table(titles, body, ("left", *["right"] * len(versus.contenders)))


def _layer(ours: LayerResult, other: LayerResult | None) -> str:
    return "" if other is None else text.number(other.cycles) + _times(cycles_ratio(ours, other))


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f" ({ratio:.2f} x)"


def to_json(found: Sequence[Versus]) -> str:
    """All boards as JSON text: figures and ratios of each firmware, and layers that belong together."""
    plain = {"format_version": FORMAT_VERSION, "boards": [_plain(versus) for versus in found]}
    return json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _plain(versus: Versus) -> dict[str, object]:
    return {
        "board": versus.board,
        "firmwares": [
            {
                "name": each.name,
                "verdict": str(each.run.verdict),
                "toolchain": text.tool(each.run.toolchain),
                "figures": {name: each.run.value(name) for name in FIGURES},
                "ratios": {name: versus.ratio(each, name) for name in FIGURES},
            }
            for each in versus.contenders
        ],
        "layers": [
            {
                "name": ours.name,
                "names": [ours.name, *(each.name if each else None for each in others)],
                "instructions": [ours.instructions, *(each.instructions if each else None for each in others)],
                "cycles": [ours.cycles, *(each.cycles if each else None for each in others)],
                "ratios": [1.0 if ours.cycles else None, *(cycles_ratio(ours, each) for each in others)],
            }
            for ours, others in versus.layers()
        ],
    }
