"""How reports show the way to the deepest point of the stack."""

from __future__ import annotations

from dataclasses import replace

from mcu_harness.results import results_file
from mcu_harness.results.memory_records import StackArea, StackStep, StackUse, TaskStackUse
from mcu_harness.results.origin import OriginKind
from mcu_harness.results.records import Measurement, Results, RunResult
from mcu_harness.results.report import markdown, terminal
from mcu_harness.results.report.html.page import page
from sample_results import HOSTILE, PASSING

PATH = (StackStep("mcu_reset", 8), StackStep("main", 1200), StackStep(HOSTILE, 24))
DEEPER = (StackStep("mcu_reset", 8), StackStep("never_called", 4000))
USE = StackUse(PATH, 1232, "equal to the painted mark", DEEPER, 4008, (f"{HOSTILE} calls through a pointer",), HOSTILE)


def run(use: StackUse | None = USE) -> RunResult:
    figures = {
        **PASSING.measurements,
        "stack_hwm_bytes": Measurement("stack_hwm_bytes", 1232, "B", "painted and scanned", OriginKind.SCANNED),
        "stack_margin_bytes": Measurement("stack_margin_bytes", 6960, "B", "painted and scanned", OriginKind.SCANNED),
        "stack_static_bytes": Measurement("stack_static_bytes", 4008, "B", "computed: at least", OriginKind.COMPUTED),
    }
    return replace(PASSING, stack=use, measurements=figures, stack_area=StackArea(0x2000_0000, 0x2000_2000))


def test_the_terminal_shows_paths_with_v() -> None:
    text = terminal.failure_text(run(), 1)
    assert "Deepest call path: 1,232 B, equal to the painted mark\n  mcu_reset 8 > main 1,200 > " in text
    assert "Static worst case, without exceptions: at least 4,008 B\n  mcu_reset 8 > never_called 4,000" in text
    assert "calls through a pointer" in text and "Never touched: 6,960 B, down to " in text
    assert "Deepest" not in terminal.failure_text(run(), 0)
    assert "Deepest" not in terminal.failure_text(run(None), 2)


def test_markdown_has_a_table_of_the_path() -> None:
    text = markdown.board_report(Results((run(),)), "board_a")
    section = text[text.index("### Stack") : text.index("### Functions")]
    rows = [line.split("|")[1:4] for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in row] for row in rows]
    assert cells[:2] == [["`mcu_reset`", "8", "8"], ["`main`", "1,200", "1,208"]]
    assert cells[2][1:] == ["24", "1,232"] and cells[-1] == ["`never_called`", "4,000", "4,008"]
    assert "at least 4,008 B" in section and "- not in it: \\<script\\>" in section
    assert "stack, static worst case" in text
    assert "### Stack" not in markdown.board_report(Results((run(None),)), "board_a")


def test_html_has_both_paths_and_escapes_names() -> None:
    text = page(Results((run(),)))
    assert "Deepest call path: 1,232 B, equal to the painted mark." in text
    assert "<code>never_called</code>" in text and "at least 4,008 B" in text
    assert "<script>alert(1)" not in text and "&lt;script&gt;alert(1)" in text


def test_the_same_path_is_shown_once() -> None:
    same = replace(USE, static_path=PATH, static_bytes=1232, open_ends=())
    text = terminal.failure_text(run(same), 1)
    assert "Static worst case, without exceptions: 1,232 B (the path above)" in text
    assert text.count("main 1,200") == 1


TASKS = (TaskStackUse("idle_stack", 152, 1024), TaskStackUse(HOSTILE, 2040, None))


def test_stacks_of_tasks_are_in_every_report() -> None:
    with_tasks = run(replace(USE, tasks=TASKS))
    text = terminal.failure_text(with_tasks, 1)
    assert "Stack of a task, idle_stack: 152 of 1,024 B\n" in text and ": 2,040 B\n" in text
    assert "Stack of a task" not in terminal.failure_text(run(), 2)
    section = markdown.board_report(Results((with_tasks,)), "board_a")
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in section.splitlines() if "|" in line]
    assert ["`idle_stack`", "152", "1,024"] in cells
    assert ["2,040", ""] in [row[1:] for row in cells]
    html = page(Results((with_tasks,)))
    assert "<code>idle_stack</code>" in html and "2,040" in html and "<script>alert(1)" not in html
    alone = replace(USE, path=(), static_path=(), open_ends=(), tasks=TASKS)
    assert "idle_stack" in markdown.board_report(Results((run(alone),)), "board_a")


def test_json_keeps_it() -> None:
    import json as standard

    for use in (USE, replace(USE, tasks=TASKS)):
        written = results_file.to_text(Results((run(use),)))
        assert results_file.from_plain(standard.loads(written), "x").runs[0].stack == use


def test_results_from_before_there_were_tasks_have_none() -> None:
    import json as standard

    old = standard.loads(results_file.to_text(Results((run(),))))
    del old["runs"][0]["stack"]["tasks"]
    assert results_file.from_plain(old, "x").runs[0].stack == USE
