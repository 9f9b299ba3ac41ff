"""The heap over time in a results file and in reports."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from mcu_harness.analysis.heap import heap_use
from mcu_harness.emulator.heap_log import Allocates, HeapLog
from mcu_harness.results.records import Results
from mcu_harness.results.report.html.html_file import write_html
from mcu_harness.results.report.markdown import board_report
from mcu_harness.results.results_file import load, save
from sample_results import PASSING

STEPS = (
    (Allocates.MALLOC, (100, 0), 0x2000),
    (Allocates.REALLOC, (0x2000, 60), 0x3000),
    (Allocates.FREE, (0x3000, 0), 0),
)


def log(rounds: int = 1) -> HeapLog:
    made = HeapLog()
    for nth in range(rounds):
        for step, (does, arguments, result) in enumerate(STEPS):
            made.returned(does, arguments, result, 10 * (3 * nth + step))
    return made


def test_reallocated_zeroed_aligned_and_refused_memory_is_counted() -> None:
    made = log()
    assert made.course == [(0, 100), (10, 60), (20, 0)] and made.blocks == {}
    made.returned(Allocates.CALLOC, (3, 7), 0x40, 30)
    made.returned(Allocates.ALIGNED, (64, 10), 0x80, 40)
    made.returned(Allocates.REALLOC, (0x40, 1000), 0, 50)  # which leaves it as it is
    made.returned(Allocates.REALLOC, (0x80, 0), 0, 60)  # which frees it
    made.returned(Allocates.FREE, (0x44, 0), 0, 70)
    made.returned(Allocates.FREE, (0, 0), 0, 80)
    assert made.course[3:] == [(30, 21), (40, 31), (60, 21)]
    assert (made.failed, made.unknown, made.calls) == (1, 1, 9)


def test_of_many_moments_the_highest_are_kept_and_the_last() -> None:
    made = log(rounds=1000)
    use = heap_use(made)
    assert 300 < len(use.course) <= 400 and use.course[-1] == made.course[-1]
    assert {in_use for _, in_use in use.course[:-1]} == {100}


def test_reports_show_the_course_and_the_file_keeps_it(tmp_path: Path) -> None:
    run = replace(PASSING, heap=heap_use(log()))
    results = Results((run,))
    save(results, tmp_path / "r.json")
    assert load(tmp_path / "r.json").runs[0].heap == run.heap
    write_html(results, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    (points,) = re.findall(r'<polyline class="p-line" points="([^"]+)"', page)
    assert points.split() == [
        "60.0,100.0",
        "60.0,100.0",
        "60.0,8.0",
        "390.0,8.0",
        "390.0,44.8",
        "720.0,44.8",
        "720.0,100.0",
    ]
    said = "At most 100 B on the heap at once, by 3 calls of the allocator; 0 B in 0 blocks left at the end"
    assert said in page and said in board_report(results, run.board)
