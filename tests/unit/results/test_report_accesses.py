"""Memory accesses in reports: sums agree with the record, names are harmless, old results have none."""

from __future__ import annotations

import csv as csv_reader
import io
import json
from dataclasses import replace

import pytest

from mcu_harness.results import results_file as results_json
from mcu_harness.results.access_records import MemoryAccesses, MemoryObject, ObjectAccesses
from mcu_harness.results.records import Results
from mcu_harness.results.report import accesses_section, csv, markdown, terminal
from sample_results import HOSTILE, PASSING, RESULTS

OBJECTS = (
    MemoryObject("stack", "stack", "ram", 0x20001000, 4096),
    MemoryObject(HOSTILE, "symbol", "flash", 0x08000100, 64),
    MemoryObject("1 features", "tensor", "ram", 0x20000000, 128),
    MemoryObject("(devices)", "device", "", 0x40000000, 0x20000000),
)
ROWS = (
    ObjectAccesses(0, 0, 10, 40, 5, 20),
    ObjectAccesses(0, 1, 100, 100, 0, 0),
    ObjectAccesses(1, 2, 7, 28, 3, 2),
    ObjectAccesses(1, 0, 1, 4, 1, 4),
    ObjectAccesses(-1, 3, 2, 8, 0, 0),
)
RUN = replace(PASSING, accesses=MemoryAccesses(OBJECTS, ROWS))


def test_memories_of_the_whole_are_the_sums_of_the_layers() -> None:
    rows = accesses_section.by_layer(RUN)
    assert rows[:3] == [
        ("(all)", "flash", "100", "100", "0", "0"),
        ("(all)", "ram", "18", "72", "9", "26"),
        ("(all)", "(device)", "2", "8", "0", "0"),
    ]
    assert rows[3:] == [
        ("00 CONV_2D", "flash", "100", "100", "0", "0"),
        ("00 CONV_2D", "ram", "10", "40", "5", "20"),
        ("01 RESHAPE", "ram", "8", "32", "4", "6"),
        ("(outside of these)", "(device)", "2", "8", "0", "0"),
    ]


def test_objects_come_with_most_bytes_first_and_the_rest_is_counted() -> None:
    rows, more = accesses_section.by_object(RUN, most=2)
    assert [row[0] for row in rows] == [HOSTILE, "stack"]
    assert rows[1] == ("stack", "stack", "ram", "4,096", "11", "44", "6", "24")
    assert more == 2
    assert accesses_section.by_tensor(RUN, most=5) == ([("01 RESHAPE", "1 features", "7", "28", "3", "2")], 0)


def test_all_reports_show_them_and_let_no_name_through() -> None:
    pytest.importorskip("jinja2")
    from mcu_harness.results.report.html.page import page

    results = Results((RUN,))
    assert "Memory accesses" in terminal.costs_text(RUN)
    text = markdown.board_report(results, RUN.board)
    assert "### Memory accesses" in text
    assert "| 1 features" in text or "`1 features`" in text
    html = page(results)
    assert "<h2>Memory accesses</h2>" in html
    assert HOSTILE not in html
    assert "<script>alert" not in html
    rows = list(csv_reader.DictReader(io.StringIO(csv.accesses(results))))
    assert len(rows) == len(ROWS)
    assert sum(float(row["read_bytes"]) for row in rows) == sum(row.read_bytes for row in ROWS)
    assert [row["layer"] for row in rows] == ["00 CONV_2D", "00 CONV_2D", "01 RESHAPE", "01 RESHAPE", ""]


def test_a_trace_that_is_missing_is_said_to_be() -> None:
    pytest.importorskip("jinja2")
    from mcu_harness.results.report.html.page import page

    run = replace(PASSING, accesses=MemoryAccesses(missing="not measured: renode has no memory trace here"))
    for shown in (terminal.costs_text(run), markdown.board_report(Results((run,)), run.board), page(Results((run,)))):
        assert "not measured: renode has no memory trace here" in shown


def test_runs_without_a_trace_say_nothing_of_it() -> None:
    assert "Memory accesses" not in terminal.costs_text(PASSING)
    assert "Memory accesses" not in markdown.board_report(RESULTS, PASSING.board)
    assert len(csv.accesses(RESULTS).splitlines()) == 1


def test_results_keep_them_and_older_ones_load() -> None:
    results = Results((RUN,))
    plain = json.loads(results_json.to_text(results))
    assert results_json.from_plain(plain, "here") == results
    del plain["runs"][0]["accesses"]
    assert results_json.from_plain(plain, "here").runs[0].accesses is None


def test_rows_that_name_no_object_are_left_out() -> None:
    run = replace(PASSING, accesses=MemoryAccesses(OBJECTS, (*ROWS, ObjectAccesses(77, 99, 1, 1, 1, 1))))
    assert accesses_section.by_layer(run) == accesses_section.by_layer(RUN)
    assert csv.accesses(Results((run,))) == csv.accesses(Results((RUN,)))
