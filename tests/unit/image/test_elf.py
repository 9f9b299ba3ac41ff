from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from elf_builder import (
    ABSOLUTE,
    EXEC,
    FUNC,
    GLOBAL,
    LOCAL,
    NOTYPE,
    OBJECT,
    ElfBuilder,
    R,
    SectionSpec,
    W,
    X,
    data,
    ordinary,
    text,
    zeros,
)
from mcu_harness.base.errors import ElfError
from mcu_harness.image.footprint import read_footprint
from mcu_harness.image.program import Program, read_program
from mcu_harness.image.symbol_names import matching
from sample_boards import board as sample_board
from sample_boards import memory


def read(builder: ElfBuilder, tmp_path: Path, **options: bool) -> Program:
    return read_program(builder.write(tmp_path / "image.elf", **options))


def code_only(*symbols: tuple[str, int, int, int, int]) -> ElfBuilder:
    """0x100 bytes of code at 0x1000 with `symbols` (name, value, size, kind, bind)."""
    builder = ElfBuilder(entry=0x1001)
    builder.segment(0x1000, None, R | X, text(0x1000, 0x100))
    for name, value, size, kind, bind in symbols:
        builder.symbol(name, value, size, kind, bind)
    return builder


def name_at(program: Program, address: int) -> str | None:
    function = program.function_at(address)
    return function.name if function else None


def test_segments_sections_and_entry_are_read(tmp_path: Path) -> None:
    program = read(ordinary(), tmp_path)
    assert program.entry == 0x0800_0000
    assert [(s.address, s.load_address, len(s.data), s.memory_size) for s in program.segments] == [
        (0x0800_0000, 0x0800_0000, 0x60, 0x60),
        (0x2000_0000, 0x0800_0060, 0x10, 0x10),
        (0x2000_0010, 0x2000_0010, 0, 0x100),
    ]
    assert [(s.name, s.load_address, s.size, s.in_file) for s in program.sections] == [
        (".text", 0x0800_0000, 0x40, True),
        (".rodata", 0x0800_0040, 0x20, True),
        (".data", 0x0800_0060, 0x10, True),
        (".bss", 0x2000_0010, 0x100, False),
    ]
    assert [s.executable for s in program.segments] == [True, False, False]
    assert [s.writable for s in program.segments] == [False, True, True]


def test_bytes_are_found_where_they_run_and_where_they_are_loaded(tmp_path: Path) -> None:
    program = read(ordinary(), tmp_path)
    data = program.segments[1].data
    assert len(data) == 0x10
    assert program.bytes_at(0x2000_0004, 8) == program.loaded_bytes(0x0800_0064, 8) == data[4:12]
    assert program.bytes_at(0x2000_000E, 8) == data[14:]  # no further than the segment
    assert program.word_at(0x2000_0000) == program.loaded_word(0x0800_0060) == int.from_bytes(data[:4], "little")
    assert (program.word_at(0x0800_0060), program.loaded_word(0x2000_0000)) == (None, None)
    assert (program.word_at(0x2000_000E), program.bytes_at(0x2000_0010, 4), program.bytes_at(0, 4)) == (None, b"", b"")


def test_a_function_symbol_loses_its_thumb_bit(tmp_path: Path) -> None:
    assert read(ordinary(), tmp_path).symbol("reset").address == 0x0800_0000


def test_an_absolute_symbol_can_be_asked_for(tmp_path: Path) -> None:
    symbol = read(ordinary(), tmp_path).symbol("__stack_top")
    assert (symbol.address, symbol.section) == (0x2000_4000, "")


def test_a_missing_symbol_is_an_error_with_near_names(tmp_path: Path) -> None:
    with pytest.raises(ElfError, match=r"no symbol is called 'arenas'.*\n.*'arena'"):
        read(ordinary(), tmp_path).symbol("arenas")


def test_function_at_knows_both_ends_of_a_function(tmp_path: Path) -> None:
    program = read(ordinary(), tmp_path)
    assert [name_at(program, 0x0800_0000 + offset) for offset in (0, 0xF, 0x10, 0x2F)] == [
        "reset", "reset", "mcu_layer_03_conv", "mcu_layer_03_conv",
    ]  # fmt: skip
    assert name_at(program, 0x07FF_FFFF) is None
    assert name_at(program, 0x2000_0000) is None, "an object is no function"


def test_a_function_without_a_size_reaches_to_the_next_symbol_or_the_end_of_its_section(tmp_path: Path) -> None:
    program = read(code_only(("first", 0x1001, 0, FUNC, 1), ("last", 0x1041, 0, FUNC, 1)), tmp_path)
    assert (name_at(program, 0x103F), name_at(program, 0x1040), name_at(program, 0x10FF)) == ("first", "last", "last")
    assert name_at(program, 0x1100) is None


def test_a_label_without_a_type_is_code_only_outside_of_functions(tmp_path: Path) -> None:
    program = read(
        code_only(
            ("typed", 0x1001, 0x40, FUNC, 1), ("inner_loop", 0x1010, 0, NOTYPE, LOCAL), ("bare", 0x1080, 0, NOTYPE, 1)
        ),
        tmp_path,
    )
    assert name_at(program, 0x1020) == "typed"
    assert name_at(program, 0x1050) is None
    assert name_at(program, 0x10A0) == "bare"


def test_of_two_names_for_one_function_the_global_one_is_chosen(tmp_path: Path) -> None:
    program = read(
        code_only(("helper.part", 0x1001, 8, FUNC, LOCAL), ("helper_function", 0x1001, 8, FUNC, 1)), tmp_path
    )
    assert name_at(program, 0x1004) == "helper_function"
    assert program.symbol("helper.part").address == 0x1000


def test_a_function_inside_another_is_found_where_it_lies(tmp_path: Path) -> None:
    program = read(code_only(("outer", 0x1001, 0x40, FUNC, 1), ("entry_two", 0x1021, 0x20, FUNC, 1)), tmp_path)
    assert (name_at(program, 0x1010), name_at(program, 0x1030)) == ("outer", "entry_two")


def test_mapping_symbols_tell_code_from_literal_pools(tmp_path: Path) -> None:
    builder = code_only(
        ("$t", 0x1000, 0, NOTYPE, LOCAL), ("$d", 0x1020, 0, NOTYPE, LOCAL), ("$t.7", 0x1030, 0, NOTYPE, LOCAL)
    )
    program = read(builder, tmp_path)
    assert program.code_ranges == ((0x1000, 0x1020), (0x1030, 0x1100))
    assert program.symbols == ()


def test_without_mapping_symbols_executable_sections_are_code(tmp_path: Path) -> None:
    assert read(ordinary(), tmp_path).code_ranges == ((0x0800_0000, 0x0800_0040),)


def test_a_stripped_file_has_no_symbols_and_says_so_when_asked(tmp_path: Path) -> None:
    program = read(ordinary(), tmp_path, symbols=False)
    assert program.symbols == ()
    assert program.function_at(0x0800_0000) is None
    with pytest.raises(ElfError, match="stripped"):
        program.symbol("reset")


def test_a_file_without_section_headers_gets_sections_from_its_segments(tmp_path: Path) -> None:
    program = read(ordinary(), tmp_path, sections=False)
    assert [(s.address, s.load_address, s.size, s.in_file) for s in program.sections] == [
        (0x0800_0000, 0x0800_0000, 0x60, True),
        (0x2000_0000, 0x0800_0060, 0x10, True),
        (0x2000_0010, 0x2000_0010, 0x100, False),
    ]


def test_names_are_kept_as_they_are_even_when_they_are_hostile(tmp_path: Path) -> None:
    name = "'; rm -rf / <script> \x1b[31m"
    builder = code_only((name, 0x1001, 8, FUNC, 1))
    assert read(builder, tmp_path).symbol(name).name == name


def test_an_object_in_code_is_no_function(tmp_path: Path) -> None:
    program = read(code_only(("table", 0x1000, 0x20, OBJECT, 1)), tmp_path)
    assert program.function_at(0x1000) is None


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    done = subprocess.run(["sha256sum", ordinary().write(tmp_path / "image.elf")], capture_output=True, text=True)
    assert read(ordinary(), tmp_path).digest == done.stdout.split()[0]


def test_section_flags_are_read(tmp_path: Path) -> None:
    builder = ordinary()
    builder.segments[0].sections[1].flags |= EXEC
    assert [s.executable for s in read(builder, tmp_path).sections] == [True, True, False, False]


# Symbols that are not where their number says.


def notes(address: int, size: int) -> SectionSpec:
    """A section that stays in the file, as log strings that a host decodes do."""
    return SectionSpec(".notes", address, size, 0, True)


def test_symbols_of_sections_that_are_not_loaded_are_no_addresses(tmp_path: Path) -> None:
    builder = code_only(("main", 0x1001, 0x20, FUNC, GLOBAL), ("blink", 0x1020, 0, NOTYPE, GLOBAL))
    builder.segments[0].sections.append(notes(0x1100, 0x40))  # the second section
    builder.symbol("message", 0x1010, 0x40, OBJECT, section=2)
    builder.symbol("$d", 0x1010, 0, NOTYPE, LOCAL, section=2)
    builder.symbol("$t", 0x1000, 0, NOTYPE, LOCAL, section=1)
    program = read(builder, tmp_path)
    assert [symbol.name for symbol in program.symbols] == ["main", "blink"]
    assert [name_at(program, at) for at in (0x1000, 0x101E, 0x1020, 0x10FE)] == ["main", "main", "blink", "blink"]
    assert program.code_ranges == ((0x1000, 0x1100),)


def test_absolute_numbers_cut_no_function_in_two(tmp_path: Path) -> None:
    builder = code_only(("main", 0x1000, 0, NOTYPE, GLOBAL))
    builder.symbol("__heap_size", 0x1040, 0, NOTYPE, section=ABSOLUTE)
    builder.symbol("rom_memcpy", 0x1080, 0x10, FUNC, section=ABSOLUTE)
    program = read(builder, tmp_path)
    assert [name_at(program, at) for at in (0x103E, 0x1040, 0x1060)] == ["main"] * 3
    assert name_at(program, 0x1084) == "rom_memcpy"  # a function of a ROM has a fixed address


# Changed copies of functions.


def test_the_one_copy_of_a_function_goes_by_its_name(tmp_path: Path) -> None:
    builder = code_only(("work.constprop.0", 0x1001, 0x20, FUNC, LOCAL), ("work.cold", 0x1021, 0x20, FUNC, LOCAL))
    program = read(builder, tmp_path)
    assert program.symbol("work").name == "work.constprop.0"
    assert [symbol.name for symbol in matching(program.symbols, "work")] == ["work.constprop.0"]
    with pytest.raises(ElfError, match=r"no symbol is called 'wor'"):
        program.symbol("wor")


def test_a_function_itself_comes_before_its_copies_and_several_copies_are_named(tmp_path: Path) -> None:
    copies = (("work.isra.0", 0x1021, 0x20, FUNC, LOCAL), ("work.constprop.0.isra.0", 0x1041, 0x20, FUNC, LOCAL))
    program = read(code_only(("work", 0x1001, 0x20, FUNC, GLOBAL), *copies), tmp_path)
    assert program.symbol("work").address == 0x1000
    assert len(matching(program.symbols, "work")) == 3
    with pytest.raises(ElfError, match=r"several clones of 'work'.*\n.*work.constprop.0.isra.0, work.isra.0"):
        read(code_only(*copies), tmp_path).symbol("work")


# Overlays.


def overlays(load: int) -> ElfBuilder:
    builder = ordinary()
    builder.segment(0x2000_1000, 0x0800_1000, R | X, text(0x2000_1000, 0x14, ".ov_a"))
    builder.segment(0x2000_1000, load, R | X, text(0x2000_1000, 0x1C, ".ov_b"))
    return builder


def test_overlays_share_where_they_live_and_not_where_they_are_loaded(tmp_path: Path) -> None:
    program = read(overlays(0x0800_1014), tmp_path)
    board = sample_board(
        memories=(memory("flash", "flash", 0x0800_0000, 1 << 16), memory("sram", "ram", 0x2000_0000, 1 << 16))
    )
    footprint = read_footprint(program, board)
    assert footprint.flash_bytes == 0x70 + 0x14 + 0x1C
    assert footprint.ram_bytes == 0x110 + 0x1C  # the larger of the two
    assert {region.region: region.used for region in footprint.regions} == {"flash": 0xA0, "sram": 0x12C}
    with pytest.raises(ElfError, match="two segments overlap at 0x08001010"):
        read(overlays(0x0800_1010), tmp_path)


def test_no_overlay_shares_memory_with_what_stays_there(tmp_path: Path) -> None:
    builder = ordinary()
    builder.segment(0x2000_0000, 0x0800_1000, R | X, text(0x2000_0000, 8, ".ov_a"))
    builder.segments[1].load_address = 0x2000_0000
    with pytest.raises(ElfError, match="two segments overlap at 0x20000000"):
        read(builder, tmp_path)


# Segments of sections without contents, as Zephyr's link has them.


def test_a_segment_of_zeroed_sections_may_span_what_lies_between_them(tmp_path: Path) -> None:
    builder = code_only(("f", 0x1001, 4, FUNC, GLOBAL))
    builder.segment(0x2000_0010, 0x2000, R | W, data(0x2000_0010, 0x10))
    builder.segment(0x2000_0000, 0x2000_0000, R | W, zeros(0x2000_0000, 0x10), zeros(0x2000_0020, 0x40, "noinit"))
    program = read(builder, tmp_path)
    assert [(s.address, s.size) for s in program.sections if not s.in_file] == [
        (0x2000_0000, 0x10),
        (0x2000_0020, 0x40),
    ]
    builder.segments[-1].sections[1].address = 0x2000_001C
    with pytest.raises(ElfError, match="two segments overlap at 0x2000001c"):
        read(builder, tmp_path)
