"""`mcu-harness versus`: generated firmware beside an ELF that was made before, with the figures of both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.results import results_file

pytestmark = pytest.mark.gnu
BOARD = "nucleo_l4r5zi"
LAYERS = ("conv_2d", "reshape", "fully_connected", "softmax")


@pytest.fixture(scope="module")
def theirs(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Firmware for the small model: of the portable kernels, as another project would have linked it."""
    folder = tmp_path_factory.mktemp("theirs") / "made"
    assert main(["build", str(small_model), "--board", BOARD, "--kernels", "portable", "--output", str(folder)]) == 0
    return folder / "firmware.elf"


def versus(model: Path, *arguments: str) -> int:
    return main(["versus", str(model), *arguments, "--board", BOARD])


def test_a_table_of_ours_portable_and_theirs(
    small_model: Path, theirs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    regions = [f"--region={name.upper()}=mcu_layer_{nth:02}_{name}" for nth, name in enumerate(LAYERS)]
    out, kept = tmp_path / "versus.json", tmp_path / "results.json"
    options = ["--begin", "mcu_infer", *regions, "--json", str(out), "--results", str(kept)]
    assert versus(small_model, f"theirs={theirs}", *options) == 0
    shown = capsys.readouterr().out
    (board,) = json.loads(out.read_text())["boards"]
    ours, portable, other = board["firmwares"]
    assert [each["name"] for each in board["firmwares"]] == ["mcu-harness", "mcu-harness, portable", "theirs"]
    assert {each["verdict"] for each in board["firmwares"]} == {"pass"}
    # The same C, compiled before: the same memory, and the same costs where these do not depend on the input.
    for figure in ("flash_bytes", "ram_bytes", "stack_hwm_bytes"):
        assert other["figures"][figure] == portable["figures"][figure] > 0
    assert [layer["name"] for layer in board["layers"]] == [f"{n:02} {name.upper()}" for n, name in enumerate(LAYERS)]
    for layer in board["layers"][:3]:
        assert layer["instructions"][1] == layer["instructions"][2] and layer["cycles"][1] == layer["cycles"][2]
    convolution = board["layers"][0]
    assert convolution["names"] == ["00 CONV_2D", "00 CONV_2D", "CONV_2D"]
    assert convolution["instructions"][0] < convolution["instructions"][1]
    assert convolution["ratios"] == [1, *(cycles / convolution["cycles"][0] for cycles in convolution["cycles"][1:])]
    assert ours["ratios"]["cycles"] == 1
    assert other["ratios"]["cycles"] == other["figures"]["cycles"] / ours["figures"]["cycles"]
    assert f"({other['ratios']['cycles']:.2f} x)" in shown and "was not checked" in shown
    assert [run.scenario for run in results_file.load(kept).runs] == ["mcu-harness", "mcu-harness, portable", "theirs"]


def test_without_a_place_to_begin_it_says_what_was_counted(
    small_model: Path, theirs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert versus(small_model, str(theirs)) == 0
    said = capsys.readouterr().out
    assert "counted from reset" in said and "theirs" not in said.split("\n")[3] and "firmware  " in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.elf"], "nowhere.elf: no such file"),
        (["a=one.elf", "a=two.elf"], "two firmwares are called 'a'"),
        (["mcu-harness=one.elf"], "two firmwares are called 'mcu-harness'"),
        (["one.elf", "--region", "x"], "cannot read the region 'x'"),
        (["one.elf", "--toolchain", "gnu", "--toolchain", "zig"], "one compiler"),
        (["one.elf"], "one.elf: not an ELF file"),
    ],
)
def test_mistakes_are_one_line_and_build_nothing(
    arguments: list[str], said: str, small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name in ("one.elf", "two.elf"):
        Path(name).write_bytes(b"no firmware")
    assert versus(small_model, *arguments) == 2
    (line, *_) = [line for line in capsys.readouterr().err.splitlines() if "error:" in line]
    assert said in line
