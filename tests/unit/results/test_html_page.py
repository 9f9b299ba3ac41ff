"""The HTML report as text: its policy, its data, what it says. What it does is tested in a browser (tests/browser)."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from big_results import big_results, big_run
from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.text import one_line
from mcu_harness.results import results_file as results_json
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import (
    BaselineCheck,
    Contributor,
    FigureChange,
    Finding,
    Measurement,
    Results,
    Verdict,
)
from mcu_harness.results.report.html import html_file as html_report
from mcu_harness.results.report.html.chart_data import Names, run_data, script_json
from mcu_harness.results.report.html.figure_tiles import accuracy_class
from mcu_harness.results.report.html.memory_map import memory_map
from mcu_harness.results.report.html.page import page
from mcu_harness.results.report.text import contributor_text
from sample_results import FAILING, HOSTILE, PASSING, RESULTS


@pytest.fixture(scope="module")
def text() -> str:
    return page(RESULTS)


def test_page_is_the_same_each_time(text: str) -> None:
    assert page(RESULTS) == text


def test_policy_names_each_script_and_style_by_its_digest(text: str) -> None:
    policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1])  # type: ignore[index]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(scripts) == 1 and len(styles) == 1
    for content in (*scripts, *styles):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_changes_against_the_baseline_have_names_units_and_no_zeros() -> None:
    """As the terminal says them: a latency is no count of seconds."""
    moved = (Contributor("function dot", 4.6e-5),)
    changes = (FigureChange("latency_s", 1.86e-4, 2.32e-4, moved), FigureChange("flash_bytes", 0, 1_050))
    changed = replace(PASSING, baseline=BaselineCheck("baselines/x.json", Verdict.PASS, changes=changes))
    made = page(Results((changed,)))
    table = made[made.index("<h3>Against the baseline</h3>") :].partition("</table>")[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)][1:]
    assert cells == [
        ["latency", "186 us", "232 us", "+24.73 %", "function dot (+46 us)"],
        ["flash", "0 B", "1,050 B", "+1,050 B", ""],
    ]
    finding = Finding("baseline.latency", Verdict.FAIL, "", "", None, 2.32e-4, "s", moved, 1.86e-4)
    assert contributor_text(moved[0], finding) == "function dot: +46 us (100.0 %)"


def test_page_refers_to_nothing_outside_of_it(text: str) -> None:
    assert re.findall(r"""(?:src|href)=["'](?!#)[^"']*""", text) == []
    assert "url(" not in text and "@import" not in text


def test_page_of_one_model_is_a_small_file() -> None:
    """1.5 MB would do for a mail; without data it is the scripts and styles alone."""
    assert len(page(Results((big_run("kws", "board_a", layers=30, symbols=300),)))) < 300_000


def test_page_has_no_handler_and_no_style_in_an_attribute(text: str) -> None:
    own = text[: text.index('<script type="application/json" id="names">')]
    tags = re.findall(r"<[a-zA-Z][^>]*>", own)
    assert [tag for tag in tags if re.search(r"\s(on\w+|style)\s*=", tag)] == []


def test_untrusted_names_are_escaped(text: str) -> None:
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\\u003cscript\\u003ealert(1)" in text


def test_json_in_a_script_cannot_end_it_and_reads_back() -> None:
    value = ["</script>", "<!--", "]]>", "a\u2028b", "&amp;", "\ud800", "日本"]
    made = script_json(value)
    assert made.isascii() and not re.search(r"[<>&]", made)
    assert json.loads(made) == value


def test_run_data_refers_to_names_that_are_kept_once() -> None:
    names = Names()
    data = run_data(PASSING, names)
    again = run_data(FAILING, names)
    assert data["calls"]["name"] == again["calls"]["name"]
    assert [names.all[i] for i in data["symbols"]["name"]] == [one_line(symbol.name) for symbol in PASSING.symbols]  # type: ignore[index]
    assert len(names.all) == len(set(names.all))


def test_every_run_and_both_views_have_an_anchor_of_their_own() -> None:
    runs = tuple(replace(PASSING, board=board) for board in ("a b", "a-b", "a/b"))
    anchors = re.findall(r'<section class="view[^"]*" id="([^"]+)"', page(Results(runs)))
    assert anchors == ["overview", "fit", "tiny@a-b", "tiny@a-b~2", "tiny@a-b~3"]


def test_what_was_not_measured_says_so(text: str) -> None:
    assert "not measured: the run did not finish" in text
    assert accuracy_class(Measurement("cycles", None, "cycles", "not measured: x", OriginKind.NOT_MEASURED)) == (
        "none",
        "not measured",
    )


def test_estimates_are_marked_with_their_error() -> None:
    text = page(Results((big_run("kws", "b", layers=3, symbols=20),)))
    assert "cycle-approximate, +-4 % on 12 hardware measurements" in text
    assert accuracy_class(Measurement("cycles", 1, "cycles", "estimated: x", OriginKind.ESTIMATED))[0] == "estimate"


def test_memory_map_places_sections_stack_and_initial_values() -> None:
    flash, sram = memory_map(big_run("kws", "b", layers=3, symbols=40))
    assert [part.title for part in flash.parts] == [".text", ".rodata", ".data, initial values"]
    assert [part.title for part in sram.parts] == [".data", ".bss", "room for the stack", "stack, high-water mark"]
    assert sram.parts[-1].start + sram.parts[-1].size == sram.region.origin + sram.region.capacity_bytes
    for part in (*flash.parts, *sram.parts):
        assert 0 <= part.left <= 100 and part.left + part.width <= 100.2


def test_memory_map_of_too_large_firmware_says_by_how_much() -> None:
    run = big_run("kws", "b", layers=3, symbols=40)
    small = replace(run.regions[1], capacity_bytes=8192)
    found = memory_map(replace(run, regions=(run.regions[0], small)))[1]
    assert found.over == 13_064 - 8192
    assert all(part.left + part.width <= 100.2 for part in found.parts)


def test_results_without_addresses_of_an_older_version_still_make_a_page() -> None:
    assert "The results say no addresses" in page(Results((PASSING,)))


def test_empty_results_make_a_page() -> None:
    assert "No runs." in page(Results(()))


def test_missing_library_is_an_error_with_the_command_that_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_report, "NEEDED", ("jinja2", "no_such_library"))
    with pytest.raises(HarnessError, match="needs no_such_library") as caught:
        html_report.check_available()
    assert 'pip install "pytest-mcu-harness[html]"' in caught.value.hint


def test_command_writes_one_page_or_one_per_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.json"
    results.write_text(results_json.to_text(RESULTS))
    assert main(["report", str(results), "--format", "html", "--output", str(tmp_path / "all.html")]) == 0
    assert main(["report", str(results), "--format", "html-boards", "--output", str(tmp_path / "boards")]) == 0
    assert sorted(path.name for path in (tmp_path / "boards").iterdir()) == ["board_a.html", "board_b.html"]
    assert "tiny@board_a" in (tmp_path / "all.html").read_text()
    assert "tiny@board_a" not in (tmp_path / "boards" / "board_b.html").read_text()
    assert "wrote" in capsys.readouterr().out


def test_page_of_many_large_runs_grows_by_half_a_megabyte_a_run_at_most() -> None:
    small, large = (len(page(big_results(count))) for count in (1, 5))
    assert (large - small) / 4 < 512 * 1024


def test_the_overview_shows_every_model_on_every_board() -> None:
    runs = [big_run(case, board, layers=2, symbols=5) for case in ("kws", "vww") for board in ("a", "b")]
    overview = page(Results(tuple(runs))).split('id="fit"')[0]
    table = re.search(r'<table class="matrix sticky">.*?</table>', overview, re.DOTALL)
    assert table is not None
    assert re.findall(r'<th scope="col">(.*?)</th>', table[0]) == ["board", "kws", "vww"]
    links = re.findall(r'<a class="chip s-[a-z-]+" href="#([^"]+)">', table[0])
    assert links == ["kws@a", "vww@a", "kws@b", "vww@b"]


def test_one_model_needs_no_matrix() -> None:
    assert '<table class="matrix' not in page(Results((big_run("kws", "a", layers=2, symbols=5),)))


def test_charts_of_boards_are_of_what_was_measured_and_the_title_names_what_ran() -> None:
    bare = replace(PASSING, measurements={"coverage_lines": PASSING.measurements["cycles"]})
    assert "Boards side by side" in page(Results((PASSING,)))
    assert "Boards side by side" not in page(Results((bare,)))
    assert "<h1>tiny on board_a</h1>" in page(Results((bare,)))


def test_qualities_of_a_converted_model_have_cards() -> None:
    found = {
        name: Measurement(name, value, unit, "", OriginKind.COMPUTED)
        for name, value, unit in (("accuracy_drop", 0.01, "fraction"), ("sqnr_db", 30.0, "dB"))
    }
    shown = page(Results((replace(PASSING, measurements={**PASSING.measurements, **found}),)))
    tiles = re.findall(r'<p class="title">([^<]+?) <', shown)
    assert {"accuracy drop", "SQNR"} <= set(tiles)
