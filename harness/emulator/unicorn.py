"""The embedded default emulator: in this process, on Unicorn; nothing else to install.

It executes the core's instructions on the board's memory map, with the console UART, semihosting and the counters of
the system control space. Interrupts and exceptions are not taken: a fault ends the run and is described.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.metadata import version

from unicorn import unicorn_const as const

from harness.board import Board
from harness.elf import Program
from harness.emulator import STACK_PAINT, Execution, ExitReason, RunPlan, faults
from harness.emulator.engine import Engine
from harness.emulator.interrupts import held_interrupts
from harness.emulator.memory import unmappable
from harness.emulator.recorder import BlockRecorder, function_ranges
from harness.emulator.semihosting import BREAKPOINT, Semihosting
from harness.errors import EmulatorError

_WFI, _WFE, _YIELD = b"\x30\xbf", b"\x20\xbf", b"\x10\xbf"
_MOST_CONSOLE_BYTES = 1 << 20


class UnicornEmulator:
    """Implements `harness.emulator.Emulator`. One engine a run: nothing is kept between runs."""

    name = "unicorn"

    def version(self) -> str:
        return version("unicorn")

    def supports(self, board: Board) -> str:
        return unmappable(board)

    def run(self, program: Program, board: Board, plan: RunPlan) -> Execution:
        reason = unmappable(board)
        if reason:
            raise EmulatorError(f"{board.name} cannot run in the embedded emulator: {reason}", hint="use Renode")
        if plan.windows and plan.begin is not None and plan.begin == plan.end:
            raise EmulatorError(
                f"measurement would begin and end at the same address {plan.begin:#010x}",
                hint="choose two symbols; compilers give identical empty functions one address",
            )
        return _Run(program, board, plan).execute()

    def close(self) -> None:
        pass


class _Run:
    """The state of one run."""

    def __init__(self, program: Program, board: Board, plan: RunPlan) -> None:
        self._plan = plan
        self._console = bytearray()
        self._vectors = board.code_memory.origin + board.vector_offset
        self._engine = Engine(board, send=self._send, elapsed=self._elapsed, vectors=self._vectors)
        self._memory = self._engine.memory
        self._recorder = BlockRecorder(
            self._memory.read,
            functions=function_ranges(program),
            keep_going=self._in_time,
            limit=plan.max_instructions,
        )
        self._semihosting = Semihosting(self._memory, board.clock_hz, self._elapsed, self._send)
        self._memory.load(program)
        self._reads: list[tuple[bytes, ...]] = []
        self._window_instructions: list[int] = []
        self._opened_at: int | None = None  # instructions when the open window opened
        self._in_window = False
        self._deadline = 0.0
        self._timed_out = False
        self._interrupted: Callable[[], bool] = lambda: False

    def execute(self) -> Execution:
        """Run to the end, and give the engine back."""
        low, high = self._plan.stack
        if high > low:
            self._memory.write(low, bytes([STACK_PAINT]) * (high - low))
        try:
            with held_interrupts() as self._interrupted:
                started = time.perf_counter()
                self._deadline = started + self._plan.timeout_s
                reason, status, detail = self._reset_and_run()
                emulation_s = time.perf_counter() - started
            if self._recorder.error is not None:
                error = self._recorder.error
                raise EmulatorError(f"the block recorder failed at {self._engine.pc:#010x}: {error}") from error
            return Execution(
                reason=reason,
                status=status,
                pc=self._engine.pc,
                detail=detail,
                console=self._console.decode("utf-8", "replace"),
                reads=tuple(self._reads),
                window_instructions=tuple(self._window_instructions),
                stack_bytes=self._memory.read(low, high - low) if high > low else b"",
                registers=self._engine.registers(),
                blocks=self._recorder.counts() if self._plan.profile else None,
                emulation_s=emulation_s,
            )
        finally:
            self._engine.close()

    def _reset_and_run(self) -> tuple[ExitReason, int | None, str]:
        stack, reset = self._memory.word(self._vectors), self._memory.word(self._vectors + 4)
        if not stack or not reset or not reset & 1:
            at = f"{self._vectors:#010x}"
            return (
                ExitReason.FAULT,
                None,
                f"no vector table at {at}: stack {stack or 0:#010x}, reset {reset or 0:#010x}",
            )
        self._engine.set_register("sp", stack & ~3)
        self._engine.set_register("lr", 0xFFFFFFFF)
        self._recorder.set_stop_function(self._engine.stop_function())
        self._engine.hook_blocks(self._recorder.hook_address, self._recorder.state_address)
        if not self._plan.windows or self._plan.begin is None:
            self._open_window(reset & ~1)
        self._engine.set_exits(self._exits())
        return self._go_on(reset & ~1)

    def _go_on(self, pc: int) -> tuple[ExitReason, int | None, str]:
        while True:
            error = self._engine.run(pc)
            pc = self._engine.pc
            if self._recorder.stopped:
                return self._stopped_by_recorder(pc)
            if self._engine.reset_requested:
                return ExitReason.FAULT, None, "it asked for a system reset"
            asked = self._memory.peek(pc, 2) == BREAKPOINT and self._engine.exception == faults.BREAKPOINT
            if asked:
                answer = self._semihosting.call(self._engine.register("r0"), self._engine.register("r1"))
                if answer.exit_status is not None:
                    return self._exited(answer.exit_status)
                self._engine.set_register("r0", answer.value)
                pc += 2
                continue
            waited = self._memory.peek(pc - 2, 2) if self._recorder.last_end == pc else None
            if error == const.UC_ERR_INSN_INVALID and waited in (_WFE, _YIELD):
                continue  # no events, nothing to wait for: as if one had been pending
            if error or self._engine.exception is not None:
                self._recorder.leave_early(pc)
                return ExitReason.FAULT, None, faults.describe_fault(self._engine, error)
            if pc in self._exits():
                if pc == self._plan.exit:
                    return self._exited(self._engine.register("r0"))
                self._at_window_edge(pc)
                if not self._more_to_do():
                    return ExitReason.FINISHED, None, ""
                self._engine.set_exits(self._exits())
                continue
            if waited == _WFI:
                return ExitReason.ENDLESS_LOOP, None, "it waits for an interrupt (WFI), and none can come"
            return ExitReason.FAULT, None, "the emulator stopped without saying why"

    # Windows.

    def _exits(self) -> set[int]:
        plan = self._plan
        edge = plan.end if self._in_window else plan.begin if len(self._reads) < len(plan.windows) else None
        if not plan.windows:
            edge = None
        return {address for address in (edge, plan.exit) if address is not None}

    def _more_to_do(self) -> bool:
        return self._in_window or self._plan.exit is not None or len(self._reads) < len(self._plan.windows)

    def _at_window_edge(self, pc: int) -> None:
        if self._in_window:
            self._close_window()
        else:
            self._open_window(pc)

    def _open_window(self, pc: int) -> None:
        self._in_window = True
        for address, data in self._plan.windows[len(self._reads)].writes if self._plan.windows else ():
            self._memory.write(address, data)
        self._opened_at = self._recorder.instructions
        if self._plan.profile:
            self._recorder.begin(pc)

    def _close_window(self) -> None:
        assert self._opened_at is not None
        self._in_window = False
        self._recorder.end()
        self._window_instructions.append(self._recorder.instructions - self._opened_at)
        if self._plan.windows:
            window = self._plan.windows[len(self._reads)]
            self._reads.append(tuple(self._memory.read(address, size) for address, size in window.reads))

    # Ends.

    def _exited(self, status: int) -> tuple[ExitReason, int | None, str]:
        signed = status - (1 << 32) if status >> 31 else status
        if self._in_window:
            unfinished = self._plan.windows and self._plan.end is not None
            if not unfinished:
                self._close_window()
        missing = len(self._plan.windows) - len(self._reads)
        if missing:
            detail = f"the program ended with status {signed} before {missing} of {len(self._plan.windows)} inferences"
            return ExitReason.STOPPED_EARLY, signed, detail
        return ExitReason.FINISHED, signed, ""

    def _stopped_by_recorder(self, pc: int) -> tuple[ExitReason, int | None, str]:
        if self._recorder.stopped_in_endless_loop:
            return ExitReason.ENDLESS_LOOP, None, "it branches to itself for ever"
        if self._timed_out or self._interrupted():
            return ExitReason.TIMEOUT, None, f"not finished after {self._plan.timeout_s:g} s"
        if self._recorder.error is not None:
            return ExitReason.FAULT, None, "the block recorder failed"
        return ExitReason.INSTRUCTION_LIMIT, None, f"not finished after {self._plan.max_instructions:,} instructions"

    # What the parts call.

    def _send(self, data: bytes) -> None:
        self._console += data[: _MOST_CONSOLE_BYTES - len(self._console)]

    def _elapsed(self) -> int:
        return self._recorder.instructions

    def _in_time(self, _instructions: int) -> bool:
        self._timed_out = time.perf_counter() > self._deadline
        return not self._timed_out and not self._interrupted()
