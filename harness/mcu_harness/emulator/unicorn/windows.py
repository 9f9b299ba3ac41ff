"""When windows open and close in the embedded emulator, and at which addresses it has to stop for that.

The call that a window measures ends where it returns, or where a jump takes it off the stack (longjmp, an exception of C++).
On the main stack, whose end is known, that is seen when it happens. On a task's stack it is seen when the next call begins
there with nothing of the earlier one left: that one is dropped, since where it ended is not known. Stacks are told apart by
the exceptions that switch tasks, and by the arrays that they lie in, so that calls of several tasks may be under way at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from unicorn import arm_const

from mcu_harness.emulator.call_stacks import Stack, begins_inside, returns_from_another, stack_in_use
from mcu_harness.emulator.contract import RunPlan, WindowEnds
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.image.object_index import ObjectIndex

Reads = tuple[bytes, ...]
_PROCESS_STACK = 2  # of CONTROL


@dataclass(frozen=True, slots=True)
class _Opened:
    """A window that is open. It ends at `end`, None where only something else ends it; where that is told by the stack, with
    `pointer` on `stack`. `number` is the recorder's, None without a profile.
    """

    end: int | None
    opened_at: int
    number: int | None
    pointer: int | None = None
    stack: Stack | None = None
    is_watched: bool = False
    is_beside: bool = False


class Windows:
    """The windows of one run; what they do to memory and to the recorder happens here, when they open and close.

    `ends` says how those ended that did not return. `objects` are those that stacks may lie in.
    """

    def __init__(self, plan: RunPlan, engine: Engine, recorder: BlockRecorder, objects: ObjectIndex) -> None:
        self._plan = plan
        self._engine = engine
        self._recorder = recorder
        self._objects = objects
        self._open: list[_Opened] = []
        self.reads: list[Reads] = []
        self.instructions: list[int] = []
        self.first_stack: int | None = None
        self._left = self._dropped = self._beside = 0  # see `WindowEnds`

    @property
    def is_open(self) -> bool:
        """Whether any window is open."""
        return bool(self._open)

    @property
    def ends(self) -> WindowEnds:
        """So far."""
        return WindowEnds(self._left, self._dropped, self._beside, 0 if self.whole_run else len(self._open))

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
    def _may_begin(self) -> bool:
        """Whether another window may open: beside others, of tasks, when no end is in sight for one of those."""
        if not self._open:
            return bool(self._plan.repeat or self.missing)
        return self._plan.repeat and any(window.stack and not window.is_watched for window in self._open)

    @property
    def exits(self) -> set[int]:
        """Where to stop next: at the ends of open windows, and where one may begin."""
        ends = {window.end for window in self._open if window.end is not None}
        return ends | ({self._plan.begin} if self._plan.begin is not None and self._may_begin else set())

    def at(self, pc: int) -> None:
        """Open or close windows at `pc`, one of `exits`, which may also be reached without meaning it (recursion)."""
        for window in self._open:
            if window.end == pc and window.pointer in (None, self._engine.register("sp")):
                if self._was_left(window):
                    self._drop(window)
                else:
                    self._close(window)
                break
        if pc == self._plan.begin and self._may_begin and not self._goes_on():
            self.open(pc)

    def leave(self) -> None:
        """The function of the watched window is off the stack, and did not return: close it."""
        self._left += 1
        self._close(next(window for window in self._open if window.is_watched))

    def open(self, pc: int) -> None:
        """Open a window whose first instruction is at `pc`."""
        pointer = self._engine.register("sp")
        if self.first_stack is None:
            self.first_stack = pointer
        for address, data in self._plan.windows[len(self.reads)].writes if self._plan.windows else ():
            self._engine.memory.write(address, data)
        beside = self.is_open
        self._beside += beside
        opened_at = self._recorder.instructions
        number = self._recorder.begin(pc) if self._plan.profile else None
        if self._plan.begin == pc and self._plan.end is None and not self.whole_run:
            end = self._engine.register("lr") & ~1
            low, high = self._plan.stack
            is_watched = low <= pointer <= high  # on a task's stack, others say nothing of it
            if is_watched:
                self._recorder.watch_frame(pointer, high, end)
            self._open.append(_Opened(end, opened_at, number, pointer, self._stack(pointer), is_watched, beside))
        else:
            self._open.append(_Opened(None if self.whole_run else self._plan.end, opened_at, number))

    def close(self) -> None:
        """Close the window that is open, of those that never overlap."""
        self._close(self._open[-1])

    def _close(self, window: _Opened) -> None:
        self._forget(window)
        self._recorder.end(window.number)
        self.instructions.append(self._recorder.instructions - window.opened_at)
        if self._plan.windows:
            reads = self._plan.windows[len(self.reads)].reads
            self.reads.append(tuple(self._engine.memory.read(address, size) for address, size in reads))

    def _was_left(self, window: _Opened) -> bool:
        """Whether its function is off the stack although the core arrives where it returns to; on the main stack that is watched."""
        if window.stack is None or window.end is None or window.is_watched or window.is_beside or window.number is None:
            return False
        return returns_from_another(self._recorder, window.end)

    def _drop(self, window: _Opened) -> None:
        self._forget(window)
        self._dropped += 1
        if window.number is not None:
            self._recorder.drop(window.number)

    def _forget(self, window: _Opened) -> None:
        self._open.remove(window)
        if window.is_watched:
            self._recorder.ignore_frame()

    def _goes_on(self) -> bool:
        """Whether `begin` was reached inside of the call that is measured on this stack; one that is off it is dropped."""
        pointer = self._engine.register("sp")
        stack = self._stack(pointer)
        new = pointer, self._engine.register("lr") & ~1
        for window in self._open:
            if window.stack != stack or window.pointer is None or window.end is None:
                continue
            if begins_inside((window.pointer, window.end), new, self._recorder):
                return True
            self._drop(window)
            return False
        return False

    def _stack(self, pointer: int) -> Stack:
        """The stack in use."""
        control = int(self._engine.core.reg_read(arm_const.UC_ARM_REG_CONTROL))
        return stack_in_use(self._recorder, self._objects, pointer, bool(control & _PROCESS_STACK))
