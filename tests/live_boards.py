"""Live boards for tests, without pytest's fixture: the shell of `live_firmware` on its board, and what was kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from live_firmware import BOARD
from mcu_harness.app.live.board import LiveBoard
from mcu_harness.app.live.firmware import TestPlace
from mcu_harness.app.live.opening import open_board
from mcu_harness.emulator.kept import KeptEmulators
from mcu_harness.results.records import RunResult
from mcu_harness.scenario.cases import Case
from mcu_harness.scenario.renode_table import OtherCoreSpec


@dataclass
class Kept:
    """Results of measurements, in their order."""

    results: list[RunResult] = field(default_factory=list)

    def __call__(self, case: Case, result: RunResult, gated: bool) -> RunResult:
        self.results.append(result)
        return result


@contextmanager
def live_board(
    elf: Path,
    board: str = BOARD,
    kept: Kept | None = None,
    emulators: KeptEmulators | None = None,
    emulator: str = "auto",
    others: tuple[OtherCoreSpec, ...] = (),
) -> Iterator[LiveBoard]:
    """Firmware on a board, closed in the end."""
    place = TestPlace(elf.parent / "test_shell.py", "test_it", "test_shell.py::test_it")
    opened = open_board(elf, board, place, kept or Kept(), emulators or KeptEmulators(), emulator, (), others)
    try:
        yield opened
    finally:
        opened.close()
