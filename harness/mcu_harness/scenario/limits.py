"""Budgets as values: absolute limits that people set, by the key of the figure that each limits."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.base import units
from mcu_harness.base.errors import UnitError
from mcu_harness.scenario.figures import budgeted


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit in base units (B, s, J, 1) for the figure that has `key` in the catalogue."""

    key: str
    limit: float


def parse_limit(key: str, value: object) -> Budget:
    """The budget that `key = value` means ("64 KiB", "20 ms", "90 %"); raises UnitError."""
    kind = budgeted()[key].kind
    limit = units.parse(value, kind)
    if limit < 0:
        raise UnitError(f"a budget is 0 or more, got {value!r}")
    if kind == "fraction" and limit > 1:
        raise UnitError(f"more than 100 % cannot be reached, got {value!r}", hint='write 0.95 or "95 %"')
    return Budget(key, limit)
