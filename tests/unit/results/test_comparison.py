"""Comparison of two snapshots: what moved, because of what, and when there is nothing to compare."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcu_harness.results.baseline import Snapshot, snapshot
from mcu_harness.results.comparison import causes_text, change_text, compare, regression_findings
from mcu_harness.results.records import Contributor, Verdict
from mcu_harness.scenario.tolerance import parse_tolerance
from sample_results import PASSING

BEFORE = snapshot(PASSING)


def after(figures: dict[str, float] | None = None, **parts: dict[str, float]) -> Snapshot:
    """BEFORE with other figures and parts."""
    return replace(
        BEFORE,
        figures={**BEFORE.figures, **(figures or {})},
        parts={key: {**BEFORE.parts.get(key, {}), **parts.get(key, {})} for key in {*BEFORE.parts, *parts}},
    )


SLOWER = after(
    {"cycles": 27_514.0},
    cycles={"layer 00 CONV_2D": 27_100.0, "layer 01 RESHAPE": 0.0, "function conv_2d_s8": 26_090.0},
)


def test_same_snapshot_has_no_changes() -> None:
    found = compare(BEFORE, BEFORE)
    assert (found.changes, found.incomparable, found.causes, found.missing) == ((), "", (), ())


def test_change_names_parts_largest_first_and_signed() -> None:
    (change,) = compare(BEFORE, SLOWER).changes
    assert (change.figure, change.before, change.after) == ("cycles", 26_514, 27_514)
    assert change.moved == (
        Contributor("layer 00 CONV_2D", 1100.0),
        Contributor("function conv_2d_s8", 1090.0),
        Contributor("layer 01 RESHAPE", -14.0),
    )
    assert change_text(change) == "cycles 26,514 -> 27,514 (+1,000, +3.77 %)"


def test_part_that_is_new_or_gone_counts_in_full() -> None:
    grown = after({"flash_bytes": 6_444.0}, flash_bytes={"symbol new_one": 300.0})
    (change,) = compare(BEFORE, grown).changes
    assert change.moved == (Contributor("symbol new_one", 300.0),)
    (back,) = compare(grown, BEFORE).changes
    assert back.moved == (Contributor("symbol new_one", -300.0),)


def test_noise_of_means_is_no_change() -> None:
    assert compare(BEFORE, after({"cycles": BEFORE.figures["cycles"] + 0.004})).changes == ()


@pytest.mark.parametrize(
    ("name", "value", "said", "blocked", "free"),
    [
        ("compiler", "gnu 13.3", "compiler: gnu 12.2.1 -> gnu 13.3", "cycles", "arena_bytes"),
        ("flags", "-O3 -mthumb", "flags: -O2 -> -O3", "flash_bytes", "arena_bytes"),
        ("flags", "-mthumb -O2", "flags: none -> in another order", "flash_bytes", "arena_bytes"),
        ("cycle model", "m4-2", "cycle model: m4-1 -> m4-2", "cycles", "instructions"),
        ("kernel set", "dsp-1", "kernel set: portable-1 -> dsp-1", "arena_bytes", ""),
    ],
)
def test_different_means_of_measurement_block_the_figures_they_touch(
    name: str, value: str, said: str, blocked: str, free: str
) -> None:
    other = replace(SLOWER, depends_on={**SLOWER.depends_on, name: value})
    found = compare(BEFORE, other)
    assert found.incomparable == said
    assert blocked in found.blocked and free not in found.blocked
    assert all(change.figure not in found.blocked for change in found.changes)


@pytest.mark.parametrize(
    ("changed", "causes"),
    [
        ({"model": "x", "generated code": "x", "build": "x"}, ("model",)),
        ({"kernels": "x", "build": "x"}, ("kernels",)),
        ({"generated code": "x", "build": "x"}, ("generated code",)),
        ({"inputs": "x"}, ("inputs",)),
        ({"model": "x", "generated code": "x", "runtime": "x", "build": "x"}, ("model", "runtime")),
        ({"build": "x"}, ("build",)),
        ({}, ()),
    ],
)
def test_cause_is_what_changed_and_not_what_follows_from_it(changed: dict[str, str], causes: tuple[str, ...]) -> None:
    full = {"model": "a", "generated code": "b", "kernels": "c", "runtime": "d", "inputs": "e", "build": "f"}
    found = compare(replace(BEFORE, made_from=full), replace(SLOWER, made_from={**full, **changed}))
    assert found.causes == causes


def test_causes_are_a_clause() -> None:
    assert causes_text(()) == "nothing that it is made from changed"
    assert causes_text(("model",)) == "the model changed"
    assert causes_text(("inputs", "kernels", "model")) == "the inputs, the kernels and the model changed"


def findings(later: Snapshot, *tolerances: str):  # type: ignore[no-untyped-def]
    return regression_findings(compare(BEFORE, later), map(parse_tolerance, tolerances), "accept it so")


def test_regression_names_figure_amounts_cause_parts_and_way_out() -> None:
    later = replace(SLOWER, made_from={**SLOWER.made_from, "kernels": "other"})
    (finding,) = findings(later, "cycles:2%", "flash:+256")
    assert finding.verdict is Verdict.FAIL and finding.code == "baseline.cycles"
    assert "26,514 -> 27,514 (+1,000, +3.77 %)" in finding.message and "the kernels changed" in finding.message
    assert "more than 2%" in finding.message
    assert finding.contributors[0].name == "layer 00 CONV_2D"
    assert (finding.baseline, finding.measured) == (26_514, 27_514)
    assert "accept it so" in finding.advice


def test_within_tolerance_and_improvements_pass() -> None:
    assert findings(SLOWER, "cycles:4%") == []
    assert findings(after({"cycles": 100.0}), "cycles:0%") == []
    assert findings(SLOWER, "flash:+0", "instructions:0%") == []


def test_two_tolerances_of_one_figure_hold_together() -> None:
    assert [f.code for f in findings(SLOWER, "cycles:50%", "cycles:+10")] == ["baseline.cycles"]


def test_incomparable_figures_with_a_tolerance_are_one_finding_that_says_what_differs() -> None:
    other = replace(SLOWER, depends_on={**SLOWER.depends_on, "compiler": "zig 0.17"})
    (finding,) = findings(other, "cycles:2%", "flash:+0", "arena:+0")
    assert finding.verdict is Verdict.NOT_COMPARABLE
    assert finding.message.startswith("cycles, flash: ") and "gnu 12.2.1 -> zig 0.17" in finding.message


def test_other_cycle_model_still_lets_instructions_fail() -> None:
    other = replace(after({"instructions": 90_000.0}), depends_on={**BEFORE.depends_on, "cycle model": "m4-2"})
    assert [f.code for f in findings(other, "cycles:2%", "instructions:2%")] == [
        "baseline.not-comparable",
        "baseline.instructions",
    ]
    assert [f.code for f in findings(other, "instructions:2%")] == ["baseline.instructions"]


def test_figure_that_one_side_lacks_is_not_measured_and_never_passes() -> None:
    lost = replace(BEFORE, figures={name: v for name, v in BEFORE.figures.items() if name != "cycles"})
    (finding,) = findings(lost, "cycles:2%")
    assert finding.verdict is Verdict.NOT_MEASURED
    assert findings(lost, "flash:2%") == []
