"""Variables of a live board by the types of the debug information, against what the C code put there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from live_boards import live_board
from live_firmware import shell
from mcu_harness.app.live.board import LiveBoard
from mcu_harness.base.errors import ElfError, HarnessError

pytestmark = pytest.mark.gnu

SETTINGS = {
    "name": "probe",
    "corners": [{"x": 1, "y": -2}, {"x": 3, "y": 4}],
    "mode": "RUNNING",
    "gain": 1.5,
    "low": 5,
    "high": 17,
}


@pytest.fixture(
    scope="module", params=["-gdwarf-2 -gstrict-dwarf", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5", "-gdwarf-5 -gz"]
)
def elf(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    return shell(tmp_path_factory.mktemp("shell"), flags=request.param.split())


@pytest.fixture
def board(elf: Path) -> Iterator[LiveBoard]:
    with live_board(elf) as opened:
        opened.expect(r"ms\n")
        yield opened


def test_a_structure_is_a_dict(board: LiveBoard) -> None:
    settings = board.read("settings")
    assert isinstance(settings, dict)
    label = settings.pop("label")
    assert settings == SETTINGS
    assert board.read(label, "char[5]") == "text"
    assert board.read(board._firmware.address("settings"), "struct settings")["gain"] == 1.5


def test_parts_of_a_variable_are_written_as_in_c(board: LiveBoard) -> None:
    assert board.read("settings.corners[1].y") == 4
    assert board.read("settings.corners[0]") == {"x": 1, "y": -2}
    assert board.read("settings.mode") == "RUNNING"
    assert board.read("settings.gain", "u32") == 0x3FC00000
    assert board.read("table[2]") == 3
    assert board.read("temperature") == -40
    assert board.read_bytes("settings.corners[1]", 4) == b"\x03\0\x04\0"


def test_what_is_written_is_read_again_by_python_and_by_the_firmware(board: LiveBoard) -> None:
    board.write("settings.corners[0].x", -7)
    board.write("settings.corners[1]", {"y": 9})
    board.write("settings.mode", "BROKEN")
    board.write("settings", {"name": "longer", "high": 31, "low": 0})
    board.write("settings.gain", 2)
    board.write("table", [5, 6, 7, 8])
    settings = board.read("settings")
    assert isinstance(settings, dict)
    settings.pop("label")
    assert settings == {
        "name": "longer",
        "corners": [{"x": -7, "y": -2}, {"x": 3, "y": 9}],
        "mode": "BROKEN",
        "gain": 2.0,
        "low": 0,
        "high": 31,
    }
    board.write("temperature", 100)
    board.write("result", 0)  # the firmware adds what was there
    board.send("use\n")
    board.expect("done")
    assert board.read("result") == 100 + 2 + 6 + 55


def test_values_that_do_not_fit_name_the_part(board: LiveBoard) -> None:
    for place, value, said in [
        ("settings.corners[0].x", 40000, "settings.corners\\[0\\].x|short int"),
        ("settings", {"corners": [{"z": 1}, {}]}, "corners\\[0\\] has no member 'z'"),
        ("settings", {"low": 8}, "low: 8 does not fit into 3 bits"),
        ("settings.mode", "RUNING", "RUNNING"),
        ("settings.name", "much too long", "room for 8"),
        ("table", [1, 2], "a list of 4"),
        ("settings", 5, "a dict of members"),
        ("temperature", "warm", "expected short int, got 'warm'"),
    ]:
        with pytest.raises(HarnessError, match=said):
            board.write(place, value)  # type: ignore[arg-type]


def test_parts_that_are_not_there_have_near_ones(board: LiveBoard) -> None:
    for place, said in [
        ("settings.corner", "corners"),
        ("settings.corners[2]", "no element 2"),
        ("temperature.x", "it is short int"),
        ("settings.low", "bit field"),
        ("setings.low", "settings"),
        ("settings..low", "no symbol"),
    ]:
        with pytest.raises(HarnessError, match=said):
            board.read(place)
    with pytest.raises(HarnessError, match="struct point"):
        board.read("settings", "struct pint")
    with pytest.raises(HarnessError, match="has no type of its own"):
        board.read(0x20000000)


def test_without_debug_information_a_type_has_to_be_given(tmp_path: Path) -> None:
    with live_board(shell(tmp_path, flags=["-g0"])) as board:
        board.expect("ready")
        assert board.read("temperature", "i16") == -40
        with pytest.raises(ElfError, match="build with -g"):
            board.read("temperature")
