"""What-ifs: how they are read, which board they mean, and what moved code costs, counted by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from test_cycles import cycles

from mcu_harness.analysis.what_if.questions import ask, parse
from mcu_harness.analysis.what_if.spec import Change, Move
from mcu_harness.analysis.what_if.variant import seen_by_caches, variant
from mcu_harness.base.errors import ScenarioError
from mcu_harness.hardware.board import Board, Moved
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.footprint import RegionUse
from mcu_harness.image.program import Symbol
from mcu_harness.results import results_file as results_json
from mcu_harness.results.records import Results, WhatIf
from mcu_harness.results.report import markdown, what_if_section
from mcu_harness.results.report.html.page import page
from sample_boards import FLASH, SRAM, board, memory
from sample_results import HOSTILE, PASSING
from thumb_code import NOP, CodeMemory

L4R5 = find_board("nucleo_l4r5zi")
F746 = find_board("stm32f746g_disco")


def on(original: Board, text: str) -> Board:
    (question,) = parse([text], original)
    return variant(original, question)[0]


def firmware_with(*symbols: Symbol, used: int = 0):  # type: ignore[no-untyped-def]
    """Firmware of which nothing but its symbols is known; all of it lies in flash, `used` bytes of RAM are taken."""
    regions = (RegionUse("flash", "flash", 4096, 64 << 10), RegionUse("sram", "ram", used, 16 << 10))
    return SimpleNamespace(
        program=SimpleNamespace(symbols=symbols, segments=(), code_ranges=()),
        code_regions=(),
        footprint=SimpleNamespace(regions=regions),
    )


# Reading.


def test_several_changes_in_one_question() -> None:
    (question,) = parse(["clock = 80 MHz, flash_wait_states=3, sram=layer_04+weights*"], L4R5)
    assert question.clock_hz == 80_000_000
    assert question.changes == (Change("flash", "wait_states", 3),)
    assert question.moves == (Move("sram", "layer_04"), Move("sram", "weights*"))
    assert parse(["flash_cache=none", "flash_cache_size=8KiB"], L4R5)[1].changes == (
        Change("flash", "cache_size", 8192),
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("flash_wait_state=3", "has no 'flash_wait_state'", "flash_wait_states"),
        ("flsh=layer_04", "has no 'flsh'", "flash"),
        ("flash_boot_wait_states=3", "has no 'flash_boot_wait_states'", "known here"),  # an alias
        ("sram=layer_00+", "cannot read", "layer_00"),
        ("clock", "cannot read 'clock'", "KEY=VALUE"),
        ("clock=", "cannot read", "KEY=VALUE"),
        ("clock=0", "above 0", ""),
        ("clock=fast", "expected a frequency", "MHz"),
        ("flash_wait_states=-1", "not a whole number", ""),
        ("flash_wait_states=1e30", "at most", ""),
        ("flash_cache=arts", "cannot be 'arts'", "art"),
        ("flash_cache_size=9 KiBi", "unknown unit", "KiB"),
        ("clock=1MHz,clock=2MHz", "said twice", ""),
        ("", "cannot read ''", "KEY=VALUE"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(text: str, message: str, hint: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        parse([text], L4R5)
    assert hint in caught.value.hint


# The board that is meant.


def test_the_clock_changes_nothing_else() -> None:
    changed = on(L4R5, "clock=80MHz")
    assert changed == replace(L4R5, clock_hz=80_000_000)
    assert seen_by_caches(changed) == seen_by_caches(L4R5)


def test_a_measured_line_takes_the_other_wait_states_in_each_of_its_reads() -> None:
    flash = on(L4R5, "flash_wait_states=3").memory("flash")  # 32 B lines by reads of 8 B
    assert flash.wait_states == 3
    assert flash.code_miss_cycles == pytest.approx(15.7 - 4 * 2)
    assert flash.data_miss_cycles == pytest.approx(14.8 - 4 * 2)
    assert on(L4R5, "flash_wait_states=0").memory("flash").code_miss_cycles is None
    assert on(L4R5, "flash_wait_states=5") == L4R5
    uncached = on(L4R5, "flash_cache=none").memory("flash")
    assert (uncached.code_miss_cycles, uncached.data_miss_cycles) == (None, 14.8), "the ART has another cache for data"


def test_what_was_measured_of_one_cache_says_nothing_of_another_kind() -> None:
    flash = on(L4R5, "flash_cache=nvm-cache").memory("flash")  # code and data share it
    assert (flash.code_miss_cycles, flash.data_miss_cycles) == (None, None)
    longer = on(L4R5, "flash_cache_line=64B").memory("flash")
    assert (longer.code_miss_cycles, longer.data_miss_cycles) == (None, None)


def test_a_cache_of_the_cortex_m7_is_one_for_all_memories() -> None:
    changed = on(F746, "flash_data_cache_size=16KiB")
    assert {m.data_cache_bytes for m in changed.memories if m.data_cache_bytes} == {16 << 10}
    assert changed.memory("dtcm") == F746.memory("dtcm")
    alone = on(F746, "flash_data_cache_size=0")
    assert alone.memory("sram") == F746.memory("sram")


def test_impossible_caches_are_refused() -> None:
    with pytest.raises(ScenarioError, match="how large"):
        on(board(), "flash_cache=art")
    with pytest.raises(ScenarioError, match="whole number of lines"):
        on(L4R5, "flash_cache_size=100B")
    with pytest.raises(ScenarioError, match="power of two"):
        on(L4R5, "flash_cache_line=24B")


# What is moved.


def test_moved_code_waits_as_where_it_is_moved_to() -> None:
    code = CodeMemory()
    code.put(FLASH + 0x100, NOP * 16)  # four lines
    slow = replace(board("cortex-m0+").memories[0], wait_states=2, fetch_bytes=8)
    here = replace(board("cortex-m0+"), memories=(slow, *board().memories[1:]))
    half = replace(here, moved=(Moved(FLASH + 0x110, FLASH + 0x120, "sram"),))
    assert cycles(here, code, [(FLASH + 0x100, 32)]) == 16 + 4 * 2
    assert cycles(half, code, [(FLASH + 0x100, 32)]) == 16 + 2 * 2
    whole = replace(here, moved=(Moved(FLASH + 0x100, FLASH + 0x120, "sram"),))
    assert cycles(whole, code, [(FLASH + 0x100, 32)]) == 16


def test_what_is_moved_is_found_and_counted() -> None:
    table = Symbol("table", FLASH + 0x400, 256, "object", ".text")
    other = Symbol("tail", FLASH + 0x500, 64, "object", ".text")
    (asked,) = ask(parse(["sram=ta*"], board()), firmware_with(table, other), board())
    assert asked.board.moved == (Moved(FLASH + 0x400, FLASH + 0x540, "sram"),)
    assert asked.changes == ("ta*: 320 B in sram",)
    (ranged,) = ask(parse([f"sram={FLASH:#x}-{FLASH + 16:#x}"], board()), firmware_with(), board())
    assert ranged.board.moved == (Moved(FLASH, FLASH + 16, "sram"),)


@pytest.mark.parametrize(
    ("what", "message", "hint"),
    [
        ("tabel", "no layer, function or variable is called 'tabel'", "did you mean 'table'"),
        ("layer_07", "is called 'layer_07'", "known here"),
        ("code:table", "is called 'table'", ""),
        (f"{FLASH + 16:#x}-{FLASH:#x}", "range is empty", "lower address first"),
        ("0x10-0x20", "no memory of sample holds", ""),
        (f"{FLASH:#x}-{FLASH + (20 << 10):#x}", "do not fit into sram", "move less"),
    ],
)
def test_what_cannot_be_moved_is_one_clear_error(what: str, message: str, hint: str) -> None:
    made = firmware_with(Symbol("table", FLASH + 0x400, 256, "object", ".text"))
    with pytest.raises(ScenarioError, match=message) as caught:
        ask(parse([f"sram={what}"], board()), made, board())
    assert hint in caught.value.hint


def test_room_counts_what_lies_there_and_what_leaves() -> None:
    table = Symbol("table", FLASH + 0x400, 256, "object", ".text")
    buffer = Symbol("buffer", SRAM, 512, "object", ".bss")
    full = (16 << 10) - 255
    with pytest.raises(ScenarioError, match="1 B are missing"):
        ask(parse(["sram=table"], board()), firmware_with(table, buffer, used=full), board())
    roomy = replace(board(), memories=(*board().memories, memory("dtcm", "ram", 0x1000_0000, 1024)))
    (asked,) = ask(parse(["sram=table,dtcm=buffer"], roomy), firmware_with(table, buffer, used=full), roomy)
    assert {moved.memory for moved in asked.board.moved} == {"sram", "dtcm"}
    with pytest.raises(ScenarioError, match=r"into (sram|dtcm) and into (sram|dtcm)"):
        ask(parse(["sram=table,dtcm=table"], roomy), firmware_with(table), roomy)


# Reports.


def answer(name: str = "flash_wait_states=3") -> WhatIf:
    cycles = (20_000.0, 14.0, None)
    return WhatIf(name, ("flash: 5 -> 3",), 84_000_000, 20_000.0, 20_000 / 84e6, None, cycles, "estimated")


def test_reports_show_the_differences_per_layer() -> None:
    run = replace(PASSING, what_ifs=(answer(),))
    titles, rows = what_if_section.table(run)
    assert titles == ["", "this run", "flash_wait_states=3"]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["cycles"] == ["26,514", "20,000 (-24.6 %)"]
    assert by_name["clock"] == ["168 MHz", "84 MHz"]
    assert by_name["00 CONV_2D"] == ["26,000", "20,000 (-23.1 %)"]
    assert by_name["01 RESHAPE"] == ["14", "14 (same)"]
    assert by_name["02 SOFTMAX"] == ["", ""]
    assert "### What if" in markdown.board_report(Results((run,)), run.board)
    assert "### What if" not in markdown.board_report(Results((PASSING,)), run.board)


def test_names_of_what_ifs_are_harmless_in_reports() -> None:
    text = markdown.board_report(Results((replace(PASSING, what_ifs=(answer(HOSTILE),)),)), PASSING.board)
    assert "<script>" not in text.partition("### What if")[2].partition("### Memory")[0].replace("\\<script\\>", "")


def test_the_page_shows_what_ifs_with_their_names_escaped() -> None:
    text = page(Results((replace(PASSING, what_ifs=(answer(), answer(HOSTILE))),)))
    own = text[: text.index('<script type="application/json" id="names">')]
    assert "<h3>What if</h3>" in own and "20,000 (-24.6 %)" in own and "flash: 5 -&gt; 3" in own
    assert "<script>alert" not in own
    assert "<h3>What if</h3>" not in page(Results((PASSING,)))


def test_results_keep_what_ifs_and_older_ones_have_none() -> None:
    results = Results((replace(PASSING, what_ifs=(answer(),)),))
    text = results_json.to_text(results)
    assert results_json.from_plain(json.loads(text), "here") == results
    plain = json.loads(text)
    del plain["runs"][0]["what_ifs"]
    assert results_json.from_plain(plain, "here").runs[0].what_ifs == ()
