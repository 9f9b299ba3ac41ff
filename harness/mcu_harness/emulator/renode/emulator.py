"""Renode as an emulator: whole boards, the same numbers as every other emulator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from mcu_harness.base.errors import EmulatorError
from mcu_harness.base.text import one_line
from mcu_harness.emulator.contract import Execution, RunPlan
from mcu_harness.emulator.live import LiveMachine, LiveSetup
from mcu_harness.emulator.renode import protocol
from mcu_harness.emulator.renode.find import Install, find_renode
from mcu_harness.emulator.renode.live_machine import RenodeLive
from mcu_harness.emulator.renode.platform import empty_ranges, mips, platform_for, why_not
from mcu_harness.emulator.renode.run import Run
from mcu_harness.emulator.renode.server import RenodeEndedError, RenodeRefusedError, RenodeServer
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program

_DESCRIPTION = "board.repl"
_LOAD_TIMEOUT_S = 120.0


class RenodeEmulator:
    """Implements `mcu_harness.emulator.live.LiveEmulator`.

    A Renode is started when one is needed, and kept until `close`: one for all runs, and one more for each live machine that is
    open at the same time.
    """

    name = "renode"

    def __init__(self, install: Install | None = None) -> None:
        self._install = install or find_renode()
        self._idle: list[RenodeServer] = []
        self._live: list[RenodeLive] = []

    def version(self) -> str:
        return self._install.version

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of the Renodes that run now."""
        return tuple(server.pid for server in (*(machine.server for machine in self._live), *self._idle))

    def supports(self, board: Board) -> str:
        return why_not(board)

    def close(self) -> None:
        for machine in list(self._live):
            machine.close()
        while self._idle:
            self._idle.pop().close()

    def run(self, program: Program, board: Board, plan: RunPlan) -> Execution:
        """Run to the end. Raises EmulatorError when Renode cannot be used or ends; the next run gets a new one."""
        if plan.windows and plan.begin is not None and plan.begin == plan.end:
            raise EmulatorError(
                f"measurement would begin and end at the same address {plan.begin:#010x}",
                hint="choose two symbols; compilers give identical empty functions one address",
            )
        run = Run(program, board, plan)
        execution = self._on_server(run, board, plan)
        if run.flash_changed:
            # Said without a place: find out where, by running it again and looking closely.
            watched = Run(program, board, plan, watch_flash=True)
            execution = self._on_server(watched, board, plan)
        return execution

    def live(self, setup: LiveSetup) -> LiveMachine:
        server = self._ready(setup.board, setup.plan)
        with self._ended_by_errors(server):
            machine = RenodeLive(setup, server, self.version(), self._end_live)
        self._live.append(machine)
        return machine

    def _end_live(self, machine: RenodeLive, server: RenodeServer, intact: bool) -> None:
        self._live.remove(machine)
        self._give_back(server, intact)

    def _on_server(self, run: Run, board: Board, plan: RunPlan) -> Execution:
        server = self._ready(board, plan)
        with self._ended_by_errors(server):
            execution = run.on(server)
        self._give_back(server, run.intact)
        return execution

    def _ready(self, board: Board, plan: RunPlan) -> RenodeServer:
        """A Renode with the board's platform: one that waits for work, else a new one.

        One of those that wait may be dying without having told yet: the next takes its place.
        """
        while True:
            server = self._waiting()
            is_new = server is None
            server = server or RenodeServer(self._install)
            try:
                with self._ended_by_errors(server):
                    self._make_platform(server, board, plan)
            except RenodeEndedError:
                if is_new:
                    raise
            else:
                return server

    @contextmanager
    def _ended_by_errors(self, server: RenodeServer) -> Iterator[None]:
        """Whatever goes wrong ends `server`, also an interrupt, but that it refuses what it was asked: then the next run has it."""
        try:
            yield
        except RenodeRefusedError:
            self._give_back(server, intact=True)
            raise
        except BaseException:
            server.close()
            raise

    def _waiting(self) -> RenodeServer | None:
        """A Renode that has been started and does nothing."""
        while self._idle:
            server = self._idle.pop()
            if server.alive:
                return server
            server.close()
        return None

    def _give_back(self, server: RenodeServer, intact: bool) -> None:
        if intact:
            self._idle.append(server)
        else:
            server.close()

    def _make_platform(self, server: RenodeServer, board: Board, plan: RunPlan) -> None:
        includes = [path.resolve() for path in plan.includes]
        for path in includes:
            if not path.is_file():
                raise EmulatorError(f"{path} does not exist", hint="correct the path of the file to include")
        platform = platform_for(board, server.root, self._install.version)
        description = server.directory / _DESCRIPTION
        description.write_text(platform.description, encoding="utf-8")
        server.request(
            protocol.platform_request(
                description,
                includes,
                board.renode_core,
                plan.other_cores,
                platform.console,
                mips(board),
                empty_ranges(board),
            )
        )
        try:
            frame = server.answer(time.monotonic() + _LOAD_TIMEOUT_S)
        except RenodeRefusedError as error:
            if includes or board.renode_platform:
                raise
            raise RenodeRefusedError(
                f"{board.name}: Renode {self._install.version} refuses the platform that was made for it, with "
                f"{board.core.renode}: {error.message}",
                hint="get a newer version of Renode, or use --emulator unicorn",
            ) from error
        if frame[:1] == protocol.NO_SUCH_CORE:
            raise _no_such_core(board, protocol.Reader(frame))
        if frame[:1] != protocol.OK:
            raise EmulatorError(f"Renode: unexpected answer {bytes(frame[:1])!r} to a platform")


def _no_such_core(board: Board, answer: protocol.Reader) -> RenodeRefusedError:
    name, there = one_line(answer.text()), one_line(answer.text())
    if not name:
        return RenodeRefusedError(
            f"{board.name}: the platform has the Cortex-M cores {there}, and which of them is under test is not said",
            hint="name it in the board file: `core` under [renode]",
        )
    return RenodeRefusedError(
        f"{board.name}: the platform has no Cortex-M core called {name!r}, but {there}",
        hint="correct `core` under [renode] in the board file, or the name in `other_cores`",
    )
