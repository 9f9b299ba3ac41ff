"""What the cycles of layers go into, in every report: the kernel that ran, the bound, and shares."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

from mcu_harness.results import results_file
from mcu_harness.results.cost_records import CycleParts
from mcu_harness.results.records import Results
from mcu_harness.results.report import csv as csv_report
from mcu_harness.results.report import cycle_parts_section, markdown, terminal
from mcu_harness.results.report.html import page
from sample_results import HOSTILE, LAYERS, PASSING

PARTS = CycleParts(2600, 13_000, 6500, 1300.0, 2600)
RUN = replace(
    PASSING,
    layers=(replace(LAYERS[0], kernel="dsp/conv_2d_s8", cycle_parts=PARTS, bound_cycles=3250.0), *LAYERS[1:]),
)
ROW = ["00 CONV_2D", "dsp/conv_2d_s8", "5.20", "0.65", "8.0", "10 %", "50 %", "25 %", "5 %", "10 %"]


def test_a_row_says_kernel_bound_and_shares() -> None:
    titles, rows = cycle_parts_section.table(RUN)
    assert titles[:5] == ["layer", "kernel", "cycles/MAC", "bound/MAC", "cycles/bound"]
    assert rows == [ROW, ["01 RESHAPE", *[""] * 9], ["02 SOFTMAX", *[""] * 9]]


def test_columns_that_nothing_is_known_of_are_left_out() -> None:
    run = replace(RUN, layers=(replace(LAYERS[0], cycle_parts=PARTS),))
    titles, rows = cycle_parts_section.table(run)
    assert titles == ["layer", "waits", "loads, stores", "multiplies", "branches", "rest"]
    assert rows == [["00 CONV_2D", *ROW[5:]]]
    assert cycle_parts_section.ABOUT not in terminal.costs_text(PASSING)


def test_it_stands_in_terminal_markdown_and_page() -> None:
    (line,) = [line for line in terminal.costs_text(RUN).splitlines() if "dsp/" in line]
    assert line.split("  ")[0] == ROW[0] and all(cell in line for cell in ROW)
    (row,) = [
        line for line in markdown.board_report(Results((RUN,)), "board_a").splitlines() if "conv\\_2d\\_s8" in line
    ]
    assert [cell.strip().replace("\\", "") for cell in row.strip("|").split("|")] == ROW
    html = page.page(Results((RUN,)))
    assert "What their cycles go into" in html and "<td>dsp/conv_2d_s8</td>" in html
    assert all(f'<td class="n">{cell}</td>' in html for cell in ROW[2:])


def test_it_stands_in_csv_and_json_to_the_digit() -> None:
    first, second, _ = csv.DictReader(io.StringIO(csv_report.layers(Results((RUN,)))))
    assert (first["kernel"], first["bound_cycles"], first["loads_stores_cycles"]) == ("dsp/conv_2d_s8", "3250", "13000")
    assert (second["kernel"], second["bound_cycles"], second["waits_cycles"]) == ("", "", "")
    results = Results((RUN,))
    assert results_file.parse(results_file.to_text(results), "x").runs[0].layers[0].cycle_parts == PARTS


def test_names_of_others_stay_text() -> None:
    layers = (replace(RUN.layers[0], name=HOSTILE, kernel=HOSTILE), *LAYERS[1:])
    results = Results((replace(RUN, layers=layers),))
    assert "<script>alert" not in page.page(results)
    section = markdown.board_report(results, "board_a").partition("### What the cycles")[2].partition("\n###")[0]
    (row,) = [line for line in section.splitlines() if "alert" in line]
    assert not re.search(r"(?<!\\)[<`]", row) and len(re.findall(r"(?<!\\)\|", row)) == len(ROW) + 1
