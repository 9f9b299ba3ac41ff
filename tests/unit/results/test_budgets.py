from __future__ import annotations

import pytest

from mcu_harness.base.errors import UnitError
from mcu_harness.results.budgets import check_budget, check_budgets
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Contributor, Measurement, Verdict
from mcu_harness.scenario.figure_catalogue import budgeted
from mcu_harness.scenario.limits import Budget, parse_limit, parse_limits


def measured(name: str, value: float | None, unit: str) -> Measurement:
    return Measurement(budgeted()[name].name, value, unit, "test", OriginKind.OBSERVED)


@pytest.mark.parametrize(("value", "passes"), [(999, True), (1000, True), (1001, False)])
def test_limit_itself_is_kept(value: int, passes: bool) -> None:
    assert (check_budget(Budget("flash", 1000), measured("flash", value, "B")) is None) is passes


@pytest.mark.parametrize(("value", "passes"), [(0.89, False), (0.9, True), (0.91, True)])
def test_accuracy_is_a_minimum(value: float, passes: bool) -> None:
    assert (check_budget(Budget("accuracy", 0.9), measured("accuracy", value, "fraction")) is None) is passes


def test_finding_says_limit_measured_excess_contributors_and_way_out() -> None:
    parts = (Contributor("layer 03 CONV_2D", 700), Contributor("layer 01 ADD", 400))
    finding = check_budget(Budget("cycles", 1000), measured("cycles", 1100, "cycles"), parts)
    assert finding is not None
    assert finding.verdict is Verdict.FAIL
    assert finding.code == "budget.cycles"
    assert finding.message == "cycles is 1,100, 100 (10.0 %) over the budget of 1,000"
    assert (finding.limit, finding.measured, finding.contributors) == (1000, 1100, parts)
    assert "raise `cycles` under [budgets]" in finding.advice


def test_missing_figure_never_passes() -> None:
    for measurement in (None, measured("stack", None, "B")):
        finding = check_budget(Budget("stack", 1000), measurement)
        assert finding is not None
        assert finding.verdict is Verdict.NOT_MEASURED


def test_zero_budget_is_a_budget() -> None:
    finding = check_budget(Budget("stack", 0), measured("stack", 1, "B"))
    assert finding is not None
    assert finding.verdict is Verdict.FAIL


def test_findings_come_in_a_fixed_order() -> None:
    budgets = {name: Budget(name, 1) for name in ("latency", "flash", "stack")}
    figures = {budgeted()[n].name: measured(n, 2, "B") for n in budgets}
    assert [f.code for f in check_budgets(budgets, figures, {})] == ["budget.flash", "budget.stack", "budget.latency"]


def test_limit_with_wrong_unit_is_refused() -> None:
    with pytest.raises(UnitError, match="unknown unit 'ms'"):
        parse_limit("flash", "3 ms")
    with pytest.raises(UnitError, match=r"a size from 0 to 1 GiB is accepted, got .-1 B"):
        parse_limit("flash", "-1 B")


@pytest.mark.parametrize("measurement", [measured("flash", 2000, "B"), None])
def test_the_advice_names_where_the_budget_was_set(measurement: Measurement | None) -> None:
    for budget, place in (
        (parse_limits(["flash=1000 B"])["flash"], "in --budget flash=..."),
        (parse_limit("flash", "1000 B"), "under [budgets] in the scenario"),
    ):
        finding = check_budget(budget, measurement)
        assert finding is not None and place in finding.advice
