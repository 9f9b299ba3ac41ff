"""The memory trace of one run, where its plan asks for one: when it begins, when it is enough, when it ends."""

from __future__ import annotations

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import DataTrace, TraceRequest
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.trace.data_trace import MemoryTracer
from mcu_harness.emulator.unicorn.core_registers import registers_address
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program


class RunTrace:
    """Of what a plan asks for, `data` is the first window, or so many instructions, and `whole` all of the run.

    `others` are as `data`, for the request's other boards.
    """

    def __init__(self, request: TraceRequest | None, engine: Engine, recorder: BlockRecorder, board: Board) -> None:
        self._request = request
        self._engine = engine
        self._recorder = recorder
        self._boards = (board, *(request.others if request else ()))
        self._tracers: list[MemoryTracer] = []
        self.data: DataTrace | None = None
        self.others: tuple[DataTrace, ...] = ()
        self.whole: DataTrace | None = None

    def start(self, program: Program) -> None:
        """Trace from here on; what of the program is loaded by then counts as written."""
        registers = registers_address(self._engine.core) if self._request else None
        if self._request is None or registers is None:
            return
        for board in self._boards:
            tracer = MemoryTracer(board, self._recorder, registers, self._request.cuts)
            for segment in program.segments:
                tracer.written(segment.load_address, len(segment.data))
            self._engine.hook_instructions(tracer.hook_address, tracer.state_address)
            self._tracers.append(tracer)
        self._engine.memory.on_write = self._written

    def _written(self, address: int, size: int) -> None:
        for tracer in self._tracers:
            tracer.written(address, size)

    @property
    def is_on(self) -> bool:
        """Whether execution is being traced."""
        return bool(self._tracers)

    @property
    def enough(self) -> bool:
        """Whether as much was traced as `data` needs; then `part` is due, as soon as the engine stands still."""
        if not self._tracers or self._request is None or self.data is not None:
            return False
        return self._recorder.instructions > self._request.most_instructions

    @property
    def ends_run(self) -> bool:
        """Whether the run was for the trace alone, and the trace is over."""
        return self._request is not None and self._request.ends_run and self.data is not None

    def part(self) -> None:
        """The first window was closed, or it is enough; the engine stands still."""
        if self._tracers and self._request is not None and self.data is None:
            if not self._request.whole:
                self.end()
            else:
                self.data, *others = self._results()
                self.others = tuple(others)

    def end(self) -> None:
        """The run is over, or goes on without a trace."""
        if not self._tracers or self._request is None:
            return
        self._engine.unhook_instructions()
        found, *others = self._results()
        self._tracers = []
        if self.data is None:
            self.data, self.others = found, tuple(others)
        self.whole = found if self._request.whole else None

    def _results(self) -> list[DataTrace]:
        for tracer in self._tracers:
            if tracer.error is not None:
                raise EmulatorError(f"the memory trace failed: {tracer.error}") from tracer.error
        return [tracer.result() for tracer in self._tracers]
