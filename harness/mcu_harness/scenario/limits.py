"""Budgets as values: absolute limits that people set, by the figure that each limits."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.base.errors import UnitError


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
