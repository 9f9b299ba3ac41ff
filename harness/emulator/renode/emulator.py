"""Renode as an emulator: whole boards, the same numbers as every other emulator."""

from __future__ import annotations

import time
from pathlib import Path

from harness.board import Board
from harness.elf import Program
from harness.emulator import BlockCounts, Execution, RunPlan
from harness.emulator.recorder import BlockRecorder
from harness.emulator.renode import protocol
from harness.emulator.renode.blocks import BlockIntake
from harness.emulator.renode.find import Install, find_renode
from harness.emulator.renode.outcome import outcome
from harness.emulator.renode.platform import empty_ranges, mips, platform_for, why_not
from harness.emulator.renode.server import RenodeServer
from harness.errors import EmulatorError

_DESCRIPTION = "board.repl"
_LOAD_TIMEOUT_S = 120.0
_MOST_VECTORS = 16 + 480  # Armv8-M; Armv7-M has 240 interrupts
_NO_HANDLER = 0xFFFFFFFE
_GRACE_S = 20.0  # what Renode may take, beyond the plan's own limit, to say that it was reached


class RenodeEmulator:
    """One Renode, started when it is first needed and kept for further runs until `close`.

    `includes` are the user's own platform descriptions (.repl) and monitor scripts, included after the board in this
    order.
    """

    name = "renode"

    def __init__(self, install: Install | None = None, includes: tuple[Path, ...] = ()) -> None:
        self._install = install or find_renode()
        self._includes = tuple(path.resolve() for path in includes)
        self._server: RenodeServer | None = None

    def version(self) -> str:
        return self._install.version

    def supports(self, board: Board) -> str:
        return why_not(board)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def run(self, program: Program, board: Board, plan: RunPlan) -> Execution:
        """Run to the end. Raises EmulatorError when Renode cannot be used or ends; the next run gets a new one."""
        server = self._server = self._server or RenodeServer(self._install)
        try:
            self._make_platform(server, board)
            execution, intact = _Run(program, board, plan).on(server)
        except BaseException:  # also an interrupt: whatever this Renode is doing, it is not for the next run
            self.close()
            raise
        if not intact:
            self.close()
        return execution

    def _make_platform(self, server: RenodeServer, board: Board) -> None:
        for path in self._includes:
            if not path.is_file():
                raise EmulatorError(f"{path} does not exist", hint="correct the path of the file to include")
        platform = platform_for(board, server.root, self._install.version)
        description = server.directory / _DESCRIPTION
        description.write_text(platform.description, encoding="utf-8")
        server.request(
            protocol.platform_request(description, self._includes, platform.console, mips(board), empty_ranges(board))
        )
        frame = server.answer(time.monotonic() + _LOAD_TIMEOUT_S)
        if frame[:1] != protocol.OK:
            raise EmulatorError(f"Renode: unexpected answer {frame[:1]!r} to a platform")


class _Run:
    """One run: what is sent, what comes back, and what that amounts to."""

    def __init__(self, program: Program, board: Board, plan: RunPlan) -> None:
        self._program = program
        self._board = board
        self._plan = plan
        self._instructions: list[int] = []
        self._reads: list[tuple[bytes, ...]] = []
        self._other_code: list[tuple[int, bytes]] = []
        self._recorder: BlockRecorder | None = None
        self._recorded = 0
        if plan.profile:
            functions = [s for s in program.symbols if s.kind == "function" and s.size]
            self._recorder = BlockRecorder(
                self._code,
                functions=sorted({(s.address, s.address + s.size) for s in functions}),
                handlers=self._handlers(),
                sizes_are_instructions=True,
            )
            self._intake = BlockIntake(self._recorder, self._code, self._function_start)
            self._recorder.begin(self._entry())

    def on(self, server: RenodeServer) -> tuple[Execution, bool]:
        """The execution, and whether `server` can be used for another."""
        started = time.monotonic()
        deadline = started + self._plan.timeout_s + _GRACE_S
        load = [(segment.load_address, segment.data) for segment in self._program.segments if segment.data]
        server.request(protocol.run_request(self._plan, load, self._vectors(), self._largest_code()))
        while True:
            frame = server.answer(deadline)
            kind = frame[:1]
            if kind == protocol.BLOCKS:
                self._intake.add(frame)
            elif kind == protocol.CODE:
                self._other_code.append(protocol.read_code(frame))
            elif kind == protocol.WINDOW:
                self._close_window(frame)
            elif kind == protocol.END:
                end = protocol.read_end(frame)
                return self._execution(end, time.monotonic() - started), end.intact
            else:
                raise EmulatorError(f"Renode: unexpected answer {kind!r} to a run")

    def _close_window(self, frame: bytearray) -> None:
        instructions, reads = protocol.read_window(frame)
        self._instructions.append(instructions)
        self._reads.append(reads)
        if self._recorder is not None:
            recorded = self._recorder.instructions - self._recorded
            self._recorded = self._recorder.instructions
            if recorded != instructions:
                raise EmulatorError(
                    f"Renode counted {instructions:,} instructions but reported blocks of {recorded:,}",
                    hint="report this as a bug, with the firmware",
                )
            self._recorder.begin(self._entry())

    def _execution(self, end: protocol.End, emulation_s: float) -> Execution:
        reason, detail = outcome(end, self._program, self._board, self._plan, len(self._instructions))
        return Execution(
            reason=reason,
            status=end.about if end.cause is protocol.Cause.EXIT else None,
            pc=end.pc & ~1,
            detail=detail,
            console=end.console.decode("utf-8", "replace"),
            reads=tuple(self._reads),
            window_instructions=tuple(self._instructions),
            stack_bytes=end.stack,
            registers=end.registers,
            blocks=self._counts(),
            emulation_s=emulation_s,
        )

    def _counts(self) -> BlockCounts | None:
        return None if self._recorder is None else self._recorder.counts()

    def _vectors(self) -> int:
        """Where the vector table lies."""
        return self._board.code_memory.origin + self._board.vector_offset

    def _word(self, address: int) -> int:
        return int.from_bytes(self._code(address, 4), "little")

    def _entry(self) -> int:
        """The first instruction of a window."""
        return self._plan.begin if self._plan.begin is not None else self._word(self._vectors() + 4) & ~1

    def _handlers(self) -> set[int]:
        """The entries of the exception handlers: what the vector table names after the reset handler.

        The table has no length: it ends where a word cannot be the address of Thumb code in this program.
        """
        handlers = {_NO_HANDLER}  # never empty: then every branch to itself would be taken for the end
        for number in range(2, _MOST_VECTORS):
            vector = self._word(self._vectors() + 4 * number)
            if vector == 0:
                continue
            if not vector & 1 or not any(start <= vector < end for start, end in self._program.code_ranges):
                break
            handlers.add(vector & ~1)
        return handlers

    def _largest_code(self) -> tuple[int, int]:
        """(address, size) of the executable segment that stays where it is loaded."""
        fixed = [s for s in self._program.segments if s.executable and s.address == s.load_address]
        return max(((s.address, len(s.data)) for s in fixed), key=lambda area: area[1], default=(0, 0))

    def _code(self, address: int, size: int) -> bytes:
        """The bytes from `address` on, as far as any are known: at most `size`."""
        known = [(segment.load_address, segment.data) for segment in self._program.segments]
        for base, data in (*reversed(self._other_code), *known):
            offset = address - base
            if 0 <= offset < len(data):
                return data[offset : offset + size]
        return b""

    def _function_start(self, address: int) -> int | None:
        function = self._program.function_at(address)
        return None if function is None else function.address
