"""`mcu-harness footprint`: what an image takes, from its file alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main
from user_firmware import build

CODE = """
#include <string.h>
const int table_a[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
const int table_b[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
char buffer[BUFFER];
__attribute__((noinline)) int sum(const int *values) { int s = 0; for (int i = 0; i < 16; i++) s += values[i]; return s; }
int main(void) { for (;;) buffer[0] = (char)(sum(table_a) + sum(table_b)); }
"""
SCRIPT = """
MEMORY { ROM (rx) : ORIGIN = 0x08000000, LENGTH = 256K
 WORK (rwx) : ORIGIN = 0x20000000, LENGTH = 64K }
"""


def image(folder: Path, buffer: int = 1000) -> Path:
    folder.mkdir(exist_ok=True)
    return build(folder, CODE, flags=("-O2", "-g", "-fno-merge-constants", "-fno-ipa-icf", f"-DBUFFER={buffer}"))


def footprint(*arguments: object) -> int:
    return main(["footprint", *map(str, arguments)])


def test_regions_of_the_script_sum_to_what_size_says(tmp_path: Path) -> None:
    elf = image(tmp_path / "new")
    (tmp_path / "own.ld").write_text(SCRIPT)
    assert footprint(elf, "--script", tmp_path / "own.ld", "--json", tmp_path / "out.json") == 0
    made = json.loads((tmp_path / "out.json").read_text())
    text, data, bss = map(
        int, subprocess.check_output(["arm-none-eabi-size", elf], text=True, timeout=60).splitlines()[1].split()[:3]
    )
    used = {region["name"]: region["used_bytes"] for region in made["regions"]}
    padding = made["padding_bytes"]
    assert used == {"ROM": text + data + padding, "WORK": data + bss}
    assert made["flash_bytes"] == sum(row["flash_bytes"] for row in made["symbols"]) == text + data + padding


def test_symbols_have_their_source_files_and_copies_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = image(tmp_path / "new")
    assert footprint(elf, "--json", tmp_path / "out.json") == 0
    made = json.loads((tmp_path / "out.json").read_text())
    files = {row["name"]: Path(row["file"]).name for row in made["symbols"]}
    source = files["sum"]
    assert source.endswith(".c")
    assert {files["table_a"], files["table_b"], files["buffer"], files["main"]} == {source}
    assert {"names": ["table_a", "table_b"], "size_bytes": 64} in made["copies"]
    assert "table_a, table_b" in capsys.readouterr().out


def test_a_budget_on_a_region_fails_and_names_the_largest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elf = image(tmp_path / "new")
    (tmp_path / "own.ld").write_text(SCRIPT)
    assert footprint(elf, "--script", tmp_path / "own.ld", "--budget", "WORK=64KiB", "--budget", "ram=64KiB") == 0
    assert footprint(elf, "--script", tmp_path / "own.ld", "--budget", "WORK=900B") == 1
    out = capsys.readouterr().out
    assert "WORK is 1" in out
    assert "buffer" in out.partition("largest contributors")[2]
    assert footprint(elf, "--budget", "WROK=1KiB") == 2


def test_the_difference_of_two_images_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = image(tmp_path / "old", 1000), image(tmp_path / "new", 3000)
    assert footprint(new, "--compare", old, "--markdown", tmp_path / "comment.md", "--json", tmp_path / "out.json") == 0
    (change,) = json.loads((tmp_path / "out.json").read_text())["changes"]
    assert (change["name"], change["before_bytes"], change["after_bytes"]) == ("buffer", 1000, 3000)
    assert "flash +0 B, RAM +2,000 B" in capsys.readouterr().out
    comment = (tmp_path / "comment.md").read_text()
    assert "| buffer" in comment
    assert "+2,000 B" in comment


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"not an image"])
def test_what_is_no_image_is_one_error(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.elf"
    path.write_bytes(content)
    assert footprint(path) == 2
    assert "x.elf" in capsys.readouterr().err
