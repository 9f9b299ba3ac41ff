"""The memory trace of one stretch of a live run, which begins with empty caches."""

from __future__ import annotations

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.contract import DataTrace
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.recorder.counted import Mark
from mcu_harness.emulator.trace.data_trace import MemoryTracer
from mcu_harness.emulator.unicorn.core_registers import registers_address
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program


class LiveTrace:
    """One trace at a time."""

    def __init__(self, engine: Engine, recorder: BlockRecorder, board: Board, program: Program) -> None:
        self._engine = engine
        self._recorder = recorder
        self._board = board
        self._program = program
        self._tracer: MemoryTracer | None = None

    def begin(self) -> bool:
        """Trace from here on; False where nothing can be traced, or a trace is under way."""
        registers = None if self._tracer else registers_address(self._engine.core)
        if registers is None:
            return False
        self._tracer = MemoryTracer(self._board, self._recorder, registers, ())
        self._engine.hook_instructions(self._tracer.hook_address, self._tracer.state_address)
        self._engine.core.ctl_flush_tb()  # what is translated already would not be traced
        return True

    def end(self, since: Mark) -> DataTrace | None:
        """What was traced since `since`, when it began."""
        tracer, self._tracer = self._tracer, None
        if tracer is None:
            return None
        self._engine.unhook_instructions()
        if tracer.error is not None:
            raise EmulatorError(f"the memory trace failed: {tracer.error}") from tracer.error
        return tracer.result(since)
