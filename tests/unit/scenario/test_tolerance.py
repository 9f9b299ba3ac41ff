"""The grammar of tolerances and where their limit lies."""

from __future__ import annotations

import pytest

from mcu_harness.base.errors import UnitError
from mcu_harness.scenario.figure import Better, Figure
from mcu_harness.scenario.figure_catalogue import FIGURES, tolerated
from mcu_harness.scenario.tolerance import Tolerance, parse_tolerance


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cycles:2%", Tolerance("cycles", relative=0.02)),
        ("cycles: 0.5 %", Tolerance("cycles", relative=0.005)),
        ("instructions:0%", Tolerance("instructions", relative=0.0)),
        ("flash:+256", Tolerance("flash_bytes", absolute=256)),
        ("flash:+256 B", Tolerance("flash_bytes", absolute=256)),
        ("ram:+1KiB", Tolerance("ram_bytes", absolute=1024)),
        ("stack:+0", Tolerance("stack_hwm_bytes", absolute=0)),
        ("cycles:+10k", Tolerance("cycles", absolute=10_000)),
    ],
)
def test_tolerance_is_read(text: str, expected: Tolerance) -> None:
    assert parse_tolerance(text) == expected
    assert parse_tolerance(expected.text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cycles",
        "cycles:",
        "cycles:2",
        "cycles:-2%",
        "cycles:+-5",
        "flash:256",
        "flash:+1 ms",
        "speed:2%",
        "cycles:2%%",
    ],
)
def test_anything_else_is_one_error_with_the_known_figures(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse_tolerance(text)
    assert "flash" in f"{caught.value} {caught.value.hint}" or "with one of" in caught.value.hint


@pytest.mark.parametrize(
    ("tolerance", "accepted", "last_good"),
    [
        ("flash:+256", 1000, 1256),
        ("flash:+0", 1000, 1000),
        ("cycles:2%", 1000, 1020),
        ("cycles:15%", 50_000, 57_500),  # 1.15 has no exact binary form
        ("cycles:7%", 700, 749),
        ("cycles:10%", 110, 121),
        ("cycles:2%", 0, 0),
    ],
)
def test_limit_itself_passes_and_one_more_fails(tolerance: str, accepted: float, last_good: float) -> None:
    held = parse_tolerance(tolerance)
    assert not held.exceeded(accepted, last_good - 1)
    assert not held.exceeded(accepted, last_good)
    assert held.exceeded(accepted, last_good + 1)


def test_every_key_names_a_figure_of_its_own() -> None:
    assert {"cycles", "flash", "stack"} <= set(tolerated())
    assert {Tolerance(figure.name).key for figure in tolerated().values()} == set(tolerated())


def test_a_figure_of_which_more_is_better_may_fall_by_its_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Figure("kept", "kept", "fraction", "share that is kept", better=Better.MORE, compared=True)
    monkeypatch.setitem(FIGURES, "kept", kept)
    held = parse_tolerance("kept:10%")
    assert held.limit(0.8) == pytest.approx(0.72)
    assert [held.exceeded(0.8, value) for value in (0.9, 0.72, 0.71)] == [False, False, True]
