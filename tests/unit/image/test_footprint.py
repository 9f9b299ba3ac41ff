from __future__ import annotations

from pathlib import Path

import pytest

from elf_builder import FUNC, OBJECT, ElfBuilder, R, W, X, constants, data, ordinary, text, zeros
from mcu_harness.hardware.board import Board
from mcu_harness.image.footprint import Footprint, read_footprint
from mcu_harness.image.program import read_program
from sample_boards import FLASH, SRAM, board, memory


def measured(builder: ElfBuilder, tmp_path: Path, on: Board | None = None, **options: bool) -> Footprint:
    return read_footprint(read_program(builder.write(tmp_path / "image.elf", **options)), on or board())


def used(footprint: Footprint) -> dict[str, int]:
    return {region.region: region.used for region in footprint.regions}


def symbol_bytes(footprint: Footprint) -> dict[str, tuple[int, int]]:
    return {symbol.name: (symbol.flash_bytes, symbol.ram_bytes) for symbol in footprint.symbols}


def test_initial_data_counts_in_flash_and_in_ram(tmp_path: Path) -> None:
    footprint = measured(ordinary(), tmp_path)
    assert (footprint.flash_bytes, footprint.ram_bytes) == (0x70, 0x110)
    assert used(footprint) == {"flash": 0x70, "sram": 0x110}
    row = next(section for section in footprint.sections if section.name == ".data")
    assert (row.region, row.load_region, row.flash_bytes, row.ram_bytes) == ("sram", "flash", 0x10, 0x10)
    assert footprint.outside == ()


def test_every_byte_belongs_to_a_symbol_or_is_named_unattributed(tmp_path: Path) -> None:
    footprint = measured(ordinary(), tmp_path)
    assert symbol_bytes(footprint) == {
        "reset": (0x10, 0),
        "mcu_layer_03_conv": (0x20, 0),
        "assembled": (0x10, 0),
        "mcu_layer_03_weights": (0x18, 0),
        "(unattributed .rodata)": (8, 0),
        "counter": (4, 4),
        "(unattributed .data)": (12, 12),
        "arena": (0, 0x80),
        "(unattributed .bss)": (0, 0x80),
    }


def test_layers_are_known_by_the_prefix_of_their_symbols(tmp_path: Path) -> None:
    footprint = measured(ordinary(), tmp_path)
    assert footprint.layer_flash_bytes(3) == 0x20 + 0x18
    assert footprint.layer_flash_bytes(0) == 0


def test_names_of_one_address_share_its_bytes_once(tmp_path: Path) -> None:
    builder = ordinary()
    builder.symbol("reset_again", 0x0800_0001, 0x10, FUNC)
    builder.symbol("inside", 0x0800_0005, 4, FUNC)
    rows = symbol_bytes(measured(builder, tmp_path))
    assert rows["reset"] == (0x10, 0)
    assert "reset_again" not in rows and "inside" not in rows


def test_sections_are_placed_by_address_whatever_they_are_called(tmp_path: Path) -> None:
    builder = ElfBuilder()
    builder.segment(FLASH, None, R | X, text(FLASH, 0x20, ".bss"), constants(FLASH + 0x20, 0x10, ".data"))
    builder.segment(SRAM, None, R | W, zeros(SRAM, 0x40, ".text"))
    footprint = measured(builder, tmp_path)
    assert (footprint.flash_bytes, footprint.ram_bytes) == (0x30, 0x40)


def test_code_that_runs_from_ram_takes_flash_and_ram(tmp_path: Path) -> None:
    builder = ordinary()
    builder.segment(SRAM + 0x1000, FLASH + 0x1000, R | W | X, text(SRAM + 0x1000, 0x40, ".ramfunc"))
    footprint = measured(builder, tmp_path)
    assert (footprint.flash_bytes, footprint.ram_bytes) == (0x70 + 0x40, 0x110 + 0x40)
    assert used(footprint) == {"flash": 0x70 + 0x40, "sram": 0x110 + 0x40}


def test_an_image_that_is_loaded_straight_into_ram_takes_its_bytes_there_once(tmp_path: Path) -> None:
    builder = ElfBuilder()
    builder.segment(SRAM, None, R | W | X, text(SRAM, 0x40))
    footprint = measured(builder, tmp_path)
    assert used(footprint) == {"flash": 0, "sram": 0x40}
    assert (footprint.flash_bytes, footprint.ram_bytes) == (0x40, 0x40)


def test_padding_between_sections_is_a_row_of_its_own(tmp_path: Path) -> None:
    builder = ElfBuilder()
    builder.segment(FLASH, None, R | X, text(FLASH, 0x1E), constants(FLASH + 0x20, 0x10))
    footprint = measured(builder, tmp_path)
    assert footprint.flash_bytes == 0x30
    assert symbol_bytes(footprint)["(padding)"] == (2, 0)
    assert sum(row.flash_bytes for row in footprint.sections if row.name != "(padding)") == 0x2E


def test_an_alias_counts_for_the_memory_that_it_shows(tmp_path: Path) -> None:
    mapped = board(
        memories=(
            memory("flash", "flash", FLASH, 1 << 16),
            memory("sram", "ram", SRAM, 1 << 14),
            memory("flash_boot", "flash", 0, 1 << 16, alias_of="flash"),
        )
    )
    builder = ElfBuilder()
    builder.segment(0, None, R | X, text(0, 0x40))
    footprint = measured(builder, tmp_path, mapped)
    assert used(footprint) == {"flash": 0x40, "sram": 0}
    assert footprint.outside == ()


def test_a_section_across_two_adjoining_memories_is_split_between_them(tmp_path: Path) -> None:
    two = board(
        memories=(
            memory("flash", "flash", FLASH, 1 << 16),
            memory("sram", "ram", SRAM, 0x1000),
            memory("sram2", "ram", SRAM + 0x1000, 0x1000),
        )
    )
    builder = ordinary()
    builder.segment(SRAM + 0x800, None, R | W, zeros(SRAM + 0x800, 0x1000, ".big"))
    assert used(measured(builder, tmp_path, two)) == {"flash": 0x70, "sram": 0x910, "sram2": 0x800}


@pytest.mark.parametrize(("size", "over"), [(0xFEF0, 0), (0xFEF1, 1), (0x1_0000, 0x110)])
def test_what_does_not_fit_is_used_beyond_capacity_by_as_many_bytes(size: int, over: int, tmp_path: Path) -> None:
    tight = board(memories=(memory("flash", "flash", FLASH, 1 << 16), memory("sram", "ram", SRAM, 1 << 16)))
    builder = ordinary()
    builder.segment(SRAM + 0x110, None, R | W, zeros(SRAM + 0x110, size, ".big"))
    footprint = measured(builder, tmp_path, tight)
    ram = next(region for region in footprint.regions if region.region == "sram")
    assert ram.used - ram.capacity == over
    assert footprint.outside == ()


def test_sections_that_begin_behind_a_full_memory_count_for_it(tmp_path: Path) -> None:
    tight = board(memories=(memory("flash", "flash", FLASH, 0x50), memory("sram", "ram", SRAM, 1 << 14)))
    footprint = measured(ordinary(), tmp_path, tight)
    assert used(footprint)["flash"] == 0x70, ".rodata goes beyond the end, and .data's initial bytes lie behind it"
    assert footprint.outside == ()


def test_room_before_a_shifted_image_is_taken_when_it_does_not_fit(tmp_path: Path) -> None:
    booted = board(memories=(memory("flash", "flash", FLASH - 0x1000, 0x1050), memory("sram", "ram", SRAM, 1 << 14)))
    assert used(measured(ordinary(), tmp_path, booted))["flash"] == 0x1070


def test_what_lies_in_no_memory_is_listed(tmp_path: Path) -> None:
    builder = ordinary()
    builder.segment(0x6000_0000, None, R | W, zeros(0x6000_0000, 0x40, ".sdram"))
    footprint = measured(builder, tmp_path)
    assert footprint.outside == (".sdram",)
    assert footprint.ram_bytes == 0x150
    assert used(footprint) == {"flash": 0x70, "sram": 0x110}


def test_totals_do_not_depend_on_symbols_or_section_headers(tmp_path: Path) -> None:
    whole = measured(ordinary(), tmp_path)
    for options in ({"symbols": False}, {"sections": False}):
        bare = measured(ordinary(), tmp_path, **options)
        assert (bare.flash_bytes, bare.ram_bytes, bare.regions) == (whole.flash_bytes, whole.ram_bytes, whole.regions)


def test_zero_data_that_is_stored_in_the_file_counts_in_flash(tmp_path: Path) -> None:
    builder = ElfBuilder()
    builder.segment(SRAM, FLASH, R | W, data(SRAM, 0x10), data(SRAM + 0x10, 0x20, ".bss"))
    builder.symbol("zeros", SRAM + 0x10, 0x20, OBJECT)
    footprint = measured(builder, tmp_path)
    assert (footprint.flash_bytes, footprint.ram_bytes) == (0x30, 0x30)
    assert symbol_bytes(footprint)["zeros"] == (0x20, 0x20)
