"""Boards as Renode platform descriptions: the board file's memories and clock, whatever the stock platform says."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import PAINT_AS_POINTER
from mcu_harness.emulator.renode.platform import empty_ranges, platform_for, why_not
from mcu_harness.emulator.renode.repl import quoted, read_entries
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import board_names, find_board

STOCK = """
// flash: Memory.MappedMemory @ sysbus 0x1
flash: Memory.MappedMemory @ sysbus 0x08000000 // "not a string
    size: 0x200000

/* sram: Memory.MappedMemory @ sysbus 0x2
    size: 0x40000 */
sram: Memory.MappedMemory @ sysbus <0x20000000, +0x40000>

bank: Memory.MappedMemory @ sysbus 0x60000000
    size: 0x10000000

boot_rom: Memory.MappedMemory @ sysbus 0x1FFF0000
    size: 0x1000
    init:
        WriteDoubleWord 0x0 0x12345678

option_bytes: Memory.MappedMemory @ sysbus 0x40023C00
    size: 0x400

controller: MTD.FlashController @ sysbus 0x40022000
    flash: flash

nvic: IRQControllers.NVIC @ sysbus 0xE000E000
    systickFrequency: 72000000
    IRQ -> cpu@0

cpu: CPU.CortexM @ sysbus
    cpuType: "cortex-m4"
    nvic: nvic

sysbus:
    init:
        ApplySVD @https://example.org/part.svd.gz
        Tag <0x40021000, 0x40021003> "RCC_CR" 0xFFFFFFFF
"""


@pytest.fixture
def board() -> Board:
    return replace(find_board("stm32f4_discovery"), renode_platform="part.repl")


def layered(board: Board, folder: Path, stock: str = STOCK) -> str:
    (folder / "part.repl").write_text(stock)
    return platform_for(board, folder, "1.15.3").description


def entries(text: str) -> dict[str, str]:
    """Entries of a description by name, blanks made single."""
    chunks = [chunk.strip() for chunk in text.split("\n\n") if chunk.strip()]
    return {chunk.split(":")[0]: " ".join(chunk.split()) for chunk in chunks}


def test_memories_become_the_boards(board: Board, tmp_path: Path) -> None:
    made = entries(layered(board, tmp_path))
    assert made["flash"] == "flash: @ { sysbus 0x08000000; sysbus 0x00000000 } size: 0x100000"
    assert made["sram"] == "sram: @ { sysbus 0x20000000 } size: 0x20000"
    assert made["bank"] == "bank: @ none"
    index = [memory.name for memory in board.memories].index("ccm")
    assert made[f"mcuMemory{index}"] == (
        f"mcuMemory{index}: Memory.MappedMemory @ {{ sysbus 0x10000000 }} size: 0x10000"
    )


def test_boot_roms_and_memories_that_play_devices_stay(board: Board, tmp_path: Path) -> None:
    made = entries(layered(board, tmp_path))
    assert "boot_rom" not in made
    assert "option_bytes" not in made


def test_clock_is_the_boards(board: Board, tmp_path: Path) -> None:
    assert entries(layered(board, tmp_path))["nvic"] == "nvic: systickFrequency: 168000000"


def test_nothing_is_downloaded_and_the_other_commands_stay(board: Board, tmp_path: Path) -> None:
    made = layered(board, tmp_path)
    assert "ApplySVD" not in made
    assert entries(made)["sysbus"] == 'sysbus: init: Tag <0x40021000, 0x40021003> "RCC_CR" 0xFFFFFFFF'
    only = STOCK.replace('        Tag <0x40021000, 0x40021003> "RCC_CR" 0xFFFFFFFF\n', "")
    assert entries(layered(board, tmp_path, only))["sysbus"] == "sysbus: init: UnhandledAccessBehaviour Report"


def test_platforms_that_build_on_others_are_read_with_them(board: Board, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/base.repl").write_text(STOCK)
    (tmp_path / "inner/middle.repl").write_text('using "./base.repl"\n')
    outer = 'using "inner/middle.repl"\n\nmore: Memory.MappedMemory @ sysbus 0x70000000\n    size: 0x1000\n'
    made = entries(layered(board, tmp_path, outer))
    assert made["flash"].endswith("size: 0x100000")
    assert made["more"] == "more: @ none"


def test_stock_platform_that_this_renode_does_not_have_is_an_error(board: Board, tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match=r"this Renode \(1\.16\.1\) has no part\.repl"):
        platform_for(board, tmp_path, "1.16.1")


def test_board_without_a_stock_platform_gets_a_small_one(tmp_path: Path) -> None:
    board = find_board("nucleo_l4r5zi")
    assert board.renode_platform == ""
    made = platform_for(board, tmp_path, "1.15.3")
    assert made.console == "sysbus.mcuConsole"
    found = entries(made.description)
    assert found["cpu"] == 'cpu: CPU.CortexM @ sysbus cpuType: "cortex-m4f" nvic: nvic'
    assert f"systickFrequency: {board.clock_hz}" in found["nvic"]
    assert f"sysbus {board.console.base:#x}" in found["mcuConsole"]
    sizes = {f"size: {memory.size:#x}" for memory in board.memories if not memory.alias_of}
    assert sizes <= {entry[entry.index("size:") :] for entry in found.values() if "MappedMemory" in entry}


def test_names_in_a_board_file_never_reach_the_description(tmp_path: Path) -> None:
    board = find_board("nucleo_l4r5zi")
    evil = '"; quit\n    init:\n        quit'
    memories = tuple(replace(memory, name=evil + memory.name) for memory in board.memories if not memory.alias_of)
    made = platform_for(replace(board, name=evil, title=evil, part=evil, memories=memories), tmp_path, "1.15.3")
    assert "quit" not in made.description


def test_path_of_the_stock_platform_is_quoted(tmp_path: Path, board: Board) -> None:
    folder = tmp_path / 'a "b" \\ c'
    folder.mkdir()
    first = layered(board, folder).splitlines()[0]
    assert first == f"using {quoted(str(folder / 'part.repl'))}"
    assert '\\"b\\"' in first


def test_driver_without_a_model_is_said_to_be_unsupported() -> None:
    board = find_board("nucleo_l4r5zi")
    unknown = replace(board, console=replace(board.console, driver="tin_can"))
    assert "'tin_can'" in why_not(unknown)
    assert "--emulator unicorn" in why_not(unknown)
    assert why_not(board) == ""


@pytest.mark.parametrize("name", board_names())
def test_addresses_are_memory_device_or_empty_and_never_two_of_them(name: str) -> None:
    board = find_board(name)
    ranges = empty_ranges(board)
    assert ranges == sorted(ranges) and all(start < end for start, end in ranges)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ranges))
    assert ranges[-1][1] == 1 << 32
    for memory in board.memories:
        assert all(end <= memory.origin or memory.end <= start for start, end in ranges)
    for register in (board.console.base, 0x40000000, 0xA0000000, 0xDFFFFFFC, 0xE000ED08):
        assert not any(start <= register < end for start, end in ranges)
    edges = {edge for area in ranges for edge in area}
    assert edges - {0, 1 << 32} <= {
        *(edge for memory in board.memories for edge in (memory.origin, memory.end)),
        *(0x40000000, 0x60000000, 0xA0000000, 0xE0100000, *PAINT_AS_POINTER),
        *((step.address & -0x400) + edge for step in board.console.enable for edge in (0, 0x400)),
    }


def test_entries_know_where_they_are_and_how_large(tmp_path: Path) -> None:
    (tmp_path / "part.repl").write_text(STOCK)
    found = {entry.name: entry for entry in read_entries(tmp_path / "part.repl", tmp_path)}
    assert (found["flash"].places, found["flash"].size) == ((0x08000000,), 0x200000)
    assert (found["sram"].places, found["sram"].size) == ((0x20000000,), 0x40000)
    assert found["boot_rom"].init == ("WriteDoubleWord 0x0 0x12345678",)
    assert found["cpu"].init == ()


def test_device_that_is_registered_in_several_places_is_in_each_of_them(tmp_path: Path) -> None:
    path = tmp_path / "part.repl"
    region = 'sysbus new Bus.BusMultiRegistration { address: 0x1FFFC000; size: 0x100; region: "optionBytes" }'
    path.write_text(f"controller: MTD.Controller @ {{\n    sysbus 0x40023C00;\n    {region}\n}}\n    flash: flash\n")
    (entry,) = read_entries(path, tmp_path)
    assert entry.places == (0x40023C00, 0x1FFFC000)
