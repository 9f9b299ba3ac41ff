"""How a run ended, in the words that all emulators share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mcu_harness.emulator import ending
from mcu_harness.emulator.contract import ExitReason, RunPlan, Wait, Window
from mcu_harness.emulator.ending import RunFacts

REPEATS = RunPlan(0x100, None, None, (), (0, 0), repeat=True, timeout_s=300, max_instructions=5_000_000)
FACTS = RunFacts(REPEATS, closed=12, is_open=False, step="", returned=None)
ENDS = {
    ending.out_of_time: (ExitReason.TIMEOUT, "300 s"),
    ending.out_of_instructions: (ExitReason.INSTRUCTION_LIMIT, "5,000,000 instructions"),
}


@pytest.mark.parametrize("end", ENDS)
def test_limit_is_the_end_of_firmware_that_goes_on_once_something_was_measured(end: object) -> None:
    assert callable(end)
    _, limit = ENDS[end]
    got = end(FACTS)
    assert got.reason is ExitReason.FINISHED
    assert got.detail == f"it was stopped after {limit} (--stop-after ends it earlier), after 12 measured windows"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("facts", "more"),
    [
        (replace(FACTS, closed=0), ""),
        (replace(FACTS, step="step 2 of 2"), ", in step 2 of 2"),
        (replace(FACTS, plan=replace(REPEATS, repeat=False, windows=(Window(),)), closed=1), ""),
    ],
    ids=["nothing measured", "dialogue", "counted windows"],
)
def test_limit_is_a_failure_where_something_did_not_come(end: object, facts: RunFacts, more: str) -> None:
    assert callable(end)
    reason, limit = ENDS[end]
    got = end(facts)
    assert (got.reason, got.detail) == (reason, f"not finished after {limit}{more}")


def test_status_comes_with_what_was_missed() -> None:
    plan = replace(REPEATS, repeat=False, windows=(Window(), Window(), Window()))
    early = ending.exited(replace(FACTS, plan=plan, closed=1), 0xFFFFFFFE)
    assert (early.reason, early.status) == (ExitReason.STOPPED_EARLY, -2)
    assert early.detail == "the program ended with status -2 before 2 of 3 inferences"
    assert ending.exited(replace(FACTS, plan=plan, closed=3), 7) == ending.End(ExitReason.FINISHED, 7)


def test_what_waits_for_ever_is_an_end_in_main_or_after_it_and_a_failure_elsewhere() -> None:
    wait, said = Wait.BRANCH, "it branches to itself for ever"
    assert ending.waits_for_ever(FACTS, wait, False) == ending.End(ExitReason.ENDLESS_LOOP, detail=said, wait=wait)
    assert ending.waits_for_ever(FACTS, wait, True).detail == f"{said}, after 12 measured windows"
    assert ending.waits_for_ever(replace(FACTS, returned=3), wait, False) == ending.End(ExitReason.FINISHED, 3)
    unseen = ending.waits_for_ever(replace(FACTS, closed=0), wait, True)
    assert (unseen.reason, unseen.detail) == (
        ExitReason.STOPPED_EARLY,
        "what is to be measured, 0x00000100, was never reached",
    )


def test_interrupts_that_end_no_wait_may_have_been_what_was_measured() -> None:
    assert ending.waits_for_ever(FACTS, Wait.IN_VAIN, False).reason is ExitReason.FINISHED
    unseen = ending.waits_for_ever(replace(FACTS, closed=0), Wait.IN_VAIN, False)
    assert (unseen.reason, unseen.wait) == (ExitReason.ENDLESS_LOOP, Wait.IN_VAIN)


def test_every_wait_has_a_sentence() -> None:
    assert set(ending.WAITS) == set(Wait)
