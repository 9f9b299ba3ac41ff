"""Real images against GNU binutils, whose size and readelf are the reference for sums and symbols."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mcu_harness.image.build import build
from mcu_harness.image.footprint import read_footprint
from mcu_harness.image.program import Program, read_program
from mcu_harness.image.toolchain import Toolchain
from sample_boards import TARGETS, board
from sample_firmware import firmware

pytestmark = pytest.mark.gnu

VARIED = firmware(
    "at = table[at & 7] + (int32_t)(at / shift); scratch[at & 31] += name[at & 3];",
    declarations="""
    const int32_t table[8] = {5, 4, 3, 2, 1};
    const char *volatile name = "text";
    volatile uint32_t at = 7;
    uint8_t shift = 3;
    uint8_t scratch[32];
    uint32_t kept __attribute__((section(".noinit"), used));
    """,
)


@pytest.fixture(params=TARGETS, ids=lambda target: "-".join(map(str, target)))
def program(request: pytest.FixtureRequest, toolchain: Toolchain) -> Program:
    core, fpu, dsp = request.param
    return read_program(build(VARIED, board(core, fpu, dsp, driver="stm32_usart_v2"), toolchain).elf)


def output(tool: str, *arguments: str | Path) -> list[str]:
    found = shutil.which(f"arm-none-eabi-{tool}")
    if found is None:
        pytest.skip(f"no arm-none-eabi-{tool}")
    return subprocess.run([found, *arguments], capture_output=True, text=True, check=True).stdout.splitlines()


def test_sums_equal_what_size_says(program: Program) -> None:
    text, data, bss = (int(word) for word in output("size", program.path)[1].split()[:3])
    footprint = read_footprint(program, board())
    rows = [row for row in footprint.sections if row.name != "(padding)"]
    assert sum(row.flash_bytes for row in rows) == text + data
    assert sum(row.ram_bytes for row in rows) == data + bss
    assert footprint.ram_bytes == data + bss
    assert data > 0 and bss > 0


def test_sums_equal_the_program_headers(program: Program) -> None:
    loads = [line.split() for line in output("readelf", "-lW", program.path) if line.split()[:1] == ["LOAD"]]
    footprint = read_footprint(program, board())
    assert footprint.flash_bytes == sum(int(load[4], 16) for load in loads)
    assert footprint.ram_bytes == sum(int(load[5], 16) for load in loads if load[2].startswith("0x2"))
    assert sum(row.flash_bytes for row in footprint.symbols) == footprint.flash_bytes
    assert sum(row.ram_bytes for row in footprint.symbols) == footprint.ram_bytes


def test_each_section_is_as_large_as_size_says(program: Program) -> None:
    listed = {}
    for line in output("size", "-A", "-d", program.path):
        words = line.split()
        if len(words) == 3 and words[1].isdigit() and int(words[2]) > 0 and int(words[1]) > 0:
            listed[words[0]] = (int(words[1]), int(words[2]))
    assert {s.name: (s.size, s.address) for s in program.sections} == listed


def test_functions_and_objects_are_those_of_readelf(program: Program) -> None:
    listed = set()
    for line in output("readelf", "-sW", program.path):
        words = line.split()
        if len(words) == 8 and words[3] in ("FUNC", "OBJECT") and words[6] != "UND":
            size = int(words[2], 0)
            if size:
                listed.add((words[7], int(words[1], 16) & ~(words[3] == "FUNC"), size))
    found = {(s.name, s.address, s.size) for s in program.symbols if s.kind in ("function", "object")}
    assert listed <= found
    assert {name for name, _, _ in found - listed} <= {s.name for s in program.symbols if s.kind == "function"}


def test_stripping_changes_no_total(program: Program, tmp_path: Path) -> None:
    stripped = tmp_path / "stripped.elf"
    output("strip", "-o", stripped, program.path)
    whole, bare = (read_footprint(p, board()) for p in (program, read_program(stripped)))
    assert read_program(stripped).symbols == ()
    assert (bare.flash_bytes, bare.ram_bytes, bare.regions) == (whole.flash_bytes, whole.ram_bytes, whole.regions)
