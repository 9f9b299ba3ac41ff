"""When windows open and close in the embedded emulator, and at which addresses it has to stop for that."""

from __future__ import annotations

from mcu_harness.emulator.contract import RunPlan
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.unicorn.engine import Engine

Reads = tuple[bytes, ...]


class Windows:
    """The windows of one run; what they do to memory and to the recorder happens here, at `open` and `close`."""

    def __init__(self, plan: RunPlan, engine: Engine, recorder: BlockRecorder) -> None:
        self._plan = plan
        self._engine = engine
        self._recorder = recorder
        self._opened_at = 0  # instructions when the open window opened
        self._end: int | None = None  # where the open window ends, None when only something else ends it
        self._stack_at_end: int | None = None  # the stack pointer there, where that tells two arrivals apart
        self.is_open = False
        self.reads: list[Reads] = []
        self.instructions: list[int] = []
        self.first_stack: int | None = None
        self.left = 0  # windows that closed because their function was taken off the stack

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
        """Where to stop next: at the end of the open window, or where one begins."""
        if self.is_open:
            return set() if self._end is None else {self._end}
        wanted = self._plan.repeat or self.missing
        return {self._plan.begin} if wanted and self._plan.begin is not None else set()

    def at(self, pc: int) -> bool:
        """Open or close a window at `pc`, one of `exits`; False where it is reached without meaning it (recursion)."""
        if not self.is_open:
            self.open(pc)
            return True
        if self._stack_at_end is not None and self._engine.register("sp") != self._stack_at_end:
            return False
        self.close()
        return True

    def leave(self) -> None:
        """The open window's function is off the stack, and did not return: close it."""
        self.left += 1
        self.close()

    def open(self, pc: int) -> None:
        """Open a window whose first instruction is at `pc`."""
        self.is_open = True
        self._end = None if self.whole_run else self._plan.end
        if self._plan.begin == pc and self._plan.end is None and not self.whole_run:
            self._end = self._engine.register("lr") & ~1
            self._stack_at_end = self._engine.register("sp")
            low, high = self._plan.stack
            if low <= self._stack_at_end <= high:  # on a task's stack, others say nothing of it
                self._recorder.watch_frame(self._stack_at_end, high, self._end)
        for address, data in self._plan.windows[len(self.reads)].writes if self._plan.windows else ():
            self._engine.memory.write(address, data)
        self._opened_at = self._recorder.instructions
        if self.first_stack is None:
            self.first_stack = self._engine.register("sp")
        if self._plan.profile:
            self._recorder.begin(pc)

    def close(self) -> None:
        """Close the open window."""
        self.is_open = False
        self._recorder.ignore_frame()
        self._recorder.end()
        self.instructions.append(self._recorder.instructions - self._opened_at)
        if self._plan.windows:
            window = self._plan.windows[len(self.reads)]
            self.reads.append(tuple(self._engine.memory.read(address, size) for address, size in window.reads))
