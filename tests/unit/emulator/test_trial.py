"""Whether an emulator can be used, found out by running ten instructions in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import Execution, RunPlan
from mcu_harness.emulator.emulators import emulator_entry
from mcu_harness.emulator.renode import find, server
from mcu_harness.emulator.renode.last_start import LastStart
from mcu_harness.emulator.renode.server import RenodeServer
from mcu_harness.emulator.select import _why_unusable, select
from mcu_harness.emulator.trial import try_out, why_unusable
from mcu_harness.emulator.unicorn.emulator import UnicornEmulator
from mcu_harness.hardware.board import Board
from mcu_harness.hardware.board_file import find_board
from mcu_harness.image.program import Program


class Altered(UnicornEmulator):
    """The embedded emulator, with something else in its answers; counts its runs."""

    def __init__(self, **changes: object) -> None:
        self._changes = changes
        self.runs = 0

    def run(self, program: Program, board: Board, plan: RunPlan) -> Execution:
        self.runs += 1
        return replace(super().run(program, board, plan), **self._changes)


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))
    _why_unusable.cache_clear()
    yield
    _why_unusable.cache_clear()


@pytest.fixture
def broken_renode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A Renode that knows its version and nothing else."""
    path = tmp_path / "renode"
    path.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo Renode v1.16.1.1 && exit\necho no such library >&2\nexit 7\n'
    )
    path.chmod(0o755)
    monkeypatch.setenv("RENODE_PATH", str(path))
    return path


@pytest.fixture
def hanging_renode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a Renode that waits for ever, and knows its version when that is the first thing that it is asked."""

    def make(first: str) -> Path:
        path = tmp_path / "renode"
        path.write_text(f"#!/bin/sh\n{first}\nsleep 1000\n")
        path.chmod(0o755)
        monkeypatch.setenv("RENODE_PATH", str(path))
        # What ends it is that it does nothing, not one of the limits for a Renode that is slow.
        monkeypatch.setattr(server, "_START_TIMEOUT_S", 1000.0)
        monkeypatch.setattr(server, "START_SPINS_S", 0.5)
        monkeypatch.setattr(find, "_VERSION_TIMEOUT_S", 1000.0)
        return path

    return make


def test_a_renode_that_spins_is_told_by_what_its_last_start_took(
    hanging_renode: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MCU_HARNESS_CACHE", str(tmp_path / "cache"))
    install = find.Install(hanging_renode("while :; do :; done"), "RENODE_PATH", "1.16.1")
    LastStart(install).keep(0.1)
    assert LastStart(install).computed_s == 0.1
    monkeypatch.setattr(server, "_AND_SO_LONG_S", 0.2)
    monkeypatch.setattr(server, "START_SPINS_S", 1000.0)
    with pytest.raises(
        EmulatorError, match=r"did not start: it has taken 0\.5 s of a processor, and 0\.1 s when it last"
    ):
        RenodeServer(install)


def test_ten_instructions_are_run_and_counted() -> None:
    assert try_out(UnicornEmulator()) == 10


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": 41}, "result 41 instead of 42"),
        ({"window_instructions": (22,)}, r"\(22,\) instructions counted"),
    ],
)
def test_emulator_that_computes_or_counts_something_else_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(EmulatorError, match=said):
        try_out(Altered(**changes))
    assert "does not run ten instructions right" in why_unusable(Altered(**changes), "1")


def test_success_is_remembered_for_that_program_and_failure_is_not() -> None:
    for identity, runs in (("1", 1), ("1", 0), ("2", 1)):
        emulator = Altered()
        assert why_unusable(emulator, identity) == ""
        assert emulator.runs == runs
    for _ in range(2):
        emulator = Altered(status=0)
        assert why_unusable(emulator, "3")
        assert emulator.runs == 1


def test_auto_passes_over_a_renode_that_does_not_start_and_says_why(broken_renode: Path) -> None:
    selection = select("auto", find_board("stm32f4_discovery"))
    assert selection.entry is emulator_entry("unicorn")
    (said,) = selection.passed_over
    assert said.startswith("renode 1.16.1, from RENODE_PATH: ") and str(broken_renode) in said
    assert said.endswith("Renode 1.16.1 ended: it exited with 7")
    assert select("renode", find_board("stm32f4_discovery")).passed_over == ()


KNOWS_ITS_VERSION = '[ "$1" = --version ] && echo Renode v1.16.1.1 && exit'


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="whether a process is idle is known through /proc")
@pytest.mark.parametrize(
    ("first", "said"),
    [
        (KNOWS_ITS_VERSION, "renode 1.16.1, from RENODE_PATH: {path}: Renode 1.16.1 ended: it did not start: it has done nothing for 4 s"),
        (f"{KNOWS_ITS_VERSION}; while :; do :; done", "renode 1.16.1, from RENODE_PATH: {path}: Renode 1.16.1 ended: it did not start: it goes in circles, and has for 0.5 s of a processor"),
        (f"{KNOWS_ITS_VERSION}; while :; do echo $?; done", "renode 1.16.1, from RENODE_PATH: {path}: Renode 1.16.1 ended: it did not start: it goes in circles, and has for 0.5 s of a processor"),
        (f"{KNOWS_ITS_VERSION}; exit 0", "renode 1.16.1, from RENODE_PATH: {path}: Renode 1.16.1 ended: it exited with 0"),
        (f"{KNOWS_ITS_VERSION}; kill -SEGV $$", "renode 1.16.1, from RENODE_PATH: {path}: Renode 1.16.1 ended: it was killed by signal 11"),
        ("", "renode {path} --version: it has done nothing for 4 s: {path} was stopped at its deadline"),
        ("exit 0", "renode {path} is not a Renode: --version says ''"),
        ("echo Renode v1.13.0; exit", "renode {path} is Renode 1.13.0, older than 1.15.3"),
    ],
    ids=["hangs", "spins", "prints-for-ever", "exits", "crashes", "hangs-when-asked-for-its-version", "no-renode", "old"],
)  # fmt: skip
def test_auto_passes_over_a_renode_that_hangs_or_is_none_and_says_so(
    hanging_renode: Callable[[str], Path], first: str, said: str
) -> None:
    path = hanging_renode(first)
    selection = select("auto", find_board("stm32f4_discovery"))
    assert selection.entry is emulator_entry("unicorn")
    assert selection.passed_over == (said.format(path=path),)
