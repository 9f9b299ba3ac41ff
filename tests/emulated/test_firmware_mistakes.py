"""What is no firmware for the board, places where no code is, and names that mean harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firmware_runs import BOARD, SQUARES, run
from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import ElfError, HarnessError
from user_firmware import build, tool

pytestmark = pytest.mark.gnu


@pytest.mark.parametrize(
    ("places", "problem"),
    [
        ({"begin": "total"}, r"begin: the image has no code at total \(0x2000"),
        ({"begin": "0x12345678"}, "begin: the image has no code at 0x12345678"),
        ({"begin": "main", "end": "_estack"}, "end: the image has no code at _estack"),
        ({"begin": "main", "stop": "main"}, "stop: the program would be over where measuring begins"),
    ],
)
def test_places_where_no_code_is_are_refused(tmp_path: Path, places: dict[str, str], problem: str) -> None:
    with pytest.raises(HarnessError, match=problem):
        run(build(tmp_path, SQUARES), **places)


def test_files_that_are_no_firmware_for_this_board_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not firmware at all")
    elf = build(tmp_path, SQUARES)
    tool("objcopy", tmp_path, "-O", "binary", elf.name, "image.bin")
    for name, options in (("notes.txt", {}), ("image.bin", {"load_address": 0x2000_0000})):
        with pytest.raises(ElfError, match="no vector table that fits stm32f4_discovery") as caught:
            run(tmp_path / name, **options)
        assert "--load-address" in caught.value.hint
    (tmp_path / "old.c").write_text("void _start(void) { for (;;) { } }")
    tool("gcc", tmp_path, "-marm", "-mcpu=arm7tdmi", "-nostdlib", "old.c", "-o", "old.elf")
    with pytest.raises(ElfError, match="no Thumb code at its entry") as caught:
        run(tmp_path / "old.elf")
    assert "Thumb code only" in caught.value.hint


def test_a_hostile_name_moves_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "a_function_with_a_long_name"
    code = f"volatile int n;\n__attribute__((noinline)) int {name}(int x) {{ n = x; return x; }}\nint main(void) {{ return {name}(0); }}"
    elf = build(tmp_path, code)
    evil = b"\x1b[31m\x07<img src=x>`id`$(id)"
    elf.write_bytes(elf.read_bytes().replace(name.encode(), evil.ljust(len(name), b"_")))
    assert main(["profile", str(elf), "--board", BOARD, "--emulator", "unicorn", "--report-dir", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "?[31m?<img src=x>`id`$(id)" in said and "\x1b" not in said
    results = json.loads((tmp_path / "results.json").read_text())["runs"][0]
    shown = [symbol["name"] for symbol in results["symbols"]] + [function["name"] for function in results["functions"]]
    assert all(text.isprintable() for text in shown)
