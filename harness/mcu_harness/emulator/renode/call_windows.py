"""The measured calls of a function in Renode, from where Renode says that the core comes to it and back.

What is a call of its own, and what is inside of another, is decided here by the rules of the embedded emulator. Nothing is known of
the stack in between: a call that a jump takes off its stack is dropped when the next one begins there, on the main stack too.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.base.errors import EmulatorError
from mcu_harness.emulator.call_stacks import Stack, begins_inside, returns_from_another, stack_in_use
from mcu_harness.emulator.contract import WindowEnds
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.renode.blocks import BlockIntake
from mcu_harness.emulator.renode.protocol import Arrival
from mcu_harness.image.object_index import ObjectIndex


@dataclass(frozen=True, slots=True)
class _Call:
    """A call under way: where it returns to with which stack pointer, the instructions that Renode and the recorder had counted
    when it began, and the number of its window.
    """

    end: int
    pointer: int
    stack: Stack
    counted: int
    recorded: int
    number: int
    is_beside: bool


class CallWindows:
    """Those of one run; all blocks before an arrival have come to `intake` before it is told here."""

    def __init__(self, recorder: BlockRecorder, intake: BlockIntake, objects: ObjectIndex) -> None:
        self._recorder = recorder
        self._intake = intake
        self._objects = objects
        self._open: list[_Call] = []
        self.instructions: list[int] = []
        self._dropped = self._beside = 0

    @property
    def ends(self) -> WindowEnds:
        """So far."""
        return WindowEnds(dropped=self._dropped, beside=self._beside, unfinished=len(self._open))

    def called(self, at: Arrival) -> bool:
        """The core is at the function; returns whether a call begins that is measured."""
        self._intake.settle(at.pc)
        stack = stack_in_use(self._recorder, self._objects, at.pointer, at.on_process_stack)
        end = at.lr & ~1
        earlier = next((call for call in self._open if call.stack == stack), None)
        if earlier is not None:
            if begins_inside((earlier.pointer, earlier.end), (at.pointer, end), self._recorder):
                return False
            self._drop(earlier)
        beside = bool(self._open)
        self._beside += beside
        recorded = self._recorder.instructions
        number = self._recorder.begin(at.pc)
        self._open.append(_Call(end, at.pointer, stack, at.instructions, recorded, number, beside))
        return True

    def returned(self, at: Arrival) -> None:
        """The core is at the end of a call, which may be one that is inside of the measured one, or was dropped."""
        call = next((call for call in self._open if (call.end, call.pointer) == (at.pc, at.pointer)), None)
        if call is None:
            return
        counted, recorded = at.instructions - call.counted, self._recorder.instructions - call.recorded
        if counted != recorded:
            raise EmulatorError(
                f"Renode counted {counted:,} instructions but reported blocks of {recorded:,}",
                hint="report this as a bug, with the firmware",
            )
        self._intake.settle(0)
        if not call.is_beside and returns_from_another(self._recorder, call.end):
            self._drop(call)
            return
        self._open.remove(call)
        self._recorder.end(call.number)
        self.instructions.append(counted)

    def _drop(self, call: _Call) -> None:
        self._open.remove(call)
        self._dropped += 1
        self._recorder.drop(call.number)
