"""The stacks of one run in the embedded emulator: the plan's, which is painted, and those of tasks, found while they run."""

from __future__ import annotations

from mcu_harness.emulator.contract import STACK_PAINT, RunPlan, TaskStack
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.unicorn.core_registers import registers_address
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.hardware.arm.stack_effect import SP
from mcu_harness.image.object_index import ObjectIndex


class StackWatch:
    """`objects` are those that stacks of tasks may lie in. The recorder keeps the lowest stack pointers where it can see them
    (`sees_pointer`).
    """

    def __init__(self, plan: RunPlan, engine: Engine, recorder: BlockRecorder, objects: ObjectIndex) -> None:
        self._low, self._high = plan.stack
        self._engine = engine
        self._recorder = recorder
        self._objects = objects
        registers = registers_address(engine.core)
        self.sees_pointer = registers is not None
        if registers is not None:
            recorder.watch_stack(registers + 4 * SP, self._low)

    def start(self) -> None:
        """Paint the plan's stack."""
        if self._high > self._low:
            self._engine.memory.write(self._low, bytes([STACK_PAINT]) * (self._high - self._low))

    @property
    def area(self) -> bytes:
        """The plan's stack as it is now."""
        return self._engine.memory.read(self._low, self._high - self._low) if self._high > self._low else b""

    @property
    def lowest(self) -> int | None:
        """The lowest address of the plan's stack that the stack pointer reached, where that is known."""
        return self._recorder.lowest_stack(self._low, self._high) if self.sees_pointer else None

    @property
    def tasks(self) -> tuple[TaskStack, ...]:
        """The stacks of tasks, but for what is in the plan's own."""
        found = []
        for lowest, highest in self._recorder.task_stacks.extents():
            if not self._low <= lowest < self._high:
                holder = self._objects.at(highest - 1)
                start, size = (holder.address, holder.size) if holder else (lowest, 0)
                found.append(TaskStack(lowest, highest, start, self._engine.memory.peek(start, size) or b""))
        return tuple(found)
