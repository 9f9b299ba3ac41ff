"""OpenMetrics text, which GitLab's metrics report and Prometheus read: one family per figure, one sample per run.

Format: https://prometheus.io/docs/specs/om/open_metrics_spec/ (labels escape backslash, quote and newline).
"""

from __future__ import annotations

from mcu_harness.results.records import Measurement, Results, RunResult
from mcu_harness.results.report import text

# A family's name ends in its unit, which is written out.
_UNITS = {"B": "bytes", "s": "seconds", "J": "joules", "fraction": "ratio"}


def to_text(results: Results) -> str:
    """All measured figures of all runs."""
    families: dict[str, list[str]] = {}
    about: dict[str, Measurement] = {}
    for run in results.runs:
        for measurement in text.ordered(run.measurements):
            if measurement.value is not None:
                name = _family(measurement)
                about.setdefault(name, measurement)
                families.setdefault(name, []).append(f"{name}{_labels(run)} {measurement.value}")
    lines = []
    for name, samples in families.items():
        unit = _UNITS.get(about[name].unit)
        lines += [f"# TYPE {name} gauge", *([f"# UNIT {name} {unit}"] if unit else [])]
        lines += [f"# HELP {name} {_escape(text.title(about[name]))}", *samples]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _family(measurement: Measurement) -> str:
    unit = _UNITS.get(measurement.unit, "")
    name = measurement.name.removesuffix(f"_{measurement.unit.lower()}") if unit else measurement.name  # "latency_s"
    return f"mcu_{name}" if not unit or name.endswith(f"_{unit}") else f"mcu_{name}_{unit}"


def _labels(run: RunResult) -> str:
    labels = {
        "scenario": run.scenario,
        "model": run.model,
        "board": run.board,
        "toolchain": run.toolchain.name,
        "emulator": run.emulator.name,
    }
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
