"""Baseline files: what they keep, their names, and what damaged ones are."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from mcu_harness.base.errors import ResultsError
from mcu_harness.results import baseline
from mcu_harness.results.baseline import Snapshot, baseline_name, snapshot
from mcu_harness.results.cost_records import FunctionResult
from mcu_harness.results.memory_records import SymbolResult
from sample_results import HOSTILE, PASSING


def kind_sum(accepted: Snapshot, figure: str, kind: str) -> float:
    return sum(value for name, value in accepted.parts[figure].items() if name.startswith(f"{kind} "))


def many_symbols(count: int) -> tuple[SymbolResult, ...]:
    return tuple(SymbolResult(f"f{i}", ".text", "flash", 2 + i % 40, 0, i % 3 or None) for i in range(count))


def test_baseline_survives_a_round_trip(tmp_path: Path) -> None:
    accepted = snapshot(PASSING)
    baseline.save(accepted, tmp_path / "x.json")
    assert baseline.load(tmp_path / "x.json") == accepted
    assert HOSTILE in "".join(accepted.parts["flash_bytes"])


def test_text_is_sorted_short_and_the_same_after_reading(tmp_path: Path) -> None:
    text = baseline.to_text(snapshot(PASSING))
    assert baseline.to_text(baseline.parse(text, "here")) == text
    plain = json.loads(text)
    assert list(plain) == sorted(plain)
    assert '"cycles": 26514,' in text, "whole numbers have no point"
    assert len(text.splitlines()) < 80


def test_what_was_not_measured_is_left_out_and_never_0() -> None:
    accepted = snapshot(PASSING)
    assert "stack_hwm_bytes" not in accepted.figures
    assert "layer 02 SOFTMAX" not in accepted.parts["cycles"]


def test_small_parts_are_one_sum_and_no_byte_is_lost() -> None:
    symbols = many_symbols(500)
    run = replace(PASSING, symbols=symbols)
    accepted = snapshot(run)
    kept = accepted.parts["flash_bytes"]
    total = kind_sum(accepted, "flash_bytes", "symbol") + kind_sum(accepted, "flash_bytes", "constant")
    assert total == sum(symbol.flash_bytes for symbol in symbols)
    assert "symbol (small ones)" in kept and "constant (small ones)" in kept
    assert all(value >= 16 for name, value in kept.items() if name.startswith("symbol f"))


def test_functions_of_one_name_are_added_up() -> None:
    run = replace(PASSING, functions=PASSING.functions * 2)
    assert snapshot(run).parts["cycles"]["function conv_2d_s8"] == 50_000


def test_part_that_the_other_side_names_is_named_however_small() -> None:
    big = replace(PASSING, functions=(FunctionResult("f", 1, 500.0, 500.0, 500.0, 500.0),))
    small = replace(PASSING, functions=(FunctionResult("f", 1, 1.0, 1.0, 1.0, 1.0),))
    assert "function f" not in snapshot(small).parts["cycles"]
    assert snapshot(small, like=snapshot(big)).parts["cycles"]["function f"] == 1


def test_digits_that_only_means_bring_are_dropped() -> None:
    cycles = replace(PASSING.measurements["cycles"], value=100.123456789)
    run = replace(PASSING, measurements={**PASSING.measurements, "cycles": cycles})
    assert snapshot(run).figures["cycles"] == 100.12


def test_no_two_cases_share_a_file_name() -> None:
    parts = ("a", "b", "a.b", "a+b", "a@b", "a b", "a_b", "../a", "A%20b", "ä")
    names = [
        baseline_name(scenario, model, board, tool)
        for scenario in parts
        for model in ("", *parts)
        for board in ("x", "x+y", "x@y")
        for tool in ("", "gnu")
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "evil", ["../../etc/passwd", "a/b", "a\\b", "a\nb", "..", ".", "a\0b", "con:", "x" * 50, "<>|*?"]
)
def test_file_names_stay_in_their_directory_and_are_plain(tmp_path: Path, evil: str) -> None:
    name = baseline_name("s", evil, evil)
    assert (tmp_path / name).parent == tmp_path
    assert not set(name) & set('/\\:*?"<>|\n\0')
    (tmp_path / name).write_text("x")


def test_the_usual_name_is_readable() -> None:
    assert baseline_name("keyword_spotting", "", "nrf52840dk") == "keyword_spotting@nrf52840dk.json"
    assert baseline_name("zoo", "net", "nrf52840dk", "zig") == "zoo+net@nrf52840dk+zig.json"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[:-20], "not JSON"),
        (lambda text: "<<<<<<< HEAD\n" + text, "merge conflict"),
        (lambda text: text.replace('"format_version": 1', '"format_version": 7'), "format_version is 7"),
        (lambda text: text.replace('"board"', '"bord"'), "not a baseline"),
        (lambda text: text.replace("26514", '"many"'), "not a baseline"),
        (lambda text: "[]", "format_version is None"),
    ],
)
def test_damaged_file_is_one_error_with_the_way_out(tmp_path: Path, change, said: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "x@y.json"
    path.write_text(change(baseline.to_text(snapshot(PASSING))))
    with pytest.raises(ResultsError) as caught:
        baseline.load(path)
    whole = f"{caught.value.message} {caught.value.hint}"
    assert said in whole and str(path) in whole and "--mcu-update-baseline" in whole


def test_baselines_of_all_parts_differ_where_runs_differ() -> None:
    runs = [
        PASSING,
        replace(PASSING, toolchain=replace(PASSING.toolchain, version="13")),
        replace(PASSING, provenance=replace(PASSING.provenance, cycle_model="m4-2")),
        replace(PASSING, provenance=replace(PASSING.provenance, sources={"kernels": "77"})),
    ]
    assert all(snapshot(one) != snapshot(other) for one, other in combinations(runs, 2))
