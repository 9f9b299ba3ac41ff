"""Source lines of addresses, as addr2line gives them; from damaged files no line, and nothing worse."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.image.elf_reader import read_elf_file
from mcu_harness.image.line_table import SourceLines
from mcu_harness.image.program import Program, read_program
from sweeps import count
from user_firmware import build, tool

pytestmark = pytest.mark.gnu
CODE = """
#include <math.h>
#include <stdio.h>
volatile int total;
static inline int scaled(int x) { return x * 3; }
__attribute__((noinline)) int sum(int n) {
    int s = 0;
    for (int i = 0; i < n; i++)
        s += scaled(i);
    return s;
}
int main(void) {
    total = sum(10);
    printf("%d %f", total, sqrt(total));
    return 0;
}
"""


def addr2line(elf: Path, addresses: list[int]) -> list[tuple[str, int] | None]:
    """What binutils say: file name and line, None for what they do not know."""
    text = "\n".join(map(hex, addresses))
    command = ["arm-none-eabi-addr2line", "-e", str(elf)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    found: list[tuple[str, int] | None] = []
    for line in done.stdout.splitlines():
        name, _, number = line.partition(" (")[0].rpartition(":")
        found.append(None if name == "??" or number in ("?", "0") else (Path(name).name, int(number)))
    return found


@pytest.mark.parametrize(
    "flags", [["-gdwarf-2"], ["-gdwarf-3"], ["-gdwarf-4"], ["-gdwarf-5"], ["-gdwarf-5", "-gz"]], ids=" ".join
)
def test_every_instruction_has_the_line_that_addr2line_gives(flags: list[str], tmp_path: Path) -> None:
    elf = build(tmp_path, CODE, flags=flags, libraries=["-lm"])
    program = read_program(elf)
    lines = SourceLines(program)
    addresses = [address for start, end in program.code_ranges for address in range(start, end, 2)]
    known = 0
    for address, expected in zip(addresses, addr2line(elf, addresses), strict=True):
        if expected is None:  # padding between units, to which a table may well give a line
            continue
        got = lines.at(address)
        assert got is not None, hex(address)
        assert (Path(got.path).name, got.line) == expected, hex(address)
        known += 1
    assert known > 5000


def test_without_debug_information_no_line_is_known(tmp_path: Path) -> None:
    elf = build(tmp_path, CODE, libraries=["-lm"])
    main = read_program(elf).symbol("main").address
    assert SourceLines(read_program(elf)).at(main) is not None
    tool("strip", tmp_path, "--strip-debug", elf.name, "-o", "plain.elf")
    assert SourceLines(read_program(tmp_path / "plain.elf")).at(main) is None
    program = read_program(elf)
    elf.write_bytes(elf.read_bytes() + b"\0")
    assert SourceLines(program).at(main) is None, "that is not the file that was run"
    elf.unlink()
    assert SourceLines(program).at(main) is None
    assert SourceLines(replace(program, path=tmp_path)).at(main) is None


def damaged(data: bytes, start: int, size: int, seed: int) -> bytes:
    """`data` with some bytes of [start, start + size) changed."""
    chance = random.Random(seed)
    made = bytearray(data)
    for _ in range(chance.choice((1, 4, 64))):
        at = start + chance.randrange(min(size, chance.choice((16, 256, size))))
        made[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(made)


@pytest.mark.parametrize("version", [4, 5])
def test_damaged_tables_give_no_error_and_take_no_time(version: int, tmp_path: Path) -> None:
    elf = build(tmp_path, CODE, flags=[f"-gdwarf-{version}"], libraries=["-lm"])
    data = elf.read_bytes()
    sections = {section.name: section for section in read_elf_file(elf).section_headers}
    section = sections[".debug_line"]
    main = read_program(elf).symbol("main").address
    bad = tmp_path / "bad.elf"
    started = time.process_time()
    for seed in range(count(40, 150)):
        bad.write_bytes(damaged(data, section.offset, section.size, seed))
        line = SourceLines(read_program(bad)).at(main)
        assert line is None or line.line > 0
    assert time.process_time() - started < 60


@pytest.mark.parametrize("kept", [0, 3, 4, 11, 40, 200])
def test_a_table_that_is_cut_off_ends_there(kept: int, tmp_path: Path) -> None:
    elf = build(tmp_path, CODE, libraries=["-lm"])
    program: Program = read_program(elf)
    section = next(s for s in read_elf_file(elf).section_headers if s.name == ".debug_line")
    data = bytearray(elf.read_bytes())
    # The section's header is where its offset and size stand next to each other.
    fields = section.offset.to_bytes(4, "little") + section.size.to_bytes(4, "little")
    at = data.index(fields)
    data[at + 4 : at + 8] = kept.to_bytes(4, "little")
    elf.write_bytes(data)
    assert SourceLines(read_program(elf)).at(program.symbol("main").address) is None


def test_names_from_the_file_cannot_move_a_cursor(tmp_path: Path) -> None:
    elf = build(tmp_path, "int main(void) { return 0; }", name="evil", flags=["-gdwarf-4"])
    data = elf.read_bytes()
    assert data.count(b"evil.c") >= 1
    elf.write_bytes(data.replace(b"evil.c", b"\x1b[2J.c"))
    program = read_program(elf)
    line = SourceLines(program).at(program.symbol("main").address)
    assert line is not None and "\x1b" not in str(line)
