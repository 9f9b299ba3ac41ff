"""When windows open and close in the embedded emulator, and at which addresses it has to stop for that.

A window is what runs between two places, a step of a dialogue, the whole run, or a call of a function: of those, several may be open at
once, on the stacks of tasks (`measured_calls`). The recorder watches for the one on the stack in use being taken off it.
"""

from __future__ import annotations

from dataclasses import dataclass

from unicorn import arm_const

from mcu_harness.emulator.contract import RunPlan, WindowEnds
from mcu_harness.emulator.measured_calls import MeasuredCall, MeasuredCalls
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.stacks import Stacks
from mcu_harness.emulator.unicorn.engine import Engine

Reads = tuple[bytes, ...]
_PROCESS_STACK = 2  # of CONTROL


@dataclass(frozen=True, slots=True)
class _Opened:
    """A window that is open and no call. It ends at `end`, None where only something else ends it. `number` is the recorder's, None
    without a profile.
    """

    end: int | None
    opened_at: int
    number: int | None


class Windows:
    """The windows of one run; what they do to memory and to the recorder happens here, when they open and close.

    `sees_pointer` is whether the recorder knows the stack pointer.
    """

    def __init__(
        self, plan: RunPlan, engine: Engine, recorder: BlockRecorder, stacks: Stacks, sees_pointer: bool
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._recorder = recorder
        self._stacks = stacks
        self._calls = MeasuredCalls(recorder, stacks, sees_pointer)
        self._opened: _Opened | None = None
        self._watched: MeasuredCall | None = None
        self.reads: list[Reads] = []
        self.instructions = self._calls.instructions
        self.first_stack: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether any window is open."""
        return self._opened is not None or bool(self._calls.open)

    @property
    def ends(self) -> WindowEnds:
        """How those ended that did not return, so far."""
        if self._plan.follows_calls:
            return self._calls.ends
        return WindowEnds(unfinished=int(self.is_open and not self.whole_run))

    @property
    def whole_run(self) -> bool:
        """Whether the first window opens at reset: nothing else says where one begins."""
        counted = bool(self._plan.windows) or self._plan.repeat
        begins = self._plan.begin is not None and counted
        return not begins and not any(exchange.measured for exchange in self._plan.dialogue)

    @property
    def missing(self) -> int:
        """How many windows of the plan have not been closed."""
        return len(self._plan.windows) - len(self.reads)

    @property
    def finished(self) -> bool:
        """Whether all windows of a plan that counts them are closed."""
        return bool(self._plan.windows) and not self.missing and not self.is_open

    @property
    def awaited(self) -> bool:
        """Whether something is to be measured that was not yet."""
        return bool(self.missing) or (self._plan.repeat and not self.instructions)

    @property
    def exits(self) -> set[int]:
        """Where to stop next: at the ends of open windows, and where one may begin.

        A call on a stack all of whose ways off the measured one are seen is one inside of that.
        """
        begin = self._plan.begin
        if self._plan.follows_calls:
            ends = {call.end for call in self._calls.open}
            inside = self._watched is not None and self._watched.is_watched
            return ends if begin is None or inside else ends | {begin}
        if self._opened is not None:
            return set() if self._opened.end is None else {self._opened.end}
        return {begin} if begin is not None and (self._plan.repeat or self.missing) else set()

    def at(self, pc: int) -> None:
        """Open or close windows at `pc`, one of `exits`, which may also be reached without meaning it (recursion)."""
        if self._plan.follows_calls:
            self._follow(pc)
            return
        if self._opened is not None and self._opened.end == pc:
            self.close()
        if self._opened is None and pc == self._plan.begin and (self._plan.repeat or self.missing):
            self.open(pc)

    def leave(self) -> None:
        """The watched call is off the stack, and did not return."""
        assert self._watched is not None
        self._calls.left(self._watched)
        self.look()

    def look(self) -> None:
        """Another stack may be in use than before: watch the call that is measured on it."""
        if not self._calls.open and self._watched is None:
            return
        running = self._calls.running(*self._stack) if self._calls.open else None
        if running == self._watched:
            return
        self._watched = running
        if running is None:
            self._recorder.ignore_frame()
        else:
            self._recorder.watch_frame(running.pointer, self._stacks.end(running.pointer), running.end)

    def open(self, pc: int) -> None:
        """Open a window that is no call, whose first instruction is at `pc`."""
        self._note_stack()
        for address, data in self._plan.windows[len(self.reads)].writes if self._plan.windows else ():
            self._engine.memory.write(address, data)
        opened_at = self._recorder.instructions
        number = self._recorder.begin(pc) if self._plan.profile else None
        self._opened = _Opened(None if self.whole_run else self._plan.end, opened_at, number)

    def close(self) -> None:
        """Close the window that is open and no call."""
        window, self._opened = self._opened, None
        assert window is not None
        self._recorder.end(window.number)
        self.instructions.append(self._recorder.instructions - window.opened_at)
        if self._plan.windows:
            reads = self._plan.windows[len(self.reads)].reads
            self.reads.append(tuple(self._engine.memory.read(address, size) for address, size in reads))

    def _follow(self, pc: int) -> None:
        pointer, on_process_stack = self._stack
        self._calls.returned(pc, pointer)
        if pc == self._plan.begin and self._calls.called(pc, pointer, self._engine.register("lr"), on_process_stack):
            self._note_stack()
        self.look()

    def _note_stack(self) -> None:
        if self.first_stack is None:
            self.first_stack = self._engine.register("sp")

    @property
    def _stack(self) -> tuple[int, bool]:
        """The stack pointer, and whether it is that of tasks."""
        control = int(self._engine.core.reg_read(arm_const.UC_ARM_REG_CONTROL))
        return self._engine.register("sp"), bool(control & _PROCESS_STACK)
