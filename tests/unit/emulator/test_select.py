from __future__ import annotations

import pytest

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator import select
from mcu_harness.hardware.board_file import find_board


@pytest.fixture
def renode(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Says whether a Renode is found, and which boards it cannot run."""

    def set_up(found: bool, cannot: str = "") -> None:
        monkeypatch.setattr(select, "_renode_found", lambda: found)
        monkeypatch.setitem(select._SUPPORTS, "renode", lambda board: "no platform" if board.name == cannot else "")

    return set_up


def test_auto_takes_renode_where_one_is_found(renode) -> None:  # type: ignore[no-untyped-def]
    renode(found=True)
    assert select.resolve("auto", find_board("stm32f4_discovery")) == "renode"


def test_auto_takes_the_embedded_emulator_where_there_is_no_renode(renode) -> None:  # type: ignore[no-untyped-def]
    renode(found=False)
    assert select.resolve("auto", find_board("stm32f4_discovery")) == "unicorn"


def test_auto_takes_the_embedded_emulator_for_boards_that_renode_cannot_run(renode) -> None:  # type: ignore[no-untyped-def]
    renode(found=True, cannot="colibri_vf61")
    assert select.resolve("auto", find_board("colibri_vf61")) == "unicorn"


def test_name_that_is_asked_for_is_taken_as_it_is(renode) -> None:  # type: ignore[no-untyped-def]
    renode(found=False)
    assert select.resolve("renode", find_board("stm32f4_discovery")) == "renode"
    with pytest.raises(EmulatorError, match="no emulator named 'qemu'") as caught:
        select.find_emulator(select.resolve("qemu", find_board("stm32f4_discovery")))
    assert "unicorn" in caught.value.hint
