"""The board file that `boards --new` writes: it can be read as it is, and with everything in it that is commented out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from mcu_harness.app.board_template import board_template
from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import BoardError, UnitError
from mcu_harness.hardware.board_file import load_board
from mcu_harness.hardware.core import CORES


@pytest.mark.parametrize("core", sorted(CORES))
def test_template_is_a_board_of_every_core(core: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(board_template("mine", core, "64 MHz", "96 KiB", "36 KiB"))
    board = load_board(path)
    assert (board.core.name, board.clock_hz, board.code_memory.size, board.data_memory.size) == (
        core,
        64_000_000,
        96 << 10,
        36 << 10,
    )
    assert set(tomllib.loads(path.read_text())["sources"].values()) == {"not looked up"}  # nobody said anything yet
    assert not board.code_memory.waits_stated  # so that every run says that its cycles lack them


def test_everything_that_is_commented_out_can_be_read_too(tmp_path: Path) -> None:
    text = board_template("mine", "cortex-m4", "64 MHz", "512 KiB", "128 KiB")
    inside = re.sub(r"^# (?=(?:\[|[a-z_]+ = ))", "", text, flags=re.MULTILINE)
    assert inside.count("\n#") < text.count("\n#")
    path = tmp_path / "mine.toml"
    path.write_text(inside)
    board = load_board(path)
    assert board.fpu != "none" and board.supply_v == 3.3 and board.renode_platform
    assert [memory.name for memory in board.memories] == ["flash", "sram", "system", "sdram"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("a b", "cortex-m4", "1 MHz", "1 KiB", "1 KiB"), BoardError),
        (("a", "cortex-m99", "1 MHz", "1 KiB", "1 KiB"), BoardError),
        (("a", "cortex-m4", "1 MHz", "1 K", "1 KiB"), UnitError),
        (("a", "cortex-m4", "1", "1 KiB", "1 KiB"), UnitError),
    ],
)
def test_mistakes_are_errors(arguments: tuple[str, str, str, str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        board_template(*arguments)


def test_command_writes_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["boards", "--new", "node", "--core", "cortex-m0+", "--ram", "8 KiB"]) == 0
    assert load_board(tmp_path / "node.toml").core.name == "cortex-m0+"
    assert main(["boards", "node.toml"]) == 0
    assert main(["boards", "--new", "node", "--core", "cortex-m3"]) == 2
    assert main(["boards", "--new", "other"]) == 2
    said = capsys.readouterr().err
    assert "is there already" in said and "give --core, one of" in said


def test_sources_that_are_missing_are_one_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    text = board_template("mine", "cortex-m4", "64 MHz", "512 KiB", "128 KiB")
    path.write_text(text[: text.rindex("[sources]")] + '[sources]\ncore = "x"\n')
    with pytest.raises(BoardError, match="missing: clock, memory, wait_states, current, console"):
        load_board(path)
