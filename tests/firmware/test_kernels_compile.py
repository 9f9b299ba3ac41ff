"""Kernels compile without a warning for the smallest and a larger core, and need nothing that cores lack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from host_firmware import FIRMWARE
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.toolchain import Toolchain, available_toolchains

STRICT = ("-Wpedantic", "-Wmissing-prototypes", "-Wshadow", "-Werror")
KERNELS = sorted((FIRMWARE / "kernels").rglob("*.c"))
FLOATING = {"quantize.c", "dequantize.c"}

each_toolchain = pytest.mark.parametrize("toolchain", available_toolchains(), ids=lambda toolchain: toolchain.name)


def compiled(toolchain: Toolchain, board: str, sources: list[Path], folder: Path) -> None:
    """Object files of `sources` in `folder`; fails on any warning."""
    include = FIRMWARE / "include"
    command = [*toolchain.command, *toolchain.compile_flags(find_board(board)), *STRICT, f"-I{include}", "-c", *sources]
    environment = {**os.environ, **toolchain.environment(folder, folder)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


@each_toolchain
@pytest.mark.parametrize("board", ["stm32f072b_disco", "stm32f4_discovery"])
def test_kernels_compile_without_a_warning(toolchain: Toolchain, board: str, tmp_path: Path) -> None:
    compiled(toolchain, board, KERNELS, tmp_path)


@each_toolchain
def test_integer_kernels_call_only_each_other_on_the_smallest_core(toolchain: Toolchain, tmp_path: Path) -> None:
    """No long multiply or division of the compiler's library: with Zig it would have to be built for every target."""
    compiled(toolchain, "stm32f072b_disco", [path for path in KERNELS if path.name not in FLOATING], tmp_path)
    for path in tmp_path.glob("*.o"):
        with path.open("rb") as file:
            symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
            called = {symbol.name for symbol in symbols if symbol.name and symbol["st_shndx"] == "SHN_UNDEF"}
        assert {name for name in called if not name.startswith("mcu_")} <= {"memcpy", "memmove", "memset"}, path.name
