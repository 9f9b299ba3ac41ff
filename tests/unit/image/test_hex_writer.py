"""Intel HEX: what is written is read back, by our own reader and by binutils."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mcu_harness.image.hex_writer import hex_text
from mcu_harness.image.program import Program, Segment, read_program
from mcu_harness.image.raw_reader import read_image
from user_firmware import build

SOURCE = "volatile int table[3] = {1, 2, 3}; int main(void) { for (;;) table[0]++; }"


def contents(program: Program) -> dict[int, bytes]:
    """Bytes by load address, neighbours joined."""
    found: dict[int, bytes] = {}
    for segment in sorted(program.segments, key=lambda each: each.load_address):
        at = next((start for start, data in found.items() if start + len(data) == segment.load_address), None)
        if at is None:
            found[segment.load_address] = segment.data
        else:
            found[at] += segment.data
    return {at: data for at, data in found.items() if data}


def written(tmp_path: Path, *segments: tuple[int, bytes]) -> Program:
    made = tuple(Segment(at, at, data, len(data), True, False) for at, data in segments)
    path = tmp_path / "image.hex"
    path.write_text(hex_text(Program(path, 0x08000101, made, (), (), (), "")))
    return read_image(path, 0)


@pytest.mark.parametrize("start", [0, 0x0800FFF8, 0x0800FFFF, 0xFFFF0000])
@pytest.mark.parametrize("size", [1, 15, 16, 17, 70_000])
def test_bytes_come_back_where_they_were(tmp_path: Path, start: int, size: int) -> None:
    data = bytes(i * 7 & 0xFF for i in range(min(size, (1 << 32) - start)))
    read = written(tmp_path, (start, data))
    assert contents(read) == {start: data}
    assert ":0400000508000101ED" in (tmp_path / "image.hex").read_text().splitlines()


def test_an_elf_is_written_as_objcopy_writes_it(tmp_path: Path) -> None:
    objcopy = shutil.which("arm-none-eabi-objcopy")
    if objcopy is None:
        pytest.skip("needs arm-none-eabi-objcopy")
    elf = build(tmp_path, SOURCE)
    theirs = tmp_path / "theirs.hex"
    subprocess.run([objcopy, "-O", "ihex", elf, theirs], check=True, timeout=60)
    ours = tmp_path / "ours.hex"
    ours.write_text(hex_text(read_program(elf)))
    assert contents(read_image(ours, 0)) == contents(read_image(theirs, 0))
