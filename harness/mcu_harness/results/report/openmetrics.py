"""OpenMetrics text, which GitLab's metrics report and Prometheus read: one family per figure, one sample per run.

Format: https://prometheus.io/docs/specs/om/open_metrics_spec/ (labels escape backslash, quote and newline).
"""

from __future__ import annotations

from collections import Counter

from mcu_harness.base.text import for_openmetrics
from mcu_harness.results.records import Measurement, Results, RunResult
from mcu_harness.results.report import text

# A family's name ends in its unit, which is written out.
_UNITS = {"B": "bytes", "s": "seconds", "J": "joules", "fraction": "ratio"}


def to_text(results: Results) -> str:
    """All measured figures of all runs; of runs that nothing tells apart, the last one's, since a series has one value."""
    families: dict[str, dict[str, float]] = {}
    about: dict[str, Measurement] = {}
    crowded = Counter(_labels(run) for run in results.runs)
    for run in results.runs:
        labels = _labels(run, source=crowded[_labels(run)] > 1)
        for measurement in text.ordered(run.measurements):
            if measurement.value is not None:
                name = _family(measurement)
                about.setdefault(name, measurement)
                families.setdefault(name, {})[labels] = measurement.value
    lines = []
    for name, samples in families.items():
        unit = _UNITS.get(about[name].unit)
        lines += [f"# TYPE {name} gauge", *([f"# UNIT {name} {unit}"] if unit else [])]
        lines += [f"# HELP {name} {for_openmetrics(text.title(about[name]))}"]
        lines += [f"{name}{labels} {value}" for labels, value in samples.items()]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _family(measurement: Measurement) -> str:
    unit = _UNITS.get(measurement.unit, "")
    name = measurement.name.removesuffix(f"_{measurement.unit.lower()}") if unit else measurement.name  # "latency_s"
    return f"mcu_{name}" if not unit or name.endswith(f"_{unit}") else f"mcu_{name}_{unit}"


def _labels(run: RunResult, source: bool = False) -> str:
    """The labels of `run`, with the test or the file that it comes from where others have the same without."""
    labels = {
        "scenario": run.scenario,
        "model": run.model,
        "board": run.board,
        "toolchain": run.toolchain.name,
        "emulator": run.emulator.name,
        **({"source": run.test or run.scenario_path} if source else {}),
    }
    return "{" + ",".join(f'{name}="{for_openmetrics(value)}"' for name, value in labels.items()) + "}"
