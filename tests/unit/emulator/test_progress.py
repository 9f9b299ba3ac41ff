"""How far a run is: told now and then, in words."""

from __future__ import annotations

from mcu_harness.emulator.contract import RunPlan
from mcu_harness.emulator.progress import Progress, Underway, progress_text


def test_it_is_told_at_most_twice_a_second() -> None:
    now, told = [0.0], []
    progress = Progress(told.append, lambda: now[0])
    for nth in range(100):  # ten seconds of looks, a tenth of a second apart
        now[0] = nth / 10
        progress.look(lambda nth=nth: Underway(nth, None, 0, None))
    assert 15 <= len(told) <= 20
    assert [one.instructions for one in told[:3]] == [5, 10, 15]


def test_nobody_is_told_where_nobody_asks() -> None:
    def fail() -> Underway:
        raise AssertionError

    Progress(None, lambda: 1e9).look(fail)


def test_text_says_time_windows_and_how_to_stop() -> None:
    assert progress_text(Underway(1_500_000, 0.25, 0, None), 3.2, 600, False) == (
        "1.5 M instructions, 0.250 s on the board, 3 s of at most 600 s (Ctrl-C stops it)"
    )
    assert progress_text(Underway(2_000_000_000, None, 12, 4567), 61, 600, True) == (
        "2,000.0 M instructions, window 12 took 4,567 instructions, 61 s of at most 600 s "
        "(Ctrl-C stops it, --stop-after ends it)"
    )


def test_who_is_told_changes_no_plan() -> None:
    plan = RunPlan(None, None, None, (), (0, 0))
    told = RunPlan(None, None, None, (), (0, 0), tell=lambda _: None)
    assert plan == told
    assert repr(plan) == repr(told)
