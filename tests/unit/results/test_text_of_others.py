"""Names of others in every destination: escape sequences, markup, formulas and commands of CI services are text there.

Every text in a complete result is hostile; what each destination makes of it is read as its reader would.
"""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mcu_harness.analysis.image_footprint import Copies, ImageFootprint, SymbolChange, SymbolRow
from mcu_harness.app import boards_table, footprint_text
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.text import for_csv, for_markdown, for_terminal
from mcu_harness.image.footprint import RegionUse
from mcu_harness.results.access_records import MemoryAccesses, MemoryObject, ObjectAccesses
from mcu_harness.results.baseline import snapshot
from mcu_harness.results.board_matrix import matrix
from mcu_harness.results.coverage_records import (
    BranchCoverage,
    Coverage,
    FileCoverage,
    FunctionCoverage,
    LineCoverage,
)
from mcu_harness.results.history import Point, Series
from mcu_harness.results.matching import pair
from mcu_harness.results.memory_records import StackStep, StackUse
from mcu_harness.results.records import (
    BaselineCheck,
    Contributor,
    FigureChange,
    Finding,
    Results,
    RunResult,
    Verdict,
    WhatIf,
)
from mcu_harness.results.report import board_matrix_text, comparison_text, coverage_text, terminal, trend, variants_text
from mcu_harness.results.report.baseline_notes import baseline_notes
from mcu_harness.results.report.failure import FailureText
from mcu_harness.results.report.formats import FORMATS
from mcu_harness.results.report.html.html_file import trend_text
from mcu_harness.results.report.html.page import page
from mcu_harness.results.report.html.variants_page import variants_page
from mcu_harness.results.report.markdown import board_report
from mcu_harness.results.variant_comparison import comparisons
from mcu_harness.scenario.tolerance import parse_tolerance
from sample_boards import board
from sample_results import FAILING, PASSING

HOSTILE = {
    "escape": "\x1b]0;title\x07\x1b[2J\x9b31m\r",
    "lines": "one\ntwo\r\nthree\x0b\x0c\x85\u2028four",
    "command": "::error file=a,line=1::b",
    "command on a line of its own": "a\n  ::warning::b\n##[error]c\n##vso[task.setvariable variable=d]e\n##teamcity[f]",
    "table": "a|b`c|`d|",
    "html": "</script><script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt;'\"",
    "markdown": "# *a* _b_ [c](javascript:d) ![e](f) ~~g~~ <!-- h --> \\",
    "formula": "=cmd|' /C calc'!A0",
    "formula behind a space": "\t +1+cmd",
    "half a character": "\ud800x\udfff",
    "direction": "\u202eabc\u2066def\u200b\ufeff",
    "zero": "a\x00b",
}
DIRECTIONS = "\u202e\u2066\u200b\ufeff"
# Fields that are no text of others: codes, kinds, and what the reader of results files checks.
OURS = {"board", "code", "kind", "use", "unit", "figure", "format_version", "role"}


def complete(run: RunResult) -> RunResult:
    """`run` with a part of every kind."""
    moved = (FigureChange("flash_bytes", 5000, 6144, (Contributor("symbol x", 1144),)),)
    objects = (MemoryObject("tensor", "tensor", "sram", 0x2000_0000, 8), MemoryObject("x", "symbol", "flash", 0, 4))
    lines = (LineCoverage(1, 2), LineCoverage(2, 0))
    file = FileCoverage("src/a.c", lines, (BranchCoverage(1, 0, 1, 0),), (FunctionCoverage("never", 2, 0),))
    path = (StackStep("main", 16), StackStep("inner", 8))
    return replace(
        run,
        findings=(*run.findings, Finding("run.stopped", Verdict.NOT_MEASURED, "said", "do", details=("detail",))),
        test="test_x.py::test_x",
        provenance=replace(run.provenance, converted_from="ONNX", converters=("tool 1",), import_notes=("folded",)),
        scenario_path="nowhere.toml",
        baseline=BaselineCheck("x.json", Verdict.FAIL, "", ("the compiler",), moved),
        accesses=MemoryAccesses(objects, (ObjectAccesses(0, 0, 1, 4, 1, 4), ObjectAccesses(-1, 1, 1, 4, 0, 0))),
        coverage=Coverage((file,)),
        stack=StackUse(path, 24, "note", (*path, StackStep("deeper", 8)), 32, ("recursion",), "the heap"),
        what_ifs=(WhatIf("clock", ("the clock",), 1, 2, 0.1, None, (1, 2, 3), "origin", ("note",)),),
    )


def spoilt(value: Any, text: str) -> Any:
    """`value` with `text` in the place of every text in it, except where the field is one of `OURS`."""
    if isinstance(value, (Enum, int, float, bool, type(None))):
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(spoilt(each, text) for each in value)
    if isinstance(value, dict):
        return {key: spoilt(each, text) for key, each in value.items()}
    assert is_dataclass(value)
    kept = OURS | ({"name"} if type(value).__name__ == "Measurement" else set())
    return replace(
        value,
        **{f.name: spoilt(getattr(value, f.name), text) for f in fields(value) if f.init and f.name not in kept},
    )  # type: ignore[type-var]


@pytest.fixture(params=HOSTILE, scope="module")
def text(request: pytest.FixtureRequest) -> str:
    return HOSTILE[request.param]


@pytest.fixture(scope="module")
def results(text: str) -> Results:
    return Results(tuple(spoilt(complete(run), text) for run in (PASSING, FAILING)))


def is_harmless_in_a_terminal(said: str) -> bool:
    assert said.strip()
    assert all(c.isprintable() or c in "\n\t" for c in said), ascii(said)
    assert not re.search(r"(?m)^\s*::|##\w*\[", said), said
    said.encode()
    return True


def images(text: str) -> tuple[ImageFootprint, list[SymbolChange]]:
    rows = (SymbolRow(text, text, text, text, 4, 4),)
    regions = (RegionUse(text, "flash", 4, 8),)
    copies = (Copies((text, text), 4),)
    made = ImageFootprint(4, 4, regions, rows, copies, 0, 0, (text,), None)  # type: ignore[arg-type]
    return made, [SymbolChange(text, text, 1, 2)]


def in_terminals(results: Results, text: str) -> dict[str, str]:
    run, failing = results.runs
    one = [snapshot(each) for each in results.runs]
    other = [replace(each, figures={n: 2 * v for n, v in each.figures.items()}, scenario=text) for each in one]
    pairs, image = pair(one, other), images(text)
    judged = comparison_text.judge(pairs, [parse_tolerance("cycles:1%")])
    series = [Series(text, text, text, (Point(text, text, one[0].figures), Point(text, text, other[0].figures)))]
    hardware = replace(board(), name=text, title=text, vendor=text, part=text, sources=((text, text),))
    found = matrix(results)
    return {
        "table": terminal.summary_table(results),
        "notes": "\n".join(terminal.notes(results)),
        "failure": terminal.failure_text(failing, 2),
        "failure in pytest": f"{FailureText(failing, 0).reprcrash}\n{FailureText(failing, 2)}",
        "profile": terminal.profile_text(run, 2),
        "report": _text(FORMATS["terminal"])(results, None),
        "comparison": comparison_text.to_text(pairs, judged, 1),
        "boards that fit": board_matrix_text.fit_text(found),
        "trend": trend.table(series, 1),
        "variants": variants_text.terminal(comparisons(variants(results))),
        "coverage": "\n".join(for_terminal(line) for line in coverage_text.lines(results)),
        "baselines": "\n".join(for_terminal(line) for line in baseline_notes(results, [text], [text])) or "none",
        "footprint": footprint_text.terminal_text(image[0], failing.findings, 9),
        "footprints": footprint_text.difference_text(image[1], image[0], image[0], 9),
        "boards": boards_table.boards_table([hardware]),
        "board": boards_table.board_text(hardware),
        "error": str(HarnessError(text, hint=text)),
    }


def variants(results: Results) -> Results:
    """Two models of one scenario on one board."""
    run = replace(results.runs[0], test="")
    made = Results((run, replace(run, model=f"{run.model}2")))
    assert comparisons(made)
    return made


def _text(form: Any) -> Callable[[Results, Results | None], str]:
    assert form.text is not None
    return form.text  # type: ignore[no-any-return]


def test_terminals_and_outputs_of_jobs_get_printable_text(results: Results, text: str) -> None:
    for what, said in in_terminals(results, text).items():
        assert is_harmless_in_a_terminal(said), what


def test_what_is_shown_in_a_terminal_is_the_text_where_it_is_harmless() -> None:
    for kept in ("größe.c:3: 'a' | <b> `c` = 1", "a\tb\nµ", "std::vector<int>", "# heading ##", "λ::error"):
        assert for_terminal(kept) == kept


def test_markdown_shows_names_and_has_no_markup_of_others(results: Results, text: str) -> None:
    image, changes = images(text)
    comment = _text(FORMATS["pr-comment"])(results, None)
    footprint = footprint_text.markdown_text(image, results.runs[1].findings, image, changes, 9)
    several = variants_text.markdown(variants(results))
    for said in (board_report(results, "board_b"), comment, footprint, several):
        assert all(c.isprintable() or c == "\n" for c in said)
        assert not re.search(r"(?<!\\)<(?!!-- mcu-harness -->)", re.sub(r"`[^`\n]*`", "", said))
        titles = 0
        for line in said.splitlines():
            cells = len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", line))) if line.startswith("|") else 0
            titles = titles if titles and cells else cells
            assert cells == titles, line
        assert not re.search(r"(?<!\\)!?\[[^\]]*\](?<!\\\])\(", re.sub(r"`[^`\n]*`", "", said))
    if text == HOSTILE["markdown"]:
        assert for_markdown(text).replace("\\", "") == text.replace("\\", "")


def test_spreadsheets_take_no_cell_for_a_formula(results: Results, text: str) -> None:
    series = [Series(text, text, text, (Point(text, text, snapshot(results.runs[0]).figures),))]
    for said in (
        *(_text(FORMATS[name])(results, None) for name in ("csv", "csv-layers", "csv-memory")),
        trend.to_csv(series),
        variants_text.to_csv(variants(results)),
    ):
        rows = list(csv.reader(io.StringIO(said, newline="")))
        assert len(rows) > 1 and {len(row) for row in rows} == {len(rows[0])}
        cells = [cell for row in rows[1:] for cell in row]
        assert all(cell.isprintable() for cell in cells)
        assert not [cell for cell in cells if re.match(r"\s*[=+@-]", cell) and not re.fullmatch(r"-?[\d.e+-]+", cell)]
    assert for_csv("plain -1") == "plain -1"


def test_github_sees_one_command_for_each_finding(results: Results) -> None:
    lines = _text(FORMATS["github"])(results, None).split("\n")
    assert lines.pop() == ""
    assert len(lines) == sum(finding.verdict is not Verdict.PASS for run in results.runs for finding in run.findings)
    for line in lines:
        assert re.fullmatch(r"::(error|warning) (file=[^,:]*,line=1,)?title=[^,:]*::.*", line), line
        assert line.replace("\t", "").isprintable()


def test_xml_of_any_name_can_be_read(results: Results, text: str) -> None:
    series = [Series(text, text, text, (Point(text, text, snapshot(results.runs[0]).figures),))]
    junit = ET.fromstring(_text(FORMATS["junit"])(results, None))
    assert [element.tag for element in junit.iter() if element.tag not in _JUNIT] == []
    coverage = ET.fromstring(_text(FORMATS["cobertura"])(results, None).partition('.dtd">\n')[2])
    assert coverage.find(".//class/lines/line") is not None and coverage.find(".//script") is None
    picture = ET.fromstring(trend.to_svg(series))
    assert {element.tag.rpartition("}")[2] for element in picture.iter()} <= _SVG


_JUNIT = {"testsuites", "testsuite", "testcase", "properties", "property", "failure", "skipped"}
_SVG = {"svg", "title", "style", "rect", "text", "polyline", "circle"}


def test_metrics_of_any_name_can_be_read(results: Results) -> None:
    families = list(text_string_to_metric_families(_text(FORMATS["openmetrics"])(results, None)))
    assert {family.name for family in families} >= {"mcu_flash_bytes", "mcu_instructions"}
    assert {len(family.samples) for family in families} == {2}


def test_other_formats_of_lines_have_no_line_more(results: Results, text: str) -> None:
    plain = Results(tuple(complete(run) for run in (PASSING, FAILING)))
    for name in ("lcov", "collapsed"):
        said, usual = (_text(FORMATS[name])(each, None) for each in (results, plain))
        assert len(re.split("[\n\r\x0b\x0c\x85\u2028]", said)) == len(usual.split("\n"))


def test_json_of_any_name_can_be_read(results: Results) -> None:
    for name in ("gitlab", "speedscope", "bencher", "github-action-benchmark"):
        said = _text(FORMATS[name])(results, None)
        assert json.loads(said.encode("utf-8", "backslashreplace"))


class _Elements(HTMLParser):
    """Elements and attributes of a page, as a browser sees them."""

    def __init__(self, said: str) -> None:
        super().__init__()
        self.scripts, self.handlers, self.pictures = 0, 0, 0
        self.feed(said)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.pictures += tag == "img"
        self.handlers += sum(name.startswith("on") for name, _ in attrs)


def test_a_page_has_no_element_of_others(results: Results, text: str) -> None:
    plain = _Elements(page(Results(tuple(complete(run) for run in (PASSING, FAILING)))))
    said = page(results)
    seen = _Elements(said)
    assert (seen.scripts, seen.handlers, seen.pictures) == (plain.scripts, 0, 0)
    series = [Series(text, text, text, (Point(text, text, snapshot(results.runs[0]).figures),))]
    for other in (said, trend_text(series), variants_page(variants(results))):
        assert all(c.isprintable() or c in "\n\t" for c in other)
        other.encode()
