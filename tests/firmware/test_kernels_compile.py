"""Kernels compile without a warning for the smallest and a larger core, and need nothing that cores lack."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from host_firmware import FIRMWARE
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.toolchain import Toolchain, available_toolchains
from mcu_harness.model.codegen.kernel_sets import kernel_sets

STRICT = ("-Wpedantic", "-Wmissing-prototypes", "-Wshadow", "-Werror")
SETS = sorted(path.name for path in (FIRMWARE / "kernels").iterdir() if path.is_dir())
SMALLEST = "stm32f072b_disco"
FLOATING = {
    *("detection_postprocess_s8.c", "quantize.c", "dequantize.c", "quantize_s16.c", "dequantize_s16.c"),
    *("cast_f32.c", "reals_f32.c", "resize_bilinear_real_s8.c"),
}

each_toolchain = pytest.mark.parametrize("toolchain", available_toolchains(), ids=lambda toolchain: toolchain.name)


@cache
def compiled(toolchain: Toolchain, board: str, kernel_set: str, parent: Path) -> Path:
    """A folder with object files of the set; fails on any warning."""
    sources = kernels_of(kernel_set)
    folder = parent / f"{toolchain.name}-{board}-{kernel_set}"
    folder.mkdir()
    include = FIRMWARE / "include"
    command = [*toolchain.command, *toolchain.compile_flags(find_board(board)), *STRICT, f"-I{include}", "-c"]
    environment = {**os.environ, **toolchain.environment(folder, folder)}
    # Zig leaves one object file of several sources.
    for part in [[source] for source in sources] if toolchain.name == "zig" else [sources]:
        done = subprocess.run(
            [*command, *part], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


def kernels_of(kernel_set: str) -> list[Path]:
    found = sorted((FIRMWARE / "kernels" / kernel_set).glob("*.c"))
    assert found, kernel_set
    return found


@each_toolchain
@pytest.mark.parametrize("board", ["stm32f072b_disco", "stm32f4_discovery"])
@pytest.mark.parametrize("kernel_set", SETS)
def test_kernels_compile_without_a_warning(toolchain: Toolchain, board: str, kernel_set: str, parent: Path) -> None:
    assert len(list(compiled(toolchain, board, kernel_set, parent).glob("*.o"))) == len(kernels_of(kernel_set))


@each_toolchain
@pytest.mark.parametrize("kernel_set", [one.name for one in kernel_sets("fast", find_board(SMALLEST).target)])
def test_integer_kernels_call_only_each_other_on_the_smallest_core(
    toolchain: Toolchain, kernel_set: str, parent: Path
) -> None:
    """No long multiply or division of the compiler's library: with Zig it would have to be built for every target."""
    sources = [path.with_suffix(".o").name for path in kernels_of(kernel_set) if path.name not in FLOATING]
    folder = compiled(toolchain, SMALLEST, kernel_set, parent)
    assert len(list(folder.glob("*.o"))) >= len(sources) > 0
    for path in (folder / name for name in sources):
        with path.open("rb") as file:
            symbols = ELFFile(file).get_section_by_name(".symtab").iter_symbols()
            called = {symbol.name for symbol in symbols if symbol.name and symbol["st_shndx"] == "SHN_UNDEF"}
        assert {name for name in called if not name.startswith("mcu_")} <= {"memcpy", "memmove", "memset"}, path.name
