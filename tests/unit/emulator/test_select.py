from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mcu_harness.base.errors import EmulatorError, EmulatorMissing
from mcu_harness.emulator import emulators
from mcu_harness.emulator import select as module
from mcu_harness.emulator.emulators import EMULATORS, EmulatorEntry, Need, emulator_entry
from mcu_harness.emulator.select import select
from mcu_harness.hardware.board_file import find_board

F4 = "stm32f4_discovery"
Renode = Callable[..., None]


@pytest.fixture
def renode(monkeypatch: pytest.MonkeyPatch) -> Renode:
    """Says whether a Renode is found, and which board it cannot run."""

    def set_up(found: bool, cannot: str = "") -> None:
        def describe() -> str:
            if not found:
                raise EmulatorMissing("there is no Renode")
            return "1.16.1"

        made = replace(
            emulator_entry("renode"),
            describe=describe,
            identity=lambda: "of this test",
            supports=lambda board: "no platform" if board.name == cannot else "",
        )
        monkeypatch.setattr(module, "EMULATORS", (emulator_entry("unicorn"), made))
        monkeypatch.setattr(module, "_why_unusable", lambda entry: "" if entry.describe() else "no version")

    return set_up


def chosen(asked: str, *needs: Need, board: str = F4) -> str:
    return select(asked, find_board(board), needs).entry.name


def test_auto_takes_renode_where_one_is_found(renode: Renode) -> None:
    renode(found=True)
    assert chosen("auto") == "renode"


def test_auto_takes_the_embedded_emulator_where_there_is_no_renode(renode: Renode) -> None:
    renode(found=False)
    assert chosen("auto") == "unicorn"


def test_auto_takes_the_embedded_emulator_for_boards_that_renode_cannot_run(renode: Renode) -> None:
    renode(found=True, cannot="colibri_vf61")
    assert chosen("auto", board="colibri_vf61") == "unicorn"


@pytest.mark.parametrize("need", [Need.MEMORY_TRACE, Need.UNMODELLED_DEVICES])
def test_auto_takes_an_emulator_that_has_what_the_run_needs(renode: Renode, need: Need) -> None:
    renode(found=True)
    assert chosen("auto", need) == "unicorn"


def test_platform_files_need_renode_even_where_there_is_none_so_that_its_error_says_how_to_get_it(
    renode: Renode,
) -> None:
    renode(found=False)
    assert chosen("auto", Need.PLATFORM_FILES) == "renode"
    assert chosen("auto", Need.PLATFORM_FILES, Need.MEMORY_TRACE, Need.UNMODELLED_DEVICES) == "renode"


def test_a_name_that_is_asked_for_is_taken_whatever_the_run_needs(renode: Renode) -> None:
    renode(found=False)
    assert chosen("renode", Need.MEMORY_TRACE) == "renode"
    with pytest.raises(EmulatorError, match="no emulator named 'qemu'") as caught:
        chosen("qemu")
    assert caught.value.hint == "choose one of: auto, unicorn, renode"


def test_a_new_entry_is_preferred_to_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    qemu = EmulatorEntry(
        "qemu", EMULATORS[0].make, lambda _: "", lambda: "9.1", lambda: "9.1", frozenset({Need.MEMORY_TRACE})
    )
    for where in (emulators, module):
        monkeypatch.setattr(where, "EMULATORS", (*EMULATORS, qemu))
    monkeypatch.setattr(module, "_why_unusable", lambda entry: "")
    assert emulator_entry("qemu") is qemu
    assert chosen("auto", Need.MEMORY_TRACE) == "qemu"
    assert chosen("auto", Need.UNMODELLED_DEVICES) == "unicorn"


def test_the_first_entry_is_always_there() -> None:
    assert EMULATORS[0].describe()
    assert EMULATORS[0].supports(find_board(F4)) == ""
