"""Formats of services that keep a trend: github-action-benchmark and Bencher."""

from __future__ import annotations

import json

from mcu_harness.results.records import Measurement, Results, RunResult
from mcu_harness.results.report import text
from mcu_harness.scenario.figure import Better, Shown
from mcu_harness.scenario.figure_catalogue import FIGURES, shown_in


def github_action_benchmark(results: Results) -> str:
    """For `tool: customSmallerIsBetter` (https://github.com/benchmark-action/github-action-benchmark)."""
    entries = [
        {
            "name": f"{_name(run, results)}: {text.title(measurement)}",
            "unit": measurement.unit,
            "value": measurement.value,
            "extra": measurement.origin,
        }
        for run in results.runs
        for measurement in _kept(run)
    ]
    return json.dumps(entries, indent=1, ensure_ascii=False) + "\n"


def bencher(results: Results) -> str:
    """Bencher Metric Format (https://bencher.dev/docs/reference/bencher-metric-format/), for `--adapter json`.

    Where Bencher has a measure of its own ("latency", in nanoseconds), it is that; the others are measures of ours.
    """
    made = {
        _name(run, results): {
            _measure(measurement): {"value": _bencher_value(measurement)} for measurement in _kept(run)
        }
        for run in results.runs
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _measure(measurement: Measurement) -> str:
    own = FIGURES[measurement.name].bencher
    return own[0] if own else measurement.name.replace("_", "-")


def _bencher_value(measurement: Measurement) -> float:
    own = FIGURES[measurement.name].bencher
    return (measurement.value or 0) * (own[1] if own else 1)


def _kept(run: RunResult) -> list[Measurement]:
    """Figures with a trend, of which less is better, as both formats take it."""
    kept = {figure.name for figure in shown_in(Shown.TRENDS) if figure.better is Better.LESS}
    return [m for m in text.ordered(run.measurements) if m.name in kept and m.value is not None]


def _name(run: RunResult, results: Results) -> str:
    """A name that stays the same over time, and tells compilers and emulators apart where there are several."""
    name = f"{run.case_name} on {run.board}"
    for used, tools in ((run.toolchain, text.compilers(results)), (run.emulator, text.emulators(results))):
        if len(tools) > 1:
            name += f", {used.name}"
    return name
