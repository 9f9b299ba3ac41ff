"""The check of a run's figures against its budgets.

A breach is a `Finding` that says what was limited, to what, what was measured, by how much it is over, and the
largest contributors. A figure that was not measured is reported as such; it never passes.
"""

from __future__ import annotations

from collections.abc import Mapping

from mcu_harness.base import units
from mcu_harness.results.finding_codes import budget_code
from mcu_harness.results.records import Contributor, Finding, Measurement, Verdict
from mcu_harness.scenario.figure import Better
from mcu_harness.scenario.figure_catalogue import budgeted
from mcu_harness.scenario.limits import Budget


def check_budget(
    budget: Budget,
    measurement: Measurement | None,
    contributors: tuple[Contributor, ...] = (),
    details: tuple[str, ...] = (),
) -> Finding | None:
    """None when `measurement` keeps `budget` (the limit itself is kept), else the finding."""
    figure = budgeted()[budget.key]
    assert figure.limit is not None
    if measurement is None or measurement.value is None:
        why = measurement.origin.removeprefix("not measured: ") if measurement else figure.limit.unmeasured
        return Finding(
            code=budget_code(figure.key),
            verdict=Verdict.NOT_MEASURED,
            message=f"{figure.in_sentences} has a budget but was not measured: {why}",
            advice=f"remove `{figure.key}` {budget.set_in}, or make the run measure it",
            limit=budget.limit,
        )
    value, unit = measurement.value, measurement.unit
    over = figure.excess(value, budget.limit)
    if over <= 0:
        return None
    shown, limit = units.format_value(value, unit), units.format_value(budget.limit, unit)
    at_least = figure.better is Better.MORE
    verb = "lower" if at_least else "raise"
    relation = "below the required" if at_least else "over the budget of"
    share = f" ({over / budget.limit * 100:.1f} %)" if budget.limit else ""
    return Finding(
        code=budget_code(figure.key),
        verdict=Verdict.FAIL,
        message=f"{figure.in_sentences} is {shown}, {units.format_value(over, unit)}{share} {relation} {limit}",
        advice=f"{figure.limit.advice}; to accept it, {verb} `{figure.key}` {budget.set_in}",
        limit=budget.limit,
        measured=value,
        unit=unit,
        contributors=contributors,
        details=details,
    )


def check_budgets(
    budgets: Mapping[str, Budget],
    measurements: Mapping[str, Measurement],
    contributors: Mapping[str, tuple[Contributor, ...]],
    details: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Finding]:
    """Findings of all `budgets`, in the order of `budgeted`; `contributors` and `details` are by measurement name."""
    findings = []
    for key, figure in budgeted().items():
        if key in budgets:
            told = (details or {}).get(figure.name, ())
            finding = check_budget(budgets[key], measurements.get(figure.name), contributors.get(figure.name, ()), told)
            if finding is not None:
                findings.append(finding)
    return findings
