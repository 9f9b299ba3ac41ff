"""Bad board files: one error each, with file, line, key and the way out, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcu_harness.base.errors import BoardError
from mcu_harness.hardware.board import RegisterStep
from mcu_harness.hardware.board_file import find_board, load_board

GOOD = """\
name = "mine"
title = "Mine"
vendor = "Me"
part = "P1"

[core]
name = "cortex-m4"

[clock]
frequency = "64 MHz"

[[memory]]
name = "flash"
kind = "flash"
origin = 0x08000000
size = "64 KiB"
wait_states = 2

[[memory]]
name = "sram"
kind = "ram"
origin = 0x20000000
size = "16 KiB"

[layout]
code = "flash"
data = "sram"

[console]
driver = "none"
base = 0x40000000
enable = [[0x40000000, 0x1], [0x40000004, 0x2, 0x1]]

[power]
current_ua_per_mhz = 100
supply_volts = 3.3

[sources]
core = "d"
clock = "d"
memory = "d"
wait_states = "d"
current = "d"
console = "d"
"""

ALIAS = '[[memory]]\nname = "boot"\nkind = "flash"\norigin = 0\nsize = "64 KiB"\nalias_of = "flash"\n'


def line_of(text: str, wanted: str) -> int:
    return text[: text.index(wanted)].count("\n") + 1


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def error_of(path: Path) -> BoardError:
    with pytest.raises(BoardError) as caught:
        load_board(path)
    assert str(path) in caught.value.message
    return caught.value


def test_the_file_that_these_tests_spoil_is_good(tmp_path: Path) -> None:
    board = load_board(write(tmp_path, GOOD + ALIAS))
    assert board.clock_hz == 64_000_000
    assert board.current_a_per_hz == pytest.approx(100e-12)
    assert board.console.enable == (RegisterStep(0x40000000, 1), RegisterStep(0x40000004, 2, clear=1))
    region = board.region_of(0x10)
    assert region is not None and region.name == "flash"
    assert board.region_of(0x30000000) is None


# What is spoilt, how, what the message says, and the text on the line that it names.
CASES = (
    ("misspelt key", 'part = "P1"', 'prat = "P1"', "part: missing", 'name = "mine"'),
    ("unknown key", "wait_states = 2", "wait_state = 2", "memory.wait_state: unknown key", "wait_state = 2"),
    ("unknown key in the second table", 'kind = "ram"', 'kind = "ram"\nsise = 1', "memory.sise: unknown key", "sise"),
    ("unknown table", "[power]", "[powr]", "powr: unknown key", "[powr]"),
    ("missing table", '[clock]\nfrequency = "64 MHz"\n', "", "missing table [clock]", 'name = "mine"'),
    ("missing key", 'name = "cortex-m4"', "", "core.name: missing", "[core]"),
    ("missing key in the second table", "origin = 0x20000000\n", "", "memory.origin: missing", '[[memory]]\nname = "sram'),
    ("unit of another kind", '"64 MHz"', '"64 KiB"', "clock.frequency: unknown unit 'KiB'", "frequency"),
    ("ambiguous unit", '"64 KiB"', '"64 K"', "memory.size: unknown unit 'K'", 'size = "64 K"'),
    ("size that is no size", '"64 KiB"', '"large"', "memory.size: expected a size, got 'large'", "large"),
    ("text for a number", "origin = 0x20000000", 'origin = "0x20000000"', "expected a whole number", "origin = \"0x2"),
    ("number for text", 'part = "P1"', "part = 1", "part: expected a string, got 1", "part = 1"),
    ("truth for a number", "wait_states = 2", "wait_states = true", "expected a whole number", "wait_states = true"),
    ("negative origin", "origin = 0x08000000", "origin = -1", "must be 0 or more, got -1", "origin = -1"),
    ("nothing in it", 'size = "16 KiB"', 'size = "0 B"', "sram does not lie within", 'size = "0 B"'),
    ("beyond the address space", "origin = 0x20000000", "origin = 0xFFFFF000", "4 GiB address space", 'size = "16 KiB"'),
    ("overlap", "origin = 0x20000000", "origin = 0x0800FFFC", "sram overlaps flash at 0x0800fffc", "origin = 0x0800FFFC"),
    ("same name", 'name = "sram"', 'name = "flash"', "a memory named 'flash' is there already", 'name = "flash"\nkind = "ram'),
    ("kind", 'kind = "ram"', 'kind = "rom"', "memory.kind: unknown value 'rom'", 'kind = "rom"'),
    ("cache", "wait_states = 2", 'cache = "cahe"', "memory.cache: unknown value 'cahe'", "cahe"),
    ("one memory, not a list", "[[memory]]\nname = \"flash\"", "[memory]\nname = \"flash\"", "not valid TOML", "[[memory]]"),
    ("code nowhere", 'code = "flash"', 'code = "flsh"', "layout.code: unknown value 'flsh'", "flsh"),
    ("data in flash", 'data = "sram"', 'data = "flash"', "layout.data: unknown value 'flash'", 'data = "flash"'),
    ("vectors askew", 'data = "sram"', 'data = "sram"\nvector_offset = 4', "multiple of 128 B", "vector_offset"),
    ("vectors outside", 'data = "sram"', 'data = "sram"\nvector_offset = "64 KiB"', "within flash's", "vector_offset"),
    ("core", '"cortex-m4"', '"cortex-m5"', "core.name: unknown value 'cortex-m5'", "cortex-m5"),
    ("fpu of another core", '"cortex-m4"', '"cortex-m4"\nfpu = "fpv5-d16"', "core.fpu: unknown value", "fpv5-d16"),
    ("dsp that is always there", '"cortex-m4"', '"cortex-m4"\ndsp = false', "always has the DSP extension", "dsp = false"),
    ("multiplier", '"cortex-m4"', '"cortex-m4"\nmultiplier_cycles = 2', "in 1 or 32 cycles", "multiplier_cycles"),
    ("mpu", '"cortex-m4"', '"cortex-m4"\nmpu_regions = 16', "a Cortex-M4 has one of 0, 8, got 16", "mpu_regions"),
    ("cache of 16 EiB", "wait_states = 2", 'wait_states = 2\ncache_size = "18446744073709551616 B"', "at most 16,777,216", "cache_size"),
    ("data cache of 1 GiB", "wait_states = 2", 'data_cache_size = "1 GiB"', "at most 16,777,216", "data_cache_size"),
    ("many ways", "wait_states = 2", "cache_ways = 100000", "cache_ways: must be at most 1,024", "cache_ways"),
    ("line of no power of two", "wait_states = 2", 'cache_line = "24 B"', "a power of two, got 24", "cache_line"),
    ("line of a megabyte", "wait_states = 2", 'cache_line = "1 MiB"', "at most 1,024", "cache_line"),
    ("fetch of nothing", "wait_states = 2", "fetch = 0", "a power of two, got 0", "fetch"),
    ("memory of 2 GiB", 'size = "16 KiB"', 'size = "2 GiB"', "at most 1,073,741,824", "2 GiB"),
    ("waits without end", "wait_states = 2", "wait_states = 9999999999999999999999", "at most 100,000", "wait_states"),
    ("misses without end", "wait_states = 2", "data_miss_cycles = 1e300", "at most 100,000", "data_miss_cycles"),
    ("clock of light", '"64 MHz"', '"1e20 MHz"', "at most 10,000,000,000", "frequency"),
    ("current of a city", "= 100", "= 1e200", "current_ua_per_mhz: must be at most 1,000,000", "current_ua_per_mhz"),
    ("volts of lightning", "= 3.3", "= 1e9", "supply_volts: must be at most 1,000", "supply_volts"),
    ("clock of nothing", '"64 MHz"', '"0 MHz"', "must be above 0", "frequency"),
    ("interrupt of nothing", "enable = [[", "irq = 240\nenable = [[", "must be 0 to 239 on a Cortex-M4, got 240", "irq"),
    ("step of one number", "[0x40000000, 0x1]", "[0x40000000]", "console.enable: expected [address, set]", "enable"),
    ("step at an odd address", "[0x40000000, 0x1]", "[0x40000001, 0x1]", "word-aligned", "enable"),
    ("step of 33 bits", "[0x40000000, 0x1]", "[0x40000000, 0x100000000]", "32-bit words", "enable"),
    ("steps that are none", "enable = [[0x40000000, 0x1], [0x40000004, 0x2, 0x1]]", "enable = 1", "expected a list", "enable"),
    ("current of nothing", "= 100", "= 0", "power.current_ua_per_mhz: must be above 0", "current_ua_per_mhz"),
    ("volts with a unit", "= 3.3", '= "3.3 V"', "power.supply_volts: unknown unit 'V'", "supply_volts"),
    ("figure without a source", 'wait_states = "d"\n', "", "sources.wait_states: missing", "[sources]"),
    ("name of another file", 'name = "mine"', 'name = "yours"', "but the file is called mine.toml", "yours"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message", "line"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_error_names_file_line_and_key(tmp_path: Path, old: str, new: str, message: str, line: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    path = write(tmp_path, text)
    error = error_of(path)
    assert message in error.message
    assert error.message.startswith(f"{path}:{line_of(text, line)}: ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('alias_of = "flash"', 'alias_of = "flsh"', "no memory named 'flsh' stands before it"),
        ("64 KiB", "32 KiB", "boot has 32768 B, but flash, the same memory, 65536 B"),
        ('kind = "flash"', 'kind = "ram"', "is 'ram', but flash is 'flash'"),
    ],
)
def test_an_alias_is_the_whole_of_a_memory(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert message in error_of(write(tmp_path, GOOD + ALIAS.replace(old, new, 1))).message


@pytest.mark.parametrize(
    ("old", "new", "near"),
    [
        ("wait_states = 2", "wait_state = 2", "wait_states"),
        ("[power]", "[powr]", "power"),
        ('"cortex-m4"', '"cortex-m4f"', "cortex-m4"),
        ('data = "sram"', 'data = "sraam"', "sram"),
    ],
)
def test_hint_offers_the_nearest_word(tmp_path: Path, old: str, new: str, near: str) -> None:
    assert f"did you mean {near!r}?" in error_of(write(tmp_path, GOOD.replace(old, new, 1))).hint


def test_unit_error_lists_the_units(tmp_path: Path) -> None:
    hint = error_of(write(tmp_path, GOOD.replace("64 KiB", "64 kib"))).hint
    assert "KiB" in hint and "MiB" in hint


def test_no_memory_at_all(tmp_path: Path) -> None:
    begin, end = GOOD.index("[[memory]]"), GOOD.index("[layout]")
    error = error_of(write(tmp_path, GOOD[:begin] + GOOD[end:]))
    assert "no memory at all" in error.message
    assert "[[memory]]" in error.hint


def test_line_is_right_in_an_inline_table(tmp_path: Path) -> None:
    text = GOOD.replace('[clock]\nfrequency = "64 MHz"\n', "").replace(
        'part = "P1"\n', 'part = "P1"\nclock = { frequency = "64 MB" }\n'
    )
    path = write(tmp_path, text)
    assert error_of(path).message.startswith(f"{path}:5: clock.frequency: unknown unit")


def test_not_toml_names_the_line(tmp_path: Path) -> None:
    path = write(tmp_path, 'name = "mine"\ntitle = \n')
    assert error_of(path).message.startswith(f"{path}:2: not valid TOML")


def test_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes('title = "Gerät"\n'.encode("latin-1"))
    error = error_of(path)
    assert "not UTF-8" in error.message
    assert "UTF-8" in error.hint


def test_binary_file_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\x7fELF\x00\x00\x01\x02")
    assert "not valid TOML" in error_of(path).message


def test_directory_instead_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").mkdir()
    assert "cannot be read" in error_of(tmp_path / "mine.toml").message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("0x20000000", "0xE000E000"), "sram lies where the core's own registers are"),
        (('"none"\nbase = 0x40000000', '"pl011"\nbase = 0x20000100'), "0x20000100 lies in sram, where no UART can be"),
        (('"none"\nbase = 0x40000000', '"pl011"\nbase = 0x40000002'), "expected a word-aligned 32-bit address"),
        (('"none"\nbase = 0x40000000', '"pl011"\nbase = 0x4000000000'), "expected a word-aligned 32-bit address"),
        (('"sram"', '"s ram; x"'), "'s ram; x' is not a plain name"),
    ],
)
def test_places_and_names_that_no_chip_has(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change))
    assert said in error_of(path).message


def test_absent_file_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="no such file") as caught:
        find_board("nowhere.toml", tmp_path)
    assert "board name" in caught.value.hint


def test_misspelt_board_name_offers_the_nearest() -> None:
    with pytest.raises(BoardError, match="no board named 'stm32f4_disco'") as caught:
        find_board("stm32f4_disco")
    assert "stm32f4_discovery" in caught.value.hint
