"""Tasks of an RTOS in timelines of live boards, by what their kernels keep of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from task_firmware import STRUCTURES, firmware

from live_boards import live_board

pytestmark = pytest.mark.gnu

TASKS = """
volatile uint32_t steps;
__attribute__((noinline)) void work(uint32_t n) { for (uint32_t i = 0; i < n; i++) steps++; }
void first(void) { for (int i = 0; i < 3; i++) { work(1000); yield(); } finish(); }
void second(void) { for (int i = 0; i < 3; i++) { work(200); yield(); } finish(); }
"""


@pytest.mark.parametrize("rtos", [name for name in STRUCTURES if name])
def test_a_timeline_names_the_task_that_runs(tmp_path: Path, rtos: str) -> None:
    path = tmp_path / "trace.json"
    with live_board(firmware(tmp_path, TASKS, rtos=rtos)) as board:
        board.run_until("main")
        with board.timeline(path, ["wor*"]):
            board.run_until("stop", timeout="10 ms")
    events = json.loads(path.read_text())["traceEvents"]
    tracks = {event["args"]["name"]: event["tid"] for event in events if event["ph"] == "M"}
    tasks = [event for event in events if event["tid"] == tracks["tasks"] and event["ph"] in "BE"]
    begun, ended = tasks[::2], tasks[1::2]
    names = [event["name"] for event in begun]
    assert names[:6] == ["sensor", "logger"] * 3
    assert [event["name"] for event in ended] == names
    assert [event["ts"] for event in ended][:-1] == [event["ts"] for event in begun][1:]
    # What each did lies in its own slice, and takes as long as it is asked to do.
    for slice_, end in zip(begun[:6], ended, strict=False):
        work = [e for e in events if e["ph"] == "B" and e["name"] == "work" and slice_["ts"] <= e["ts"] < end["ts"]]
        assert len(work) == 1
    lengths = [end["ts"] - begin["ts"] for begin, end in zip(begun, ended, strict=True)][1:5]
    assert lengths[1] > 4 * lengths[0] and lengths[3] > 4 * lengths[2]


def test_firmware_without_an_rtos_has_no_track_for_tasks(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    with live_board(firmware(tmp_path, TASKS)) as board, board.timeline(path, ["work"]):
        board.run_until("stop", timeout="10 ms")
    events = json.loads(path.read_text())["traceEvents"]
    assert [event["args"]["name"] for event in events if event["ph"] == "M"] == ["functions"]
