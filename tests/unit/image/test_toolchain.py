from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from mcu_harness.base.errors import ToolchainError
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image import toolchain
from mcu_harness.image.toolchain import Toolchain, available_toolchains, find_toolchain
from sample_boards import board

GNU = Toolchain("gnu", "12.2", ("arm-none-eabi-gcc",))
ZIG = Toolchain("zig", "0.13.0", ("zig", "cc"))


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ziglang" else find(name))


def fake(folder: Path, name: str, answer: str) -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    return program


def test_auto_takes_the_gnu_compiler_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake(tmp_path, "arm-none-eabi-gcc", "echo 'arm-none-eabi-gcc (Vendor 9) 9.9.9 20300101'")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_toolchain()
    assert found == Toolchain("gnu", "(Vendor 9) 9.9.9 20300101", (str(program),))
    assert available_toolchains()[0] == found


def test_auto_takes_zig_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_wheel: None) -> None:
    program = fake(tmp_path, "zig", "echo 0.99.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_toolchain("auto") == Toolchain("zig", "0.99.0", (str(program), "cc"))


def test_the_wheel_goes_before_a_zig_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ziglang")
    fake(tmp_path, "zig", "echo 0.99.0")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert "ziglang" in find_toolchain("zig").command[0]


def test_with_no_compiler_both_ways_out_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_wheel: None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert available_toolchains() == []
    with pytest.raises(ToolchainError, match="no compiler for Arm Cortex-M") as caught:
        find_toolchain()
    assert "pip install" in caught.value.hint and "apt install gcc-arm-none-eabi" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "way_out"), [("gnu", "apt install gcc-arm-none-eabi"), ("zig", "pip install ziglang")]
)
def test_one_that_was_asked_for_and_is_missing_is_an_error_with_its_way_out(
    name: str, way_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_wheel: None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match=f"'{name}' was asked for") as caught:
        find_toolchain(name)
    assert way_out in caught.value.hint


def test_an_unknown_name_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(ToolchainError, match="'iar'") as caught:
        find_toolchain("iar")
    assert "auto, gnu, zig" in caught.value.hint


def test_a_compiler_that_does_not_work_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path, "arm-none-eabi-gcc", "echo 'cannot load libfoo' >&2; exit 127")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="cannot load libfoo"):
        find_toolchain("gnu")


@pytest.mark.parametrize(
    ("core", "fpu", "dsp", "gnu", "zig"),
    [
        ("cortex-m0+", "none", None, "-mcpu=cortex-m0plus -mthumb -mfloat-abi=soft", "eabi -mcpu=cortex_m0plus"),
        ("cortex-m4", "none", None, "-mcpu=cortex-m4 -mthumb -mfloat-abi=soft", "eabi -mcpu=cortex_m4"),
        (
            *("cortex-m4", "fpv4-sp-d16", None),
            *("-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16", "eabihf -mcpu=cortex_m4+vfp4d16sp"),
        ),
        (
            *("cortex-m7", "fpv5-d16", None),
            *("-mcpu=cortex-m7 -mthumb -mfloat-abi=hard -mfpu=fpv5-d16", "eabihf -mcpu=cortex_m7+fp_armv8d16"),
        ),
        ("cortex-m33", "none", False, "-mcpu=cortex-m33+nodsp -mthumb -mfloat-abi=soft", "eabi -mcpu=cortex_m33"),
        (
            *("cortex-m33", "fpv5-sp-d16", True),
            "-mcpu=cortex-m33 -mthumb -mfloat-abi=hard -mfpu=fpv5-sp-d16",
            "eabihf -mcpu=cortex_m33+dsp+fp_armv8d16sp",
        ),
    ],
)
def test_target_flags_follow_the_boards_core_and_options(
    core: str, fpu: str, dsp: bool | None, gnu: str, zig: str
) -> None:
    target = board(core, fpu, dsp)
    assert " ".join(GNU.target_flags(target)) == gnu
    assert " ".join(ZIG.target_flags(target)) == f"-target thumb-freestanding-{zig}"


def test_every_board_fpu_has_a_name_in_llvm() -> None:
    fpus = {fpu for core in toolchain.CORES.values() for fpu in core.fpus}
    assert fpus == set(toolchain._LLVM_FPU)


def test_cores_of_one_architecture_share_helpers() -> None:
    assert GNU.helper_command(board("cortex-m0")) is None
    assert ZIG.helper_command(board("cortex-m0+")) == ZIG.helper_command(board("cortex-m0"))
    assert ZIG.helper_command(board("cortex-m4")) != ZIG.helper_command(board("cortex-m4", "fpv4-sp-d16"))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("exit 1", "nothing"),
        ("printf '\\377\\033[31m 1'", "?[31m 1"),
        ("echo no number", "no number"),
        ("echo >&2 boom; exit 3", "boom"),
    ],
)
def test_a_compiler_that_does_not_work_is_one_error_that_names_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, said: str
) -> None:
    fake(tmp_path, "arm-none-eabi-gcc", answer)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    with pytest.raises(ToolchainError, match="compiler gnu does not work") as caught:
        find_toolchain()
    assert said in caught.value.message and caught.value.message.isprintable()
    assert "zig" in caught.value.hint


def test_flags_of_ones_own_come_last_and_are_part_of_the_name(toolchain: Toolchain) -> None:
    chosen = find_toolchain(f"{toolchain.name}:-Os,-fno-inline")
    assert chosen.label == f"{toolchain.name}:-Os,-fno-inline" and toolchain.label == toolchain.name
    assert chosen.compile_flags(board("cortex-m4"))[-2:] == ("-Os", "-fno-inline")


@pytest.mark.parametrize("name", ["gnu:", "gnu:-o,x", "gnu:O3", "gnu:-Wl,-Tx", "gnu:-I/tmp", "gnu:-O3 -g", "gnu:@file"])
def test_what_is_no_plain_flag_is_refused(name: str) -> None:
    with pytest.raises(ToolchainError):
        find_toolchain(name)


@pytest.mark.parametrize(("name", "level"), [("gnu", "-O2"), ("zig", "-Os")])
def test_a_kernel_set_has_its_level_and_the_users_own_is_over_it(name: str, level: str) -> None:
    def levels(source: str, *options: str) -> list[str]:
        flags = Toolchain(name, "1", ("cc",), options).file_flags(source, find_board("nucleo_l4r5zi"))
        return [flag for flag in flags if flag.startswith("-O")]

    assert levels("kernels/dsp/conv_2d_s8.c")[-1] == level
    assert levels("kernels/dsp/conv_2d_s8.c", "-O3")[-1] == "-O3"
    assert levels("kernels/portable/conv_2d_s8.c") == levels("generated/model.c") == ["-O2"]
