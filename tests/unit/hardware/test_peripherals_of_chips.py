"""Peripherals that chip and board files name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from mcu_harness.base.errors import BoardError
from mcu_harness.hardware.arm.address_map import EXTERNAL_DEVICES, PERIPHERALS
from mcu_harness.hardware.board_file import BOARD_DIRECTORY, board_names, find_board, load_board
from mcu_harness.hardware.peripheral import CHIP_DIRECTORY, peripherals_of

CHIPS = sorted(CHIP_DIRECTORY.glob("*.toml"))
BOARDS = [find_board(name) for name in board_names()]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    text = (BOARD_DIRECTORY / "stm32f4_discovery.toml").read_text().replace("stm32f4_discovery", "own")
    path.write_text(text + '\n[[peripheral]]\nname = "usart1"\nkind = "pl011"\nbase = 0x40030000\nirqs = [3]\n')
    return path


@pytest.mark.parametrize("path", CHIPS, ids=lambda path: path.stem)
def test_a_chip_file_is_of_a_board_and_its_peripherals_lie_apart(path: Path) -> None:
    (part, *_) = tomllib.loads(path.read_text())["parts"]
    found = peripherals_of(part, ())
    assert [board.name for board in BOARDS if board.part.startswith(part)]
    assert found
    assert len({(one.base, one.kind) for one in found}) == len(found)  # a TWIM and a SPIM of nRF are one
    assert all(PERIPHERALS.holds(one.base) or EXTERNAL_DEVICES.holds(one.base) for one in found)


def test_the_console_of_a_known_chip_has_a_name_and_the_board_files_interrupt() -> None:
    known = [board for board in BOARDS if board.peripherals]
    assert len(known) >= 25
    for board in known:
        (console,) = (one for one in board.peripherals if one.base == board.console.base)
        assert board.console_name == console.name
        assert console.kind == board.console.driver
        assert board.console.irq in (None, console.irq)


def test_a_board_files_own_peripheral_takes_the_place_of_the_chips(own: Path) -> None:
    board = load_board(own)
    (one,) = (one for one in board.peripherals if one.name == "usart1")
    assert (one.kind, one.base, one.irqs) == ("pl011", 0x40030000, (3,))
    assert "usart6" in {one.name for one in board.peripherals}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"pl011"', '"pl11"', "unknown value 'pl11'"),
        ("0x40030000", "0x40030002", "word-aligned"),
        ("[3]", '["a"]', "list of numbers of interrupts"),
        ("[3]", "[481]", "list of numbers of interrupts"),
        ('name = "usart1"', 'name = "a b"', "no plain name|not a plain name"),
        ("irqs", "irq", "unknown key"),
    ],
)
def test_a_wrong_peripheral_is_an_error_with_its_line(own: Path, before: str, after: str, said: str) -> None:
    head, tail = own.read_text().split("[[peripheral]]")
    own.write_text(f"{head}[[peripheral]]{tail.replace(before, after)}")
    with pytest.raises(BoardError, match=said) as error:
        load_board(own)
    assert int(str(error.value).split(".toml:")[1].split(":")[0]) > len(head.splitlines())
