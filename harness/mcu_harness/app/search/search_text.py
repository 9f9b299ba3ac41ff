"""What a search found, as text and as JSON."""

from __future__ import annotations

import itertools
import json

from mcu_harness.app.search.search import SearchResult
from mcu_harness.app.search.trials import Trial, name_of
from mcu_harness.base import units
from mcu_harness.base.text import counted, for_terminal
from mcu_harness.results.board_matrix import Standing
from mcu_harness.results.report import text
from mcu_harness.results.report.board_matrix_text import binding_text
from mcu_harness.results.report.terminal_table import terminal_table
from mcu_harness.scenario.figure_catalogue import FIGURES

FORMAT_VERSION = 1
_ALWAYS = ("latency", "flash", "ram", "macs")
_MADE_UP = "untrained weights and made-up samples: costs are those of the net, and nothing is said of its accuracy"


def to_text(found: SearchResult) -> str:
    """The table of trials, by their arguments, and the winning arguments."""
    figures = [figure for figure in FIGURES.values() if figure.key in {*found.budgets, *_ALWAYS}]
    boards = len({fit.run.board for trial in found.trials for fit in trial.fits}) > 1
    titles = [
        *(knob.name for knob in found.knobs),
        *(["board"] if boards else []),
        *(f.heading for f in figures),
        "verdict",
    ]
    body = []
    for same in _nets(found):
        trial = found.best if found.best in same else same[0]
        values = _values(found, same)
        if trial.error:
            body.append([*values, *([""] if boards else []), *("" for _ in figures), f"not tried: {trial.error}"])
        for nth, fit in enumerate(trial.fits):
            cells = [text.figure(fit.run.measurements.get(figure.name)) for figure in figures]
            told = str(fit.standing)
            if fit.standing is not Standing.MEETS:
                told += f": {binding_text(fit.binding)}" if fit.binding else ""
            elif trial is found.best and nth == 0:
                told += "  <- the largest"
            body.append([*values, *([fit.run.board] if boards else []), *cells, told])
    alignment = (*["right"] * (len(titles) - 1), "left")
    lines = terminal_table(titles, body, alignment).splitlines()
    return for_terminal("\n".join([*lines, "", *sentences(found)])) + "\n"


def _nets(found: SearchResult) -> list[list[Trial]]:
    """Trials in order; of one knob, neighbours that are the same net, with the same figures everywhere, together.

    A width of 0.31 and one of 0.33 give the same channels.
    """
    trials = _in_order(found)
    if len(found.knobs) > 1:
        return [[trial] for trial in trials]
    return [list(same) for _, same in itertools.groupby(trials, key=_net)]


def _net(trial: Trial) -> object:
    names = ("macs", "flash_bytes", "ram_bytes", "weights_bytes")
    return trial.error or [(fit.standing, [fit.run.value(name) for name in names]) for fit in trial.fits]


def _values(found: SearchResult, same: list[Trial]) -> list[str]:
    first, last = same[0].arguments, same[-1].arguments
    return [str(first[k.name]) if len(same) == 1 else f"{first[k.name]}..{last[k.name]}" for k in found.knobs]


def sentences(found: SearchResult) -> list[str]:
    """The answer, how it was found, and what it rests on."""
    budgets = ", ".join(f"{key} {units.format_value(b.limit, _unit(key))}" for key, b in found.budgets.items())
    within = f"within {budgets}" if budgets else "on the board"
    if found.best is None:
        lines = [f"nothing fits {within}"]
    else:
        what = "largest" if found.method == "bisect" else f"most {found.maximised}"
        lines = [f"{what} {within}: {name_of(found.best.arguments)}"]
    nets = len(_nets(found))
    of_nets = f" of {counted(nets, 'different net')}" if nets < len(found.trials) else ""
    return [
        *lines,
        f"{counted(len(found.trials), 'trial')}{of_nets}, by {found.method}",
        *found.notes,
        _MADE_UP,
    ]


def _unit(key: str) -> str:
    return next(figure.unit for figure in FIGURES.values() if figure.key == key)


def _in_order(found: SearchResult) -> list[Trial]:
    """Trials by the places of their values among those of the knobs."""
    return sorted(
        found.trials, key=lambda trial: [knob.values.index(trial.arguments[knob.name]) for knob in found.knobs]
    )


def to_json(found: SearchResult) -> str:
    """The same for scripts."""
    plain = {
        "format_version": FORMAT_VERSION,
        "function": found.function,
        "method": found.method,
        "maximised": found.maximised,
        "arguments": found.arguments,
        "budgets": {key: budget.limit for key, budget in found.budgets.items()},
        "notes": list(found.notes),
        "trials": [
            {
                "arguments": trial.arguments,
                "meets": trial.meets,
                "error": trial.error or None,
                "boards": {
                    fit.run.board: {
                        "standing": str(fit.standing),
                        "figures": {name: measurement.value for name, measurement in fit.run.measurements.items()},
                    }
                    for fit in trial.fits
                },
            }
            for trial in _in_order(found)
        ],
    }
    return json.dumps(plain, indent=1, sort_keys=True) + "\n"
