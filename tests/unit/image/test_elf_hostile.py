"""Files that are broken, by accident or on purpose: each is one ElfError, in little time and memory."""

from __future__ import annotations

import random
import struct
import tracemalloc
from pathlib import Path

import pytest

from elf_builder import FUNC, R, W, X, ordinary, text, zeros
from mcu_harness.base.errors import ElfError, HarnessError
from mcu_harness.image.footprint import read_footprint
from mcu_harness.image.memory_regions import read_memory_regions
from mcu_harness.image.program import read_program
from mcu_harness.image.raw_reader import read_image
from sample_boards import board

PHDR = 52


def refused(content: bytes, tmp_path: Path, message: str) -> None:
    path = tmp_path / "bad.elf"
    path.write_bytes(content)
    with pytest.raises(ElfError, match=message) as caught:
        read_program(path)
    assert str(path) in caught.value.message


def patched(offset: int, layout: str, *values: int) -> bytes:
    content = bytearray(ordinary().build())
    struct.pack_into(layout, content, offset, *values)
    return bytes(content)


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(ElfError, match="cannot be read: No such file"):
        read_program(tmp_path / "missing.elf")


@pytest.mark.parametrize("content", [b"", b"\x7f", b"MZ\0\0", b":10000000", bytes(1000)], ids=range(5))
def test_not_an_elf_file(content: bytes, tmp_path: Path) -> None:
    refused(content, tmp_path, "not an ELF file")


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [(4, 2, "64-bit"), (5, 2, "big-endian"), (18, 62, "machine 62"), (16, 1, "relocatable"), (16, 3, "shared object")],
)
def test_the_wrong_class_order_machine_or_kind(offset: int, value: int, message: str, tmp_path: Path) -> None:
    refused(patched(offset, "<B", value), tmp_path, message)


def test_a_truncated_header(tmp_path: Path) -> None:
    refused(ordinary().build()[:40], tmp_path, "truncated")


def test_nothing_to_load(tmp_path: Path) -> None:
    refused(patched(44, "<H", 0), tmp_path, "nothing to load")


def test_a_segment_beyond_the_end_of_the_file(tmp_path: Path) -> None:
    refused(patched(PHDR + 4, "<I", 0x7FFF_FFFF), tmp_path, r"segment at 0x08000000 needs bytes up to")


def test_a_segment_with_more_bytes_than_room(tmp_path: Path) -> None:
    refused(patched(PHDR + 20, "<I", 0x20), tmp_path, "has 96 bytes in the file and room for 32")


def test_a_segment_of_four_gigabytes(tmp_path: Path) -> None:
    refused(patched(PHDR + 64 + 20, "<I", 0xFFFF_FFFF), tmp_path, "beyond the 4 GiB address space")


def test_segments_that_overlap_where_they_live(tmp_path: Path) -> None:
    builder = ordinary()
    builder.segment(0x2000_0020, None, R | W, zeros(0x2000_0020, 4, ".again"))
    refused(builder.build(), tmp_path, "two segments overlap at 0x20000020")


def test_segments_that_overlap_where_they_are_loaded(tmp_path: Path) -> None:
    builder = ordinary()
    builder.segments[1].load_address = 0x0800_0050
    refused(builder.build(), tmp_path, "two segments overlap at 0x08000050")


def test_a_section_header_table_beyond_the_end(tmp_path: Path) -> None:
    refused(patched(32, "<I", 0xFFFF_FFF0), tmp_path, "section header table")


def test_a_symbol_table_beyond_the_end(tmp_path: Path) -> None:
    content = bytearray(ordinary().build())
    shoff, count = struct.unpack_from("<I", content, 32)[0], struct.unpack_from("<H", content, 48)[0]
    symtab = next(nth for nth in range(count) if struct.unpack_from("<I", content, shoff + 40 * nth + 4)[0] == 2)
    struct.pack_into("<I", content, shoff + 40 * symtab + 16, 0x00FF_FFFF)
    refused(bytes(content), tmp_path, "the symbol table ends at byte")


def section_header(content: bytes, kind: int) -> int:
    """Where in the file the header of the first section of that type (SHT_SYMTAB is 2) lies."""
    table, count = struct.unpack_from("<I", content, 32)[0], struct.unpack_from("<H", content, 48)[0]
    return next(
        at for at in range(table, table + 40 * count, 40) if struct.unpack_from("<I", content, at + 4)[0] == kind
    )


def header_patched(kind: int, field: int, value: int) -> bytes:
    """A good file whose first section header of type `kind` has `value` in its `field`-th word."""
    content = bytearray(ordinary().build())
    struct.pack_into("<I", content, section_header(bytes(content), kind) + 4 * field, value)
    return bytes(content)


@pytest.mark.parametrize(
    ("offset", "layout", "value", "message"),
    [
        (44, "<H", 0xFFFE, "65534 program headers; more than 256"),
        (44, "<H", 0xFFFF, "65535 program headers; more than 256"),
        (48, "<H", 0xFFFF, "65535 sections; more than 16384"),
        (48, "<H", 9999, "section header table ends at byte"),
        (42, "<H", 1, "program header table has entries of 1 bytes, expected 32"),
        (46, "<H", 0, "section header table has entries of 0 bytes, expected 40"),
        (46, "<H", 64, "section header table has entries of 64 bytes, expected 40"),
        (4, "<B", 7, "corrupt: Invalid EI_CLASS"),
        (5, "<B", 0, "corrupt: Invalid EI_DATA"),
    ],
)
def test_counts_and_entry_sizes_that_cannot_be(
    offset: int, layout: str, value: int, message: str, tmp_path: Path
) -> None:
    refused(patched(offset, layout, value), tmp_path, message)


def test_a_section_count_kept_in_the_first_header_is_bounded_too(tmp_path: Path) -> None:
    content = bytearray(patched(48, "<H", 0))
    struct.pack_into("<I", content, struct.unpack_from("<I", content, 32)[0] + 20, 0xFFFF_FFF0)
    refused(bytes(content), tmp_path, "4294967280 sections; more than 16384")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (9, 1, "the symbol table's size"),
        (9, 0, "the symbol table's size"),
        (5, 17, "the symbol table's size 17 is not a multiple"),
        (5, 0xFFFF_FFF0, "the symbol table ends at byte"),
        (6, 99, "names section 99 for its strings"),
        (6, 0, "^"),
    ],
)
def test_a_symbol_table_with_a_wrong_entry_size_size_or_link(
    field: int, value: int, message: str, tmp_path: Path
) -> None:
    content = header_patched(2, field, value)
    if message != "^":
        refused(content, tmp_path, message)
        return
    path = tmp_path / "nameless.elf"
    path.write_bytes(content)
    assert read_program(path).symbols == (), "the null section has no names"


def test_more_symbols_than_any_image_has(tmp_path: Path) -> None:
    content = bytearray(ordinary().build())
    symtab = section_header(bytes(content), 2)
    struct.pack_into("<II", content, symtab + 16, len(content), 16 * 300_000)
    refused(bytes(content) + bytes(16 * 300_000), tmp_path, "300000 symbols; more than 262144")


def test_a_string_table_without_an_end(tmp_path: Path) -> None:
    content = bytearray(ordinary().build())
    strings = section_header(bytes(content), 2) + 40
    start, size = struct.unpack_from("<II", content, strings + 16)
    content[start + size - 1] = 0x41
    refused(bytes(content), tmp_path, "symbol string table does not end with a zero byte")


def test_a_name_outside_its_string_table_is_no_name(tmp_path: Path) -> None:
    content = bytearray(ordinary().build())
    table = struct.unpack_from("<I", content, section_header(bytes(content), 2) + 16)[0]
    struct.pack_into("<I", content, table + 16, 0x7FFF_FFFF)
    path = tmp_path / "outside.elf"
    path.write_bytes(content)
    program = read_program(path)
    assert "reset" not in {symbol.name for symbol in program.symbols}
    assert program.symbol("mcu_layer_03_conv").size == 0x20


@pytest.mark.parametrize("kind", [5, 6, 7, 9, 11, 18, 19, 0x6FFF_FFF6, 0x6FFF_FFFD, 0x6FFF_FFFF, 0x7000_0003])
def test_a_section_of_a_kind_that_is_not_needed_is_not_read(kind: int, tmp_path: Path) -> None:
    """Hash tables, dynamic tables, notes, versions: their contents are 1, 2, 3, ... here, and no business of ours."""
    builder = ordinary()
    builder.segments[0].sections[1].kind = kind
    assert [section.size for section in read_program(builder.write(tmp_path / "kind.elf")).sections][1] == 0x20


def test_a_table_that_calls_itself_compressed_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "compressed.elf"
    path.write_bytes(header_patched(2, 2, 0x800))
    assert read_program(path).symbol("reset").size == 0x10


def test_a_big_claim_takes_no_memory(tmp_path: Path) -> None:
    builder = ordinary()
    builder.segments[2].sections[0].size = 0xD000_0000
    path = builder.write(tmp_path / "big.elf")
    tracemalloc.start()
    footprint = read_footprint(read_program(path), board())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert footprint.ram_bytes == 0x10 + 0xD000_0000
    assert peak < 4 << 20


def test_many_long_names_are_refused_before_they_fill_memory(tmp_path: Path) -> None:
    builder = ordinary()
    builder.symbol("x" * 70_000, 0x0800_0001, 4, FUNC)
    content = bytearray(builder.build())
    start = content.index(b"x" * 100)
    strings = content.index(b"reset\0") - 1
    table = struct.pack("<IIIBBH", 0, 0x0800_0001, 4, 0x12, 0, 1)
    # One name, and 40,000 symbols that each begin a byte further inside it.
    many = b"".join(struct.pack("<I", start - strings + nth) + table[4:] for nth in range(40_000))
    shoff, count = struct.unpack_from("<I", content, 32)[0], struct.unpack_from("<H", content, 48)[0]
    symtab = next(nth for nth in range(count) if struct.unpack_from("<I", content, shoff + 40 * nth + 4)[0] == 2)
    struct.pack_into("<II", content, shoff + 40 * symtab + 16, len(content), len(many))
    refused(bytes(content) + many, tmp_path, "MiB of symbol names")


def test_no_mutation_ends_in_anything_but_a_program_or_an_elf_error(tmp_path: Path) -> None:
    builder = ordinary()
    builder.segment(0x0801_0000, None, R | X, text(0x0801_0000, 0x10, ".more"))
    builder.symbol("$t", 0x0800_0000)
    builder.symbol("$d", 0x0800_0030)
    original = builder.build()
    tables = [*range(PHDR + 32 * 4), *range(struct.unpack_from("<I", original, 32)[0], len(original))]
    chance = random.Random(1)
    path = tmp_path / "mutant.elf"
    sample = board()
    outcomes = {"read": 0, "refused": 0}
    for nth in range(1500):
        content = bytearray(original)
        for _ in range(chance.randint(1, 4)):
            place = chance.choice(tables) if chance.random() < 0.8 else chance.randrange(len(content))
            content[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        if nth % 5 == 0:
            del content[chance.randrange(len(content)) :]
        path.write_bytes(content)
        try:
            program = read_program(path)
            footprint = read_footprint(program, sample)
            program.function_at(0x0800_0010)
            assert sum(use.flash_bytes for use in footprint.symbols) == footprint.flash_bytes
            outcomes["read"] += 1
        except ElfError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 100, outcomes


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
@pytest.mark.parametrize("name", ["f.elf", "f.bin", "f.hex", "s.ld"])
def test_a_device_is_not_read_to_its_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.symlink_to("/dev/zero")
    readers = {".elf": read_program, ".ld": lambda path: read_memory_regions(path, {})}
    with pytest.raises(HarnessError, match="it is a device"):
        readers.get(path.suffix, lambda path: read_image(path, 0))(path)
