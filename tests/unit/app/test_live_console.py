"""The console of a live board: what waits for more text, and what was said when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcu_harness.app.live.console import Console, Consoles, Pattern
from mcu_harness.app.live.timeline import Timeline


@pytest.mark.parametrize("pattern", [r"(\d+)", r"a*", r"x{2,}", r"one|two", r"from .* to", r"(\w+)?", r"((\d+))"])
def test_matches_that_more_text_could_make_longer(pattern: str) -> None:
    assert Pattern(pattern).can_grow


@pytest.mark.parametrize(
    "pattern", ["done", r"(\d+) ms", r"[^\n]*\n", r"ready.*\n", "line.*\n", r"1\+", r"(\d+)\)", r"a+b"]
)
def test_matches_that_are_what_they_are(pattern: str) -> None:
    assert not Pattern(pattern).can_grow


def test_what_was_matched_is_done_with_also_in_bytes_that_are_no_text() -> None:
    console = Console()
    console.heard(b"\xff\xe9 one \xc3\xa9 two", 5)
    found = console.match(Pattern("é"))
    assert found is not None
    console.take(Pattern("é"))
    assert console.pending == b" two"
    assert console.match(Pattern("one")) is None


def test_lines_of_the_transcript_have_the_time_of_their_first_byte_and_name_the_uart_where_there_are_several() -> None:
    consoles = Consoles("usart2")
    for nth, byte in enumerate(b"ab\ncd"):
        consoles[""].heard(bytes([byte]), 1000 * nth)
    consoles[""].sent(b"go\n", 7000)
    lines = [["0.000", "ms", "<", "ab"], ["3.000", "ms", "<", "cd"], ["7.000", "ms", ">", "go"]]
    assert [line.split(maxsplit=3) for line in consoles.transcript(1_000_000)] == lines
    consoles["usart1"].heard(b"on time", 5000)
    lines = [[*line[:2], "usart2", *line[2:]] for line in lines]
    lines.insert(2, ["5.000", "ms", "usart1", "<", "on time"])
    assert [line.split(maxsplit=4) for line in consoles.transcript(1_000_000)] == lines


def test_a_timeline_has_a_track_for_each_uart(tmp_path: Path) -> None:
    consoles = Consoles("usart2")
    consoles[""].heard(b"early\n", 1)
    consoles["usart1"].heard(b"one\n", 30)
    consoles[""].sent(b"go", 20)
    Timeline({}, 1_000_000).write(tmp_path / "t.json", 40, consoles.said_since(5))
    events = json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    tracks = {event["tid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
    said = [(tracks[event["tid"]], event["name"], event["ts"]) for event in events if event["ph"] == "i"]
    assert said == [("usart2", "> go", 20.0), ("usart1", "< one", 30.0)]


def test_a_rewound_console_forgets_what_came_after() -> None:
    console = Console()
    console.heard(b"one two", 1)
    console.take(Pattern("one"))
    position = console.position
    console.heard(b" three", 2)
    console.take(Pattern("two"))
    console.rewind(position)
    assert (console.bytes, console.pending) == (b"one two", b" two")


def test_the_end_of_a_line_that_something_was_sent_in_is_no_line_of_its_own() -> None:
    consoles = Consoles("usart2")
    for at, sent, data in (
        (0, False, b"ready"),
        (10, True, b"go\n"),
        (20, False, b"\r\n"),
        (30, False, b"\n"),
        (40, False, b"done\n"),
    ):
        (consoles[""].sent if sent else consoles[""].heard)(data, at)
    lines = [line.split("ms  ")[1] for line in consoles.transcript(1_000_000)]
    assert lines == ["< ready", "> go", "< ", "< done"]  # the empty line that the firmware wrote stays


def test_a_flood_without_lines_is_cut_in_the_transcript_and_whole_in_the_text() -> None:
    console = Console()
    for nth in range(5000):
        console.heard(b"x", nth)
    assert len(console.bytes) == 5000
    assert [len(said.data) for said in console.said] == [1024, 1024, 1024, 1024, 904]
    assert [said.at for said in console.said] == [0, 1024, 2048, 3072, 4096]


def test_what_is_waited_for_is_found_in_the_latest_of_a_flood() -> None:
    console = Console()
    console.heard(b"done" + b"x" * 10_000, 0)
    console.want(Pattern("done"))
    assert not console.heard(b"y", 1)  # far behind: `match` has looked there already
    assert console.heard(b"done", 2)
