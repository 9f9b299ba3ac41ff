"""What runs in a live run in Renode, recorded: stretches of it, and the memory trace of one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.emulator.contract import DataTrace
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder, NoCodeError
from mcu_harness.emulator.recorder.counted import Mark
from mcu_harness.emulator.recorder.views import function_ranges
from mcu_harness.emulator.renode.blocks import BlockIntake
from mcu_harness.emulator.renode.end_place import NOWHERE
from mcu_harness.emulator.renode.image import LoadedProgram
from mcu_harness.emulator.renode.live_link import LiveLink
from mcu_harness.emulator.renode.live_trace import RenodeTrace
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program


@dataclass(frozen=True, slots=True)
class Begun:
    """A stretch that began at the time `now`."""

    mark: Mark
    now: int
    instructions: int
    is_traced: bool


class LiveRecord:
    """`blocks` and `accesses` are what Renode tells of them; `no_code` is an address that was executed and holds no code."""

    def __init__(self, program: Program, loaded: LoadedProgram, board: Board) -> None:
        self._board = board
        self._program = loaded
        self.recorder = BlockRecorder(
            loaded.code, functions=function_ranges(program), handlers={NOWHERE}, sizes_are_instructions=True
        )
        self._intake = BlockIntake(self.recorder)
        self._trace: RenodeTrace | None = None
        self._traced: DataTrace | None = None
        self.no_code: int | None = None

    def blocks(self, frame: bytearray) -> None:
        """Record blocks, up to one that is no code: then the program is lost, whatever comes."""
        if self.no_code is None:
            try:
                self._intake.add(frame)
            except NoCodeError as error:
                self.no_code = error.address

    def accesses(self, frame: bytearray) -> None:
        if self._trace is not None:
            self._trace.accessed(frame)

    @property
    def is_traced(self) -> bool:
        """Whether a memory trace is under way."""
        return self._trace is not None

    @property
    def is_inside_block(self) -> bool:
        """Whether the core stands inside of a block, which Renode has cut into instructions for a trace."""
        return self._trace is not None and self._trace.is_inside_block

    def begin(self, now: int, traced: bool, link: LiveLink) -> Begun:
        """A stretch begins; `traced` is for one at a time."""
        is_traced = traced and self._trace is None
        mark = self.recorder.mark()
        if is_traced:
            self._traced = None
            self._trace = RenodeTrace(self._board, self.recorder, self._program.code, mark)
            self._intake.record, self._intake.settled = self._trace.add, self._trace.settle
            link.trace(True)
        return Begun(mark, now, self.recorder.instructions, is_traced)

    def end_full_trace(self, link: LiveLink) -> None:
        """End the trace if it has seen enough."""
        if self._trace is not None and self._trace.has_enough:
            self.end_trace(link)

    def end_trace(self, link: LiveLink | None) -> DataTrace | None:
        """What was traced since it began, now or before; `link` is None where Renode cannot be asked any more."""
        trace, self._trace = self._trace, None
        if trace is not None:
            self._intake.record, self._intake.settled = self.recorder.add, lambda: None
            self._traced = trace.result()
            if link is not None:
                link.trace(False)
        return self._traced
