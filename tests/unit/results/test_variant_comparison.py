"""Variants beside each other: the Pareto front, who dominates whom, layers won and lost, and every format of it."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from mcu_harness.results.records import Finding, Results, Tool, Verdict
from mcu_harness.results.report import variants_text
from mcu_harness.results.report.html import scatter
from mcu_harness.results.report.html.variants_page import plots, variants_page
from mcu_harness.results.variant_comparison import Comparison, comparisons, layer_pairs
from mcu_harness.scenario.figure_catalogue import FIGURES
from sample_results import HOSTILE, PASSING
from variant_results import not_set_up, variant


def compared(*runs) -> Comparison:  # type: ignore[no-untyped-def]
    (found,) = comparisons(Results(runs))
    return found


def test_of_two_that_are_the_same_model_one_is_worth_having() -> None:
    one = variant("one", 0.99, 10, 9000)
    found = compared(one, replace(one, model="two"), variant("three", 0.99, 10, 9000))
    assert [entry.name for entry in found.front] == ["one", "three"]  # other weights, the same figures: both stay
    assert found.entry("two").same_as == "one"
    assert any("the same model as one" in cell for row in variants_text.rows(found)[1] for cell in row)
    assert "<h1>Variants: one, three, two</h1>" in variants_page(
        Results((one, replace(one, model="two"), variant("three", 0.99, 10, 9000)))
    )


def test_front_is_what_no_other_matches_in_all_and_beats_in_one() -> None:
    found = compared(
        variant("best", 0.99, 10, 9000),
        variant("small", 0.95, 4, 5000),
        variant("worse", 0.95, 5, 5000),
        variant("small_ram", 0.90, 20, 9000, ram=10),
    )
    assert [entry.name for entry in found.front] == ["best", "small", "small_ram"]
    assert found.entry("worse").dominated_by == ("small",)
    assert "worse is dominated: small has the same accuracy, latency -20.0 %, the same flash, the same RAM" in (
        variants_text.sentences(found)
    )


def test_two_that_are_the_same_in_everything_do_not_dominate_each_other() -> None:
    found = compared(variant("a", 0.9, 1, 100), variant("b", 0.9, 1, 100))
    assert [entry.name for entry in found.front] == ["a", "b"]


def test_a_cost_that_is_less_by_under_a_hundredth_saves_no_variant() -> None:
    found = compared(variant("good", 0.98, 10.0, 5000), variant("worse", 0.95, 9.95, 5000))
    assert found.entry("worse").dominated_by == ("good",) and found.entry("good").on_front
    assert any("the same latency" in said for said in variants_text.sentences(found))
    assert compared(variant("good", 0.98, 10.0, 5000), variant("fast", 0.95, 9.8, 5000)).entry("fast").on_front


def test_reference_is_the_most_accurate_and_of_several_the_slowest() -> None:
    found = compared(variant("fast", 0.9, 1, 100), variant("slow", 0.9, 2, 90), variant("bad", 0.8, 9, 900))
    assert found.reference is not None and found.reference.name == "slow"
    assert found.drop(found.entry("bad")) == pytest.approx(0.1)
    assert variants_text.drop_text(found, found.entry("bad")) == "10.00 points"


def test_without_labels_quality_is_sqnr_and_the_text_says_what_that_is_worth() -> None:
    found = compared(variant("a", None, 2, 100, sqnr_db=40.0), variant("b", None, 1, 100, sqnr_db=20.0))
    assert found.quality is FIGURES["sqnr_db"]
    assert len(found.front) == 2
    assert any("nothing between different nets" in line for line in variants_text.sentences(found))


def test_without_any_quality_costs_alone_decide_and_the_text_says_so() -> None:
    found = compared(variant("a", None, 2, 100), variant("b", None, 1, 100))
    assert found.quality is None
    assert [entry.name for entry in found.front] == ["b"]
    assert any("compared by cost alone" in line for line in variants_text.sentences(found))
    assert [plot.title for plot in plots(found)] == ["latency against flash", "latency against RAM"]


def test_variant_that_computes_something_else_is_named_and_not_compared() -> None:
    wrong = Finding("output.mismatch", Verdict.FAIL, "3 of 4 outputs differ", "")
    broken = replace(variant("wrong", 1.0, 1, 1), findings=(wrong,), verdict=Verdict.FAIL)
    found = compared(variant("a", 0.9, 2, 100), broken, not_set_up("unreadable"))
    assert [entry.name for entry in found.front] == ["a"]
    assert found.entry("wrong").left_out == "3 of 4 outputs differ"
    assert found.entry("unreadable").left_out == "no such operator"


def test_variant_over_its_budget_is_compared_and_never_recommended() -> None:
    found = compared(variant("accurate", 0.99, 9, 900, over_budget=True), variant("fast", 0.9, 1, 100))
    assert found.entry("accurate").on_front
    assert variants_text.standing(found.entry("accurate")) == "over budget; front"
    best = found.best(FIGURES["accuracy"])
    assert best is not None and best.name == "fast"


def test_boards_compilers_and_scenarios_are_compared_apart_and_single_models_not_at_all() -> None:
    runs = [variant(name, 0.9, 1, 100, board=board) for name in "ab" for board in ("board_a", "board_b")]
    runs += [replace(run, toolchain=Tool("zig", "1")) for run in runs[:1]]
    runs.append(variant("alone", 0.9, 1, 100, scenario="other"))
    found = comparisons(Results(tuple(runs)))
    assert [(each.board, len(each.entries)) for each in found] == [("board_a", 2), ("board_b", 2)]
    assert comparisons(Results((PASSING,))) == []


def test_layers_are_paired_by_their_place_in_the_sequence_of_operators() -> None:
    before = variant("a", 0.9, 1, 1, layers=(("CONV_2D", 100.0), ("ADD", 10.0), ("FULLY_CONNECTED", 50.0)))
    after = variant("b", 0.9, 1, 1, layers=(("CONV_2D", 60.0), ("FULLY_CONNECTED", 20.0), ("FULLY_CONNECTED", 30.0)))
    pairs = layer_pairs(before, after)
    assert [variants_text.layer_name(pair) for pair in pairs] == [
        "00 CONV_2D",
        "01 ADD (gone)",
        "02 FULLY_CONNECTED → 01 FULLY_CONNECTED",
        "02 FULLY_CONNECTED (new)",
    ]
    assert [pair.change("cycles") for pair in pairs] == [-40, -10, -30, 30]
    assert sum(pair.change("cycles") or 0 for pair in pairs) == 110 - 160


def test_csv_and_json_say_the_same_as_the_comparison() -> None:
    results = Results((variant("a", 0.9, 2, 100), variant("b", 0.9, 1, 100), not_set_up("=c")))
    rows = list(csv.DictReader(io.StringIO(variants_text.to_csv(results))))
    assert [(row["variant"], row["on_front"], row["dominated_by"]) for row in rows] == [
        ("a", "0", "b"), ("b", "1", ""), ("'=c", "0", ""),
    ]  # fmt: skip
    (plain,) = json.loads(variants_text.to_json(results))["comparisons"]
    assert [(each["name"], each["on_front"]) for each in plain["variants"]] == [
        ("a", False),
        ("b", True),
        ("=c", False),
    ]
    assert plain["variants"][1]["layers"] == [
        {"reference": "00 CONV_2D", "variant": "00 CONV_2D", "cycles": [1000, 1000], "flash_bytes": [100, 100],
         "sqnr_db": [None, None]}
    ]  # fmt: skip


def test_every_name_is_escaped_and_the_page_has_no_script() -> None:
    results = Results((variant(HOSTILE, 0.9, 2, 100), variant("<b>x", 0.8, 1, 90)))
    made = variants_page(results)
    assert "<script" not in made and "<b>x" not in made and "&lt;b&gt;x" in made
    assert "default-src &#39;none&#39;; style-src" in made
    assert "<script" not in variants_text.markdown(results).replace(r"\<", "")
    assert variants_page(results) == made


def test_plots_are_well_formed_and_all_points_lie_inside() -> None:
    found = compared(variant("a", 0.9, 2, 100, 10), variant("b", 0.7, 1, 3000, 10), variant("c", 0.9, 2, 100, 10))
    made = variants_page(Results((variant("a", 0.9, 2, 100, 10), variant("b", 0.7, 1, 3000, 10))))
    drawings = made.split("<svg")[1:]
    assert len(drawings) == 3
    for drawing in drawings:
        ET.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")
    for plot in plots(found):
        assert len(plot.dots) == 3
        for dot in plot.dots:
            assert plot.left <= dot.x <= plot.right and plot.top <= dot.y <= plot.bottom
        assert plot.x_ticks and plot.y_ticks


def test_labels_never_cover_each_other() -> None:
    points = [scatter.Point(f"variant_{n}", 1.0 + n % 3 * 0.05, 0.9, n == 0, "") for n in range(9)]
    plot = scatter.plot(points, FIGURES["latency_s"], FIGURES["accuracy"])
    boxes = [scatter._box(dot.label_x, dot.label_y, dot.label, dot.anchor) for dot in plot.dots if dot.label]
    assert plot.dots[0].label == "variant_0"
    assert 3 <= len(boxes) <= 9
    for number, one in enumerate(boxes):
        assert not any(scatter._meet(one, other) for other in boxes[number + 1 :])


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([0.9, 1.0], "accuracy", ["90 %", "95 %", "100 %"]),
        ([2048.0, 8192.0], "flash_bytes", ["2 KiB", "4 KiB", "6 KiB", "8 KiB"]),
        ([0.001, 0.003], "latency_s", ["1 ms", "1.5 ms", "2 ms", "2.5 ms", "3 ms"]),
    ],
)
def test_ticks_are_round_in_the_unit_of_the_figure(values: list[float], unit: str, expected: list[str]) -> None:
    points = [scatter.Point("x", value, value, True, "") for value in values]
    plot = scatter.plot(points, FIGURES[unit], FIGURES[unit])
    assert [tick.text for tick in plot.x_ticks] == expected
