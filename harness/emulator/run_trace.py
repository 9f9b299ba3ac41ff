"""The memory trace of one run, where its plan asks for one: when it begins, when it is enough, when it ends."""

from __future__ import annotations

from harness.board import Board
from harness.elf import Program
from harness.emulator import DataTrace, TraceRequest
from harness.emulator.core_registers import registers_address
from harness.emulator.engine import Engine
from harness.emulator.recorder import BlockRecorder
from harness.emulator.trace import MemoryTracer
from harness.errors import EmulatorError


class RunTrace:
    """Of what a plan asks for, `data` is the first window, or so many instructions, and `whole` all of the run."""

    def __init__(self, request: TraceRequest | None, engine: Engine, recorder: BlockRecorder, board: Board) -> None:
        self._request = request
        self._engine = engine
        self._recorder = recorder
        self._board = board
        self._tracer: MemoryTracer | None = None
        self.data: DataTrace | None = None
        self.whole: DataTrace | None = None

    def start(self, program: Program) -> None:
        """Trace from here on; what of the program is loaded by then counts as written."""
        registers = registers_address(self._engine.core) if self._request else None
        if self._request is None or registers is None:
            return
        self._tracer = MemoryTracer(self._board, self._recorder, registers, self._request.cuts)
        for segment in program.segments:
            self._tracer.written(segment.load_address, len(segment.data))
        self._engine.memory.on_write = self._tracer.written
        self._engine.hook_instructions(self._tracer.hook_address, self._tracer.state_address)

    @property
    def enough(self) -> bool:
        """Whether as much was traced as `data` needs; then `part` is due, as soon as the engine stands still."""
        if self._tracer is None or self._request is None or self.data is not None:
            return False
        return self._recorder.instructions > self._request.most_instructions

    @property
    def ends_run(self) -> bool:
        """Whether the run was for the trace alone, and the trace is over."""
        return self._request is not None and self._request.ends_run and self.data is not None

    def part(self) -> None:
        """The first window was closed, or it is enough; the engine stands still."""
        if self._tracer is not None and self._request is not None and self.data is None:
            if not self._request.whole:
                self.end()
            else:
                self.data = self._result(self._tracer)

    def end(self) -> None:
        """The run is over, or goes on without a trace."""
        if self._tracer is None or self._request is None:
            return
        self._engine.unhook_instructions()
        found = self._result(self._tracer)
        self._tracer = None
        self.data = self.data or found
        self.whole = found if self._request.whole else None

    @staticmethod
    def _result(tracer: MemoryTracer) -> DataTrace:
        if tracer.error is not None:
            raise EmulatorError(f"the memory trace failed: {tracer.error}") from tracer.error
        return tracer.result()
