"""Memories out of linker scripts: GNU ld's and IAR's, as vendors and projects write them, and what is no script."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcu_harness.image.memory_regions import LinkerScriptError, parse_symbols, read_memory_regions

GNU = """
/* MEMORY { NOT : ORIGIN = 0, LENGTH = 1 } */
_boot = 16K;
MEMORY
{
  FLASH (rx)  : ORIGIN = 0x08000000 + _boot, LENGTH = 2M - _boot
  RAM (xrw)   : org = 0x20000000, len = 640 * 1024
  "ignored"
  CCM         : o = 0x10000000, l = LENGTH(RAM) / 10
  SHARED (!w) : ORIGIN = ORIGIN(RAM) + LENGTH(RAM), LENGTH = 0x400
}
"""
ICF = """
// of a vendor
define exported symbol __ICFEDIT_region_ROM_start__ = 0x08000000;
define symbol __ICFEDIT_region_ROM_end__   = 0x080FFFFF;
define memory mem with size = 4G;
define region ROM_region = mem:[from __ICFEDIT_region_ROM_start__ to __ICFEDIT_region_ROM_end__];
define region RAM_region = mem:[from 0x20000000 size 128K] | mem:[from 0x10000000 to 0x1000FFFF];
define region NONE_region = mem:[from 0 to 0];
"""


def written(folder: Path, text: str, name: str = "board.ld") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def regions(path: Path, **symbols: str) -> dict[str, tuple[str, int, int]]:
    return {m.name: (m.kind, m.origin, m.size) for m in read_memory_regions(path, symbols).memories}


def test_gnu_scripts_have_arithmetic_symbols_and_attributes(tmp_path: Path) -> None:
    assert regions(written(tmp_path, GNU)) == {
        "FLASH": ("flash", 0x08004000, (2 << 20) - 0x4000),
        "RAM": ("ram", 0x20000000, 640 << 10),
        "CCM": ("ram", 0x10000000, 64 << 10),
        "SHARED": ("flash", 0x200A0000, 0x400),
    }


def test_several_regions_stand_on_one_line(tmp_path: Path) -> None:
    path = written(
        tmp_path, "MEMORY { rom (rx) : ORIGIN = 0, LENGTH = 1K ram (rw) : ORIGIN = 0x20000000, LENGTH = 2K }"
    )
    assert regions(path) == {"rom": ("flash", 0, 1024), "ram": ("ram", 0x20000000, 2048)}


def test_included_scripts_are_read(tmp_path: Path) -> None:
    written(tmp_path, GNU, "memory.ld")
    assert "CCM" in regions(written(tmp_path, "INCLUDE memory.ld\nSECTIONS { }", "main.ld"))


def test_iar_scripts_have_regions_of_several_ranges(tmp_path: Path) -> None:
    assert regions(written(tmp_path, ICF, "board.icf")) == {
        "ROM": ("flash", 0x08000000, 1 << 20),
        "RAM": ("ram", 0x20000000, 128 << 10),
        "RAM_2": ("ram", 0x10000000, 64 << 10),
    }


def test_a_symbol_of_the_linkers_command_line_is_given_by_hand(tmp_path: Path) -> None:
    path = written(tmp_path, "MEMORY { F (rx) : ORIGIN = BASE, LENGTH = 4K }")
    with pytest.raises(LinkerScriptError) as caught:
        read_memory_regions(path)
    assert "--defsym BASE=VALUE" in str(caught.value)
    assert regions(path, **parse_symbols(["BASE=0x1000 * 2"])) == {"F": ("flash", 0x2000, 4096)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SECTIONS { }", "no memory regions"),
        ("MEMORY { F (rx) : ORIGIN = 0, LENGTH = 1 << 300 }", "4 GiB"),
        ("MEMORY { F (rx) : ORIGIN = 0, LENGTH = 9 * 9 * 99999999999 * 99999999999 }", "beyond 64 bits"),
        ("MEMORY { F (rx) : ORIGIN = a, LENGTH = 4 }\na = b;\nb = a;", "defined by itself"),
        ("MEMORY { F (rx) : ORIGIN = __import__('os'), LENGTH = 4 }", "not plain arithmetic"),
        ("MEMORY { F (rx) : ORIGIN = 1 / 0, LENGTH = 4 }", "cannot read"),
        ("MEMORY { F (rx) : ORIGIN = " + "(" * 400 + ", LENGTH = 4 }", "cannot read"),
        ("MEMORY { F (rx) : ORIGIN = LENGTH(G), LENGTH = 4 }", "not defined before it"),
        ("MEMORY { F (rx) : ORIGIN = 0, LENGTH = 0 }", "is empty"),
    ],
)
def test_what_cannot_be_is_one_error_that_names_the_file(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(LinkerScriptError, match=r"board\.ld") as caught:
        read_memory_regions(path)
    assert said in str(caught.value)
