"""Unit tests that are firmware: `pytest tests.elf --mcu-board B` has an item for each case that the firmware reports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from mcu_harness.app.pytest_board import KEEPER, Keeper

if TYPE_CHECKING:
    from mcu_harness.app.live.unit_tests import UnitTest

_SUFFIXES = (".elf", ".axf", ".out")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Images that were named on the command line; others are nobody's wish."""
    if file_path.suffix not in _SUFFIXES or not parent.session.isinitpath(file_path):
        return None
    return UnitTestFile.from_parent(parent, path=file_path)


class UnitTestFailure(Exception):
    """A case that failed; the text is what the firmware said of it."""


class UnitTestFile(pytest.File):
    """An image: it runs once a board, when it is collected, since only it knows its cases."""

    def collect(self) -> Iterable[pytest.Item]:
        from mcu_harness.base.errors import HarnessError

        boards = _keeper(self.config).boards
        if not boards:
            raise self.CollectError(
                f"{self.path.name}: which board?\n  hint: add --mcu-board NAME, or mcu_board to ini"
            )
        for board in boards:
            try:
                tests = self._run(board)
            except HarnessError as error:
                raise self.CollectError(f"{self.path.name} on {board}: {error}") from error
            for test in tests:
                name = test.name if len(boards) == 1 else f"{test.name}[{Path(board).stem}]"
                yield UnitTestItem.from_parent(self, name=name, test=test)

    def _run(self, board: str) -> list[UnitTest]:
        from mcu_harness.app.live.firmware import TestPlace
        from mcu_harness.app.live.opening import open_board
        from mcu_harness.app.live.unit_tests import run_unit_tests

        place = TestPlace(self.path, self.path.stem, self.nodeid)
        keeper = _keeper(self.config)
        opened = open_board(
            self.path, board, place, lambda _case, result, _gated: result, keeper.emulators, keeper.emulator
        )
        try:
            return run_unit_tests(opened)
        finally:
            opened.close()


class UnitTestItem(pytest.Item):
    """One case on one board."""

    def __init__(self, *, test: UnitTest, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._test = test
        self.add_marker("mcu")

    def runtest(self) -> None:
        from mcu_harness.results.report.terminal import failure_text

        test = self._test
        if test.outcome == "skipped":
            pytest.skip(test.text or "the firmware skipped it")
        result = test.result
        if test.case is not None and result is not None:
            result = _keeper(self.config).keep(test.case, result, self, "", True)
        if test.outcome == "failed":
            raise UnitTestFailure(test.text)
        if result is not None and result.verdict == "fail":
            raise UnitTestFailure(failure_text(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, UnitTestFailure):
            from mcu_harness.base.text import for_terminal

            return for_terminal(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.path.name}: {self.name}"


def _keeper(config: pytest.Config) -> Keeper:
    return cast(Keeper, config.pluginmanager.get_plugin(KEEPER))
