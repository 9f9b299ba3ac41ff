"""Firmwares beside each other: which layers belong together, ratios, and gaps where something was not measured."""

from __future__ import annotations

import json
from dataclasses import replace

from mcu_harness.results.cost_records import LayerResult
from mcu_harness.results.records import RunResult
from mcu_harness.results.report import versus_text
from mcu_harness.results.versus import Contender, Versus
from sample_results import HOSTILE, PASSING


def run(*layers: tuple[str, str, float | None]) -> RunResult:
    rows = tuple(
        LayerResult(nth, name, operator, 0, 1, cycles, 1) for nth, (name, operator, cycles) in enumerate(layers)
    )
    return replace(PASSING, layers=rows)


OURS = run(("00 CONV_2D", "CONV_2D", 100.0), ("01 RESHAPE", "RESHAPE", 0), ("02 SOFTMAX", "SOFTMAX", 10))


def pairs(theirs: RunResult) -> list[str | None]:
    versus = Versus("board_a", (Contender("ours", OURS), Contender("theirs", theirs)))
    return [other.name if other else None for _, (other,) in versus.layers()]


def test_layers_pair_by_operator_in_order() -> None:
    theirs = run(("00 QUANTIZE", "QUANTIZE", 1), ("01 CONV_2D", "CONV_2D", 1), ("02 SOFTMAX", "SOFTMAX", 1))
    assert pairs(theirs) == ["01 CONV_2D", None, "02 SOFTMAX"]


def test_layers_of_other_names_pair_by_their_place_between_two_that_agree() -> None:
    assert pairs(run(("00 CONV", "CONV_2D", 1), ("moved", "", 1), ("soft", "SOFTMAX", 1))) == [
        "00 CONV",
        "moved",
        "soft",
    ]
    assert pairs(run(("a", "", 1), ("b", "", 1), ("c", "", 1))) == ["a", "b", "c"]


def test_what_cannot_be_paired_is_left_open() -> None:
    assert pairs(run(("a", "", 1), ("b", "", 1))) == [None, None, None]
    assert pairs(replace(PASSING, layers=())) == [None, None, None]


def test_ratios_are_to_the_first_and_there_is_none_without_a_figure() -> None:
    cycles = replace(PASSING.measurements["cycles"], value=PASSING.measurements["cycles"].value * 2)  # type: ignore[operator]
    slow = replace(PASSING, measurements={**PASSING.measurements, "cycles": cycles})
    (board,) = json.loads(
        versus_text.to_json([versus := Versus("b", (Contender("ours", PASSING), Contender("o", slow)))])
    )["boards"]
    assert board["firmwares"][1]["ratios"] == {
        "instructions": 1, "cycles": 2, "flash_bytes": 1, "ram_bytes": 1, "stack_hwm_bytes": None,
    }  # fmt: skip
    said = versus_text.terminal([versus])
    assert "53,028 (2.00 x)" in said and "not measured" in said


def test_names_of_others_stay_text() -> None:
    said = versus_text.terminal([Versus("b", (Contender("ours", OURS), Contender(HOSTILE + "\x1b[31m", OURS)))])
    assert "\x1b" not in said and len([line for line in said.splitlines() if line.startswith("<script>")]) == 1
