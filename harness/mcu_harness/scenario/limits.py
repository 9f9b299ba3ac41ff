"""Budgets as values: absolute limits that people set, by the key of the figure that each limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mcu_harness.base import units
from mcu_harness.base.errors import ScenarioError, UnitError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.scenario.figure_catalogue import budgeted


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit in base units (B, s, J, 1) for the figure that has `key` in the catalogue.

    `set_in` is where people find it, to change it.
    """

    key: str
    limit: float
    set_in: str = field(default="under [budgets] in the scenario", compare=False)


def parse_limit(key: str, value: object, set_in: str = "") -> Budget:
    """The budget that `key = value` means ("64 KiB", "20 ms", "90 %"); raises UnitError."""
    kind = budgeted()[key].kind
    if kind == "fraction" and units.parse(value, kind) > 1:
        raise UnitError(f"more than 100 % cannot be reached, got {value!r}", hint='write 0.95 or "95 %"')
    limit = units.parse_limit(value, kind)
    return Budget(key, limit, set_in) if set_in else Budget(key, limit)


def parse_limits(texts: Iterable[str]) -> dict[str, Budget]:
    """Budgets from "flash=64KiB" and the like; raises ScenarioError or UnitError."""
    limits = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals:
            raise ScenarioError(
                f"cannot read the budget {text!r}", hint="write for example flash=64KiB or latency=20ms"
            )
        if key not in budgeted():
            raise ScenarioError(f"no budget is called {key!r}", hint=did_you_mean(key, tuple(budgeted())))
        try:
            limits[key] = parse_limit(key, value, f"in --budget {key}=...")
        except UnitError as error:
            raise UnitError(f"--budget {key}: {error.message}", hint=error.hint) from error
    return limits
