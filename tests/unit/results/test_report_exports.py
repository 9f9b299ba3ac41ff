"""Exports for other programs: speedscope, collapsed stacks, CSV, OpenMetrics, benchmark services."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import jsonschema
import pytest

from mcu_harness.base.text import one_line
from mcu_harness.results.cost_records import CallNode
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Measurement, Results
from mcu_harness.results.report import benchmarks, flame_graph, openmetrics
from mcu_harness.results.report import csv as csv_report
from sample_results import FAILING, HOSTILE, PASSING, RESULTS

# What speedscope's file format requires of sampled profiles.
SPEEDSCOPE = {
    "type": "object",
    "required": ["$schema", "shared", "profiles"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": "https://www.speedscope.app/file-format-schema.json"},
        "name": {"type": "string"},
        "exporter": {"type": "string"},
        "activeProfileIndex": {"type": "number"},
        "shared": {
            "type": "object",
            "required": ["frames"],
            "properties": {
                "frames": {
                    "type": "array",
                    "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
                }
            },
        },
        "profiles": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "name", "unit", "startValue", "endValue", "samples", "weights"],
                "additionalProperties": False,
                "properties": {
                    "type": {"const": "sampled"},
                    "name": {"type": "string"},
                    "unit": {"enum": ["bytes", "microseconds", "milliseconds", "nanoseconds", "none", "seconds"]},
                    "startValue": {"type": "number"},
                    "endValue": {"type": "number"},
                    "samples": {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
                    "weights": {"type": "array", "items": {"type": "number"}},
                },
            },
        },
    },
}
TREE = (
    CallNode("(root)", -1, 100.0, 120.0),
    CallNode("layer", 0, 0.0, 0.0),
    CallNode("a;b c\nd", 1, 10.0, 20.0),
    CallNode("layer", 0, 5.0, 7.0),
)
DEEP = replace(PASSING, calls=TREE)


def test_speedscope_file_is_valid_and_keeps_all_cost_at_its_call_path() -> None:
    made = json.loads(flame_graph.speedscope(Results((DEEP, FAILING))))
    jsonschema.validate(made, SPEEDSCOPE)
    frames = [frame["name"] for frame in made["shared"]["frames"]]
    profile = made["profiles"][0]
    found = {tuple(frames[i] for i in s): w for s, w in zip(profile["samples"], profile["weights"], strict=True)}
    assert found == {("(root)",): 120, ("(root)", "layer", "a;b c\nd"): 20, ("(root)", "layer"): 7}
    assert profile["endValue"] == 147 and profile["name"] == "tiny on board_a (cycles)"


def test_stacks_are_of_instructions_where_cycles_were_not_measured() -> None:
    run = replace(DEEP, calls=tuple(replace(node, self_cycles=None) for node in TREE))
    made = json.loads(flame_graph.speedscope(Results((run,))))
    assert made["profiles"][0]["name"].endswith("(instructions)") and made["profiles"][0]["endValue"] == 115


def test_no_frame_breaks_a_collapsed_line() -> None:
    lines = flame_graph.collapsed(Results((DEEP,))).splitlines()
    assert "tiny on board_a;(root);layer;a,b c d 20" in lines
    assert sum(int(line.rsplit(" ", 1)[1]) for line in lines) == 147


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_row_per_run_and_empty_cells_for_what_was_not_measured() -> None:
    found = rows(csv_report.runs(RESULTS))
    assert [row["board"] for row in found] == ["board_a", "board_b"]
    assert found[0]["flash_bytes"] == "6144" and found[0]["stack_hwm_bytes"] == ""
    assert found[1]["verdict"] == "fail"


def test_csv_has_figures_as_people_read_them() -> None:
    mean = replace(PASSING.measurements["instructions"], value=184_812.416_666_666_66)
    run = replace(PASSING, measurements={**PASSING.measurements, "instructions": mean})
    (row,) = rows(csv_report.runs(Results((run,))))
    assert (row["instructions"], row["cycles"], row["latency_s"]) == ("184812.42", "26514", "0.000157821")
    assert rows(csv_report.layers(RESULTS))[0]["instructions"] == "21000"


def test_csv_of_layers_has_a_row_per_layer_of_every_run() -> None:
    found = rows(csv_report.layers(RESULTS))
    assert len(found) == 6
    assert found[0]["name"] == "00 CONV_2D" and found[2]["cycles"] == ""


@pytest.mark.parametrize("name", ["=1+1", "+x", "-x", "@x", "\t=x", HOSTILE, 'a"b', "a,b"])
def test_no_name_is_a_formula_and_none_breaks_a_row(name: str) -> None:
    (row,) = rows(csv_report.runs(Results((replace(PASSING, model=name),))))
    assert row["model"].lstrip("'") == one_line(name).lstrip("'") and row["board"] == "board_a"
    assert not row["model"].startswith(("=", "+", "-", "@", "\t"))


def test_openmetrics_is_read_by_the_reference_parser() -> None:
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    run = replace(PASSING, model=HOSTILE + '"\\')
    text = openmetrics.to_text(Results((run, FAILING)))
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    flash = families["mcu_flash_bytes"]
    assert flash.unit == "bytes" and [sample.value for sample in flash.samples] == [6144, 6144]
    assert flash.samples[0].labels["model"] == HOSTILE + '"\\'
    assert families["mcu_latency_seconds"].samples[0].value == pytest.approx(26_514 / 168e6)
    assert not any(name.startswith("mcu_stack") for name in families), "what was not measured is left out"


def test_github_action_benchmark_entries_are_what_it_takes() -> None:
    entries = json.loads(benchmarks.github_action_benchmark(RESULTS))
    assert all(
        {"name", "unit", "value"} <= set(entry) <= {"name", "unit", "value", "range", "extra"} for entry in entries
    )
    assert len({entry["name"] for entry in entries}) == len(entries)
    assert all(isinstance(entry["value"], int | float) for entry in entries)


def test_bencher_gets_latency_in_nanoseconds_and_one_benchmark_a_run() -> None:
    made = json.loads(benchmarks.bencher(RESULTS))
    assert list(made) == ["tiny on board_a", "tiny on board_b"]
    assert made["tiny on board_a"]["latency"]["value"] == pytest.approx(26_514 / 168e6 * 1e9)
    assert made["tiny on board_a"]["flash-bytes"] == {"value": 6144}
    assert "stack-hwm-bytes" not in made["tiny on board_a"]


def test_compilers_and_emulators_have_names_of_their_own_where_there_are_several() -> None:
    other = replace(PASSING, toolchain=replace(PASSING.toolchain, name="zig"))
    made = json.loads(benchmarks.bencher(Results((PASSING, other))))
    assert list(made) == ["tiny on board_a, gnu", "tiny on board_a, zig"]


def test_figures_of_new_kinds_are_exported_too() -> None:
    heap = Measurement("heap_bytes", 12, "B", "watched", OriginKind.OBSERVED)
    run = replace(PASSING, measurements={**PASSING.measurements, "heap_bytes": heap})
    assert "mcu_heap_bytes{" in openmetrics.to_text(Results((run,)))
    assert rows(csv_report.runs(Results((run,))))[0]["heap_bytes"] == "12"
