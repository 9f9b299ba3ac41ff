"""Reports of runs whose inputs differ: columns that are only there where they say something."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from mcu_harness.results import results_file
from mcu_harness.results.cost_records import Spread
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Measurement, Results, RunResult
from mcu_harness.results.report import csv as csv_report
from mcu_harness.results.report import input_spread, markdown, terminal
from mcu_harness.results.report.html.page import page
from sample_results import LAYERS, PASSING

CONVOLUTION = replace(
    LAYERS[0], instructions_spread=Spread(20_000, 21_000.5, 22_000), cycles_spread=Spread(24_800, 26_100, 27_007)
)
RESHAPE = replace(LAYERS[1], instructions_spread=Spread(10, 10, 10), cycles_spread=Spread(14, 14, 14))
WORST = Measurement("cycles_max", 27_500, "cycles", "estimated; the most of 3 inputs: input 2", OriginKind.ESTIMATED)


def differing() -> RunResult:
    return replace(
        PASSING,
        layers=(CONVOLUTION, RESHAPE, LAYERS[2]),
        spreads={"cycles": Spread(25_000, 26_400, 27_500), "instructions": Spread(20_100, 21_100, 22_100)},
        measurements={**PASSING.measurements, "cycles_max": WORST},
    )


def equal() -> RunResult:
    same = replace(CONVOLUTION, instructions_spread=Spread(1, 1, 1), cycles_spread=Spread(2, 2, 2))
    figures = {**PASSING.measurements, "cycles_max": replace(WORST, value=PASSING.value("cycles"))}
    return replace(PASSING, layers=(same, RESHAPE), measurements=figures)


SENTENCE = "From input to input 25,000 to 27,500 cycles (median 26,400, +10 %)."


def test_markdown_terminal_and_html_have_columns_where_inputs_differ() -> None:
    written = markdown.board_report(Results((differing(),)), "board_a")
    for text in (written, terminal.failure_text(differing(), 1), page(Results((differing(),)))):
        assert "cycles: min" in text and "median" in text
        assert all(number in text for number in ("24,800", "26,100", "27,007"))
        assert SENTENCE in text
    assert "cycles of the worst input" in written and "input 2" in written


def test_where_inputs_do_not_differ_nothing_is_added() -> None:
    results = Results((equal(),))
    for text in (markdown.board_report(results, "board_a"), terminal.failure_text(equal(), 1), page(results)):
        assert "cycles: min" not in text and "From input to input" not in text
        assert "worst input" not in text
    held = replace(equal(), budgets={"cycles_max": 30_000.0})
    assert "worst input" in markdown.board_report(Results((held,)), "board_a")


def test_a_core_without_cycles_shows_how_instructions_differ() -> None:
    layer = replace(CONVOLUTION, cycles=None, cycles_spread=None)
    run = replace(differing(), layers=(layer,), spreads={"instructions": Spread(20_100, 21_100, 22_100)})
    text = terminal.layer_table(run)
    assert "instructions: min" in text and "20,100 to 22,100 instructions" in text


def test_csv_has_the_numbers() -> None:
    found = list(csv.DictReader(io.StringIO(csv_report.layers(Results((differing(),))))))
    assert [found[0][f"cycles_{name}"] for name in ("minimum", "median", "maximum")] == ["24800", "26100", "27007"]
    assert found[0]["instructions_median"] == "21000.5" and found[2]["cycles_maximum"] == ""


def test_json_keeps_spreads_and_reads_results_without_them() -> None:
    import json as standard

    written = results_file.to_text(Results((differing(),)))
    assert results_file.from_plain(standard.loads(written), "x").runs[0].spreads == differing().spreads
    plain = standard.loads(written)
    del plain["runs"][0]["spreads"]
    for layer in plain["runs"][0]["layers"]:
        del layer["cycles_spread"], layer["instructions_spread"]
    older = results_file.from_plain(plain, "x").runs[0]
    assert older.spreads == {} and older.layers == LAYERS


@pytest.mark.parametrize(("run", "expected"), [(differing(), True), (equal(), False), (PASSING, False)])
def test_runs_tell_whether_their_inputs_differ(run: RunResult, expected: bool) -> None:
    assert input_spread.differ(run) is expected
