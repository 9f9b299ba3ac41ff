"""The `mcu_board` fixture: live boards for tests, closed whatever happens, and their transcripts in reports of failures."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest

if TYPE_CHECKING:
    from mcu_harness.app.live.board import LiveBoard
    from mcu_harness.emulator.kept import KeptEmulators
    from mcu_harness.results.records import RunResult
    from mcu_harness.scenario.cases import Case

KEEPER = "mcu_harness_collector"  # the name of the plugin that keeps results

_GDB = "--mcu-gdb"
_GDB_WAIT_S = 600.0
_MOST_OF_WHY = 300  # characters

_BOARDS = pytest.StashKey[list["LiveBoard"]]()


class Keeper(Protocol):
    """What is needed of the plugin."""

    @property
    def boards(self) -> tuple[str, ...]:
        """The boards that were asked for."""
        ...

    @property
    def emulator(self) -> str:
        """The emulator that was asked for, or "auto"."""
        ...

    @property
    def emulators(self) -> KeptEmulators:
        """Those of this process, closed when all is over."""
        ...

    @property
    def wants_coverage(self) -> bool:
        """Whether coverage was asked for."""
        ...

    def keep(self, case: Case, result: RunResult, node: pytest.Item, label: str, gated: bool) -> RunResult:
        """Judge a result, by its baseline too if `gated`, keep it, and give its figures to `node`, named `label` + name."""
        ...


NO_OTHERS: Mapping[str, str | Path | int] = MappingProxyType({})


class OpenBoard(Protocol):
    """`mcu_board(image, board)`: the image's path is relative to the test's file, the board a name or a file's path.

    `renode` are platform descriptions (.repl) and scripts of yours that Renode includes, by paths relative to the test's file.
    `other_cores` are cores of Renode's platform that run beside the one under test: name -> ELF, or address of the vector table.
    `emulator` is unicorn or renode, over what `--mcu-emulator` says; without either it is the embedded one, unicorn.
    """

    def __call__(
        self,
        image: str | Path,
        board: str,
        emulator: str = "",
        renode: Sequence[str | Path] = (),
        other_cores: Mapping[str, str | Path | int] = NO_OTHERS,
    ) -> LiveBoard: ...


@pytest.fixture
def mcu_board(request: pytest.FixtureRequest) -> Iterator[OpenBoard]:
    """A function `mcu_board(image, board, emulator="") -> LiveBoard` that starts firmware on an emulated board, just after reset.

    A test may open several. Each is closed when the test is over, whatever happened in it.
    """
    item: pytest.Item = request.node
    boards = item.stash.setdefault(_BOARDS, [])

    keeper = cast(Keeper, request.config.pluginmanager.get_plugin(KEEPER))

    def keep(case: Case, result: RunResult, gated: bool) -> RunResult:
        return keeper.keep(case, result, item, f"{case.scenario.name.removeprefix(item.name)[1:]}.", gated)

    def open_one(
        image: str | Path,
        board: str,
        emulator: str = "",
        renode: Sequence[str | Path] = (),
        other_cores: Mapping[str, str | Path | int] = NO_OTHERS,
    ) -> LiveBoard:
        __tracebackhide__ = True
        # Late: this is what pulls in the emulator.
        from mcu_harness.app.live.firmware import TestPlace
        from mcu_harness.app.live.opening import open_board
        from mcu_harness.scenario.renode_table import OtherCoreSpec

        test = TestPlace(request.path, item.name, item.nodeid)
        path, chosen = request.path.parent / image, emulator or keeper.emulator
        includes = tuple(request.path.parent / each for each in renode)
        others = tuple(
            OtherCoreSpec(name, None, its) if isinstance(its, int) else OtherCoreSpec(name, request.path.parent / its)
            for name, its in other_cores.items()
        )
        boards.append(open_board(path, board, test, keep, keeper.emulators, chosen, includes, others))
        return boards[-1]

    try:
        yield open_one
        for board in boards if keeper.wants_coverage else ():
            board.keep_coverage()
    finally:
        for board in boards:
            board.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, pytest.TestReport]:
    """A failure shows what was said on the boards' consoles, with its times."""
    report = cast(pytest.TestReport, (yield))
    boards = item.stash.get(_BOARDS, [])
    if call.when == "call" and report.failed:
        if boards and item.config.getoption(_GDB) and not hasattr(item.config, "workerinput"):
            _debug(item, boards)
        for nth, board in enumerate(boards, start=1):
            number = f" {nth}" if len(boards) > 1 else ""
            if board.transcript:
                report.sections.append((f"mcu-harness: console of board{number}", board.transcript))
    return report


def why_failed(report: pytest.TestReport) -> str:
    """Why a test failed, or could not be set up or ended, in one line."""
    from mcu_harness.base.text import one_line

    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(getattr(crash, "message", "") or report.longreprtext or report.outcome).strip()
    first = said.splitlines()[0] if said else report.outcome
    return one_line(re.sub(r"^(?:[\w.]*\.)?(?:BoardFailure|AssertionError|Failed): (?:fail: )?", "", first))[
        :_MOST_OF_WHY
    ]


def _debug(item: pytest.Item, boards: list[LiveBoard]) -> None:
    """Let GDB look at each board where the test left it, before it is closed."""
    capture = item.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        for board in boards:
            server = board.gdb_server()
            where = f"gdb-multiarch {board.image} -ex 'target remote 127.0.0.1:{server.port}'"
            print(
                f"\n{item.name} failed: the board stands where it was. For {_GDB_WAIT_S / 60:g} minutes:\n  {where}",
                flush=True,
            )
            if not server.serve(_GDB_WAIT_S):
                print("no debugger came", flush=True)
