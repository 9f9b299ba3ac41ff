"""Images without an ELF file: Intel HEX by hand-made records and by objcopy, plain bytes by address."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mcu_harness.base.errors import ElfError
from mcu_harness.image.program import read_program
from mcu_harness.image.raw_reader import read_image
from user_firmware import build, tool


def record(kind: int, address: int, data: bytes = b"") -> str:
    body = bytes([len(data), address >> 8, address & 0xFF, kind]) + data
    return f":{(body + bytes([-sum(body) & 0xFF])).hex().upper()}\n"


END = record(1, 0)


def loaded(path: Path, load_address: int = 0) -> dict[int, bytes]:
    return {segment.load_address: segment.data for segment in read_image(path, load_address).segments}


def hex_file(folder: Path, *records: str) -> Path:
    path = folder / "image.hex"
    path.write_text("".join(records))
    return path


def test_plain_bytes_go_to_the_load_address(tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(b"\x01\x02\x03")
    assert loaded(path, 0x0800_4000) == {0x0800_4000: b"\x01\x02\x03"}
    program = read_image(path, 0x0800_4000)
    assert program.code_ranges == ((0x0800_4000, 0x0800_4003),)
    assert program.symbols == ()


def test_hex_records_are_joined_where_they_touch(tmp_path: Path) -> None:
    path = hex_file(
        tmp_path,
        record(4, 0, b"\x08\x00"), record(0, 0x0000, b"ab"), record(0, 0x0002, b"cd"), record(0, 0x0010, b"far"),
        record(5, 0, b"\x08\x00\x00\x01"), record(4, 0, b"\x20\x00"), record(0, 0x0004, b"ram"), END,
    )  # fmt: skip
    assert loaded(path) == {0x0800_0000: b"abcd", 0x0800_0010: b"far", 0x2000_0004: b"ram"}


def test_records_in_any_order_and_segment_bases_are_read(tmp_path: Path) -> None:
    path = hex_file(tmp_path, record(2, 0, b"\x10\x00"), record(0, 4, b"cd"), record(0, 2, b"ab"), END)
    assert loaded(path) == {0x10002: b"abcd"}


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ((record(0, 0, b"ab"),), "truncated"),
        ((END,), "no data"),
        ((record(0, 0, b"ab")[:-3] + "00\n", END), "line 1: wrong check sum"),
        ((record(0, 0, b"ab"), ":0000\n", END), "line 2: not an Intel HEX record"),
        ((record(0, 0, b"ab"), "nonsense\n", END), "line 2: not an Intel HEX record"),
        ((record(9, 0, b"ab"), END), "line 1: unknown record type 9"),
        ((record(0, 0, b"abcd"), record(0, 2, b"x"), END), "writes 0x00000002 a second time"),
        ((record(4, 0, b"\xff\xff"), record(0, 0xFFFF, b"ab"), END), "beyond the 4 GiB"),
    ],
)
def test_broken_hex_files_are_one_error_each(tmp_path: Path, records: tuple[str, ...], problem: str) -> None:
    with pytest.raises(ElfError, match=problem) as caught:
        read_image(hex_file(tmp_path, *records), 0)
    assert str(tmp_path) in str(caught.value)


def test_mutated_hex_files_never_raise_anything_else(tmp_path: Path) -> None:
    good = "".join([record(4, 0, b"\x08\x00"), record(0, 0, bytes(range(16))), record(0, 16, b"more"), END]).encode()
    chance = random.Random(1)
    path = tmp_path / "image.hex"
    for _ in range(300):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data[: chance.randint(0, len(data))])
        try:
            read_image(path, 0x1000)
        except ElfError:
            continue


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    with pytest.raises(ElfError, match="cannot be read"):
        read_image(tmp_path / "missing.bin", 0)
    (tmp_path / "empty.bin").write_bytes(b"")
    with pytest.raises(ElfError, match="empty"):
        read_image(tmp_path / "empty.bin", 0)
    (tmp_path / "high.bin").write_bytes(b"ab")
    with pytest.raises(ElfError, match="beyond the 4 GiB"):
        read_image(tmp_path / "high.bin", 0xFFFF_FFFF)


@pytest.mark.gnu
def test_all_formats_of_one_program_hold_the_same_bytes(tmp_path: Path) -> None:
    elf = build(tmp_path, "volatile int x = 5; int main(void) { return x; }")
    tool("objcopy", tmp_path, "-O", "ihex", elf.name, "image.hex")
    tool("objcopy", tmp_path, "-O", "binary", elf.name, "image.bin")
    flat = bytearray()
    for segment in sorted(read_program(elf).segments, key=lambda segment: segment.load_address):
        at = segment.load_address - 0x0800_0000
        flat[len(flat) :] = bytes(max(0, at - len(flat)))
        flat[at:] = segment.data
    for name in ("image.hex", "image.bin"):
        found = read_image(tmp_path / name, 0x0800_0000)
        made = bytearray(len(flat))
        for segment in found.segments:
            at = segment.load_address - 0x0800_0000
            made[at : at + len(segment.data)] = segment.data
        assert made == flat, name
