"""Budgets: absolute limits that people set, and the check of a run's figures against them.

A breach is a `Finding` that says what was limited, to what, what was measured, by how much it is over, and the
largest contributors. A figure that was not measured is reported as such; it never passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness import units
from harness.errors import UnitError
from harness.records import Contributor, Finding, Measurement, Verdict


@dataclass(frozen=True, slots=True)
class Metric:
    """What a budget key limits. `at_least` turns the limit into a minimum (accuracy)."""

    key: str
    measurement: str
    kind: str  # of `units.parse`
    title: str
    advice: str
    at_least: bool = False


_WORST_INPUT = "look at the layers named: loops in them that run longer for some inputs"

METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric(
            "flash", "flash_bytes", "bytes", "flash", "cut the largest contributors or choose a board with more flash"
        ),
        Metric(
            "ram", "ram_bytes", "bytes", "RAM (static)", "cut the largest contributors or choose a board with more RAM"
        ),
        Metric(
            "arena", "arena_bytes", "bytes", "arena", "shrink the activations of the layers that are live at the peak"
        ),
        Metric(
            "stack", "stack_hwm_bytes", "bytes", "stack", "look for large locals and deep calls in the functions named"
        ),
        Metric(
            "stack_static",
            "stack_static_bytes",
            "bytes",
            "static worst case of the stack",
            "look for large locals and deep calls in the functions named",
        ),
        Metric(
            "instructions", "instructions", "count", "instructions", "look at the layers that take the largest share"
        ),
        Metric("cycles", "cycles", "count", "cycles", "look at the layers that take the largest share"),
        Metric(
            "latency",
            "latency_s",
            "seconds",
            "latency",
            "look at the layers that take the largest share, or raise the clock",
        ),
        *(
            Metric(f"{key}_max", measurement, kind, f"{key} of the worst input", _WORST_INPUT)
            for key, measurement, kind in (
                ("instructions", "instructions_max", "count"),
                ("cycles", "cycles_max", "count"),
                ("latency", "latency_max_s", "seconds"),
            )
        ),
        Metric(
            "energy",
            "energy_j",
            "joules",
            "energy per inference",
            "look at the layers that take the largest share, or choose a board with less current per MHz",
        ),
        Metric("accuracy", "accuracy", "fraction", "accuracy", "check the quantisation of the model", at_least=True),
    )
}


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit in base units (B, s, 1) for one of `METRICS`."""

    metric: str
    limit: float


def parse_limit(key: str, value: object) -> Budget:
    """The budget that `key = value` means ("64 KiB", "20 ms", "90 %"); raises UnitError."""
    limit = units.parse(value, METRICS[key].kind)
    if limit < 0:
        raise UnitError(f"a budget is 0 or more, got {value!r}")
    if METRICS[key].kind == "fraction" and limit > 1:
        raise UnitError(f"more than 100 % cannot be reached, got {value!r}", hint='write 0.95 or "95 %"')
    return Budget(key, limit)


def check_budget(
    budget: Budget, measurement: Measurement | None, contributors: tuple[Contributor, ...] = ()
) -> Finding | None:
    """None when `measurement` keeps `budget` (the limit itself is kept), else the finding."""
    metric = METRICS[budget.metric]
    if measurement is None or measurement.value is None:
        why = measurement.origin if measurement else "nothing measures it here"
        if metric.key == "accuracy" and measurement is None:
            why = 'the [inputs] have no "labels" (an array of class numbers in their .npz file)'
        return Finding(
            code=f"budget.{metric.key}",
            verdict=Verdict.NOT_MEASURED,
            message=f"{metric.title} has a budget but was not measured: {why}",
            advice=f"remove the {metric.key} budget, or make the run measure it",
            limit=budget.limit,
        )
    value, unit = measurement.value, measurement.unit
    over = budget.limit - value if metric.at_least else value - budget.limit
    if over <= 0:
        return None
    shown, limit = units.format_value(value, unit), units.format_value(budget.limit, unit)
    verb = "lower" if metric.at_least else "raise"
    relation = "below the required" if metric.at_least else "over the budget of"
    share = f" ({over / budget.limit * 100:.1f} %)" if budget.limit else ""
    return Finding(
        code=f"budget.{metric.key}",
        verdict=Verdict.FAIL,
        message=f"{metric.title} is {shown}, {units.format_value(over, unit)}{share} {relation} {limit}",
        advice=f"{metric.advice}; to accept it, {verb} `{metric.key}` under [budgets] in the scenario",
        limit=budget.limit,
        measured=value,
        unit=unit,
        contributors=contributors,
    )


def check_budgets(
    budgets: Mapping[str, Budget],
    measurements: Mapping[str, Measurement],
    contributors: Mapping[str, tuple[Contributor, ...]],
) -> list[Finding]:
    """Findings of all `budgets`, in the order of `METRICS`; `contributors` is keyed by measurement name."""
    findings = []
    for key, metric in METRICS.items():
        if key in budgets:
            measured = measurements.get(metric.measurement)
            finding = check_budget(budgets[key], measured, contributors.get(metric.measurement, ()))
            if finding is not None:
                findings.append(finding)
    return findings
