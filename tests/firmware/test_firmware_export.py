"""`mcu-harness build`: what is written is the image that was judged, and C that a project of one's own can call."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from host_firmware import host_compiler
from mcu_harness.app.cli.main import main
from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.cache import default_root
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import read_program
from mcu_harness.image.raw_reader import read_image
from mcu_harness.image.toolchain import Toolchain, find_toolchain
from mcu_harness.model.arrays import make_inputs
from mcu_harness.model.importers.tflite import import_tflite
from mcu_harness.model.reference import run_reference
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.firmware_tables import FirmwareSpec
from mcu_harness.scenario.scenario import scenario_for_firmware

MODEL = Path(__file__).parents[2] / "scenarios/models/digits.tflite"
# As the README of the written firmware has it, with a file in place of sensor and actuator.
USER_PROGRAM = """
#include <stdio.h>
#include "mcu_model.h"
int main(void) {
    int8_t sample[MCU_INPUT_0_ELEMENTS];
    while (fread(sample, 1, sizeof sample, stdin) == sizeof sample) {
        for (int i = 0; i < MCU_INPUT_0_ELEMENTS; i++) {
            MCU_INPUT_0[i] = sample[i];
        }
        mcu_infer();
        fwrite(MCU_OUTPUT_0, 1, MCU_OUTPUT_0_ELEMENTS, stdout);
    }
    return 0;
}
"""


def export(folder: Path, toolchain: str = "auto", *more: str) -> int:
    arguments = ["build", str(MODEL), "--board", "nucleo_l4r5zi", "--toolchain", toolchain, "--output", str(folder)]
    return main([*arguments, *more])


def test_elf_and_hex_are_the_same_image(tmp_path: Path, toolchain: Toolchain) -> None:
    assert export(tmp_path / "made", toolchain.name) == 0
    elf = read_program(tmp_path / "made/firmware.elf")
    written = read_image(tmp_path / "made/firmware.hex", 0)
    assert elf.symbol("mcu_infer").address
    flash = {segment.load_address: segment.data for segment in elf.segments if segment.data}
    found = b"".join(segment.data for segment in sorted(written.segments, key=lambda each: each.load_address))
    assert found == b"".join(flash[at] for at in sorted(flash))


def test_a_program_of_ones_own_gets_the_oracles_outputs(tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert export(made) == 0
    (tmp_path / "main.c").write_text(USER_PROGRAM)
    sources = [*made.glob("generated/*.c"), *made.glob("kernels/**/*.c")]
    assert len(sources) > 3
    includes = [f"-I{made / folder}" for folder in ("generated", "include", "kernels")]
    program = tmp_path / "program"
    subprocess.run([*host_compiler(), *includes, "-o", program, tmp_path / "main.c", *sources], check=True, timeout=300)
    graph = import_tflite(MODEL)
    inputs = make_inputs(graph, 1, 5)
    done = subprocess.run([program], input=inputs[0].tobytes(), capture_output=True, check=True, timeout=60)
    expected = run_reference(MODEL, graph, inputs).outputs[0]
    assert np.array_equal(np.frombuffer(done.stdout, np.int8), expected.reshape(-1))


CPP_PROGRAM = """
#include <cstring>
#include <string.h>
#include "mcu_model.h"
int main() {
    const char *text = "a name";
    std::memset(MCU_INPUT_0, 0, MCU_INPUT_0_ELEMENTS);
    mcu_infer();
    return std::strlen(text) == 6 && strcmp(text, "a name") == 0 ? 0 : 1;
}
"""
CMAKE = """
cmake_minimum_required(VERSION 3.13)
project(app C CXX)
add_subdirectory(made)
add_executable(app main.cpp)
target_link_libraries(app PRIVATE mcu_model)
"""


def test_cpp_project_with_cmake_keeps_its_own_library(tmp_path: Path) -> None:
    if shutil.which("cmake") is None or shutil.which("c++") is None:
        pytest.skip("needs cmake and a C++ compiler")
    assert export(tmp_path / "made", "auto", "--kernels", "portable") == 0
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    (tmp_path / "main.cpp").write_text(CPP_PROGRAM)
    for command in (["-S", ".", "-B", "out"], ["--build", "out"]):
        done = subprocess.run(["cmake", *command], cwd=tmp_path, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    assert subprocess.run([tmp_path / "out/app"], timeout=60).returncode == 0


def test_cmake_takes_it_as_a_library(tmp_path: Path) -> None:
    if shutil.which("cmake") is None:
        pytest.skip("needs cmake")
    made = tmp_path / "made"
    assert export(made) == 0
    subprocess.run(["cmake", "-S", made, "-B", tmp_path / "out"], check=True, capture_output=True, timeout=120)
    subprocess.run(["cmake", "--build", tmp_path / "out"], check=True, capture_output=True, timeout=300)
    assert list((tmp_path / "out").glob("*mcu_model*"))


@pytest.mark.parametrize("board", ["nucleo_l4r5zi", "stm32f746g_disco"])
def test_cmake_gives_kernels_what_the_core_wants(board: str, tmp_path: Path) -> None:
    assert main(["build", str(MODEL), "--board", board, "--output", str(tmp_path / "made")]) == 0
    text = (tmp_path / "made/CMakeLists.txt").read_text()
    assert ("MCU_SINGLE_LOADS" in text) == (board == "stm32f746g_disco")


def test_the_readme_names_sizes_scales_and_flags(tmp_path: Path) -> None:
    assert export(tmp_path / "made") == 0
    text = (tmp_path / "made/README.md").read_text()
    tensor = import_tflite(MODEL).tensors[import_tflite(MODEL).inputs[0]]
    assert tensor.quantization is not None
    assert repr(tensor.quantization.scales[0]) in text
    assert "-mcpu=cortex" in text
    assert re.search(r"`MCU_OUTPUT_0` \| int8, 1 x 10", text)


def test_what_is_placed_is_placed_by_the_files_that_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are compiled as the README says, linked by board.ld, and run as fast as was predicted, with the oracle's outputs."""
    made, board, toolchain = tmp_path / "made", find_board("nucleo_l4r5zi"), find_toolchain()
    assert export(made, toolchain.name, "--placement", "auto") == 0
    said = capsys.readouterr().out
    predicted = float(re.search(r"predicted ([\d,]+)", said).group(1).replace(",", ""))  # type: ignore[union-attr]
    assert "Placed in sram: constants" in said and "| `.placed_0` | sram |" in (made / "README.md").read_text()
    sources = sorted(made.rglob("*.c"))
    flags = ["-Igenerated", "-Iinclude", "-Ikernels", "-Iruntime"]
    environment = {**os.environ, **toolchain.environment(default_root() / toolchain.name, tmp_path / "compiler")}
    objects = []
    for number, source in enumerate(sources):
        objects.append(tmp_path / f"{number}.o")
        name = source.relative_to(made).as_posix()
        command = [*toolchain.command, *toolchain.file_flags(name, board), *flags, "-c", name, "-o", str(objects[-1])]
        subprocess.run(command, cwd=made, env=environment, check=True, timeout=300)
    linked = tmp_path / "mine.elf"
    link = [*toolchain.link_command(board, made / "board.ld", objects, None), "-o", str(linked)]
    subprocess.run(link, env=environment, check=True, timeout=300)
    filters = [read_program(elf).symbol("mcu_layer_00_conv_2d_filter") for elf in (linked, made / "firmware.elf")]
    assert all(board.memory("sram").holds(each.address) for each in filters)
    assert export(tmp_path / "usual", toolchain.name) == 0
    mine, theirs, usual = (cycles(elf) for elf in (linked, made / "firmware.elf", tmp_path / "usual/firmware.elf"))
    assert mine == pytest.approx(theirs, rel=0.01) and theirs == pytest.approx(predicted, rel=0.053)
    assert max(mine, theirs) < 0.98 * usual


def cycles(elf: Path) -> float:
    """Of one inference of firmware that was written, as anybody's."""
    spec = FirmwareSpec(str(elf), begin="mcu_infer")
    (case,) = cases_of(scenario_for_firmware(elf, ("nucleo_l4r5zi",), spec))
    result = Session().run(case, Options(emulator="unicorn"), gated=False)
    value = result.value("cycles")
    assert result.verdict == "pass" and value is not None, result.findings
    return value


@pytest.mark.parametrize("kind", ["file", "full"])
def test_a_place_that_is_taken_is_left_alone(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "made"
    if kind == "file":
        place.write_text("mine")
    else:
        place.mkdir()
        (place / "mine.c").write_text("mine")
    assert export(place) == 2
    assert "is there already and not empty" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == (["made"] if kind == "file" else ["made", "mine.c"])
