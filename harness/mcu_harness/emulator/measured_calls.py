"""The measured calls of a function, from where an emulator says that the core comes to it, back from it, and off its frame.

A call ends where it returns, or where a jump takes it off its stack (longjmp, an exception of C++, a start of tasks that begins the
main stack anew): then the stack pointer is above the one that it was entered with, or the same one in the middle of its caller. Only
where the caller is not known, in images without symbols, is the latter not seen: that call is dropped when the next one begins with
nothing of it left on the stack.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcu_harness.emulator.contract import Call, WindowEnds
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.stacks import MAIN_STACK, Stack, Stacks
from mcu_harness.hardware.arm.address_map import never_executed


@dataclass(frozen=True, slots=True)
class MeasuredCall:
    """One under way: where it returns to with which stack pointer. `number` is its window's, `recorded` what instructions there
    had been, `leading` the calls under way that return to the same place, as far as the recorder follows them: itself among them. `is_watched` says whether all ways off its
    frame are seen.
    """

    end: int
    pointer: int
    stack: Stack
    number: int
    recorded: int
    leading: tuple[Call, ...]
    is_watched: bool


class MeasuredCalls:
    """Those of one run. What ran before an arrival is in the `recorder` before it is told here.

    `sees_pointer` is whether the emulator looks at the stack pointer all the time.
    """

    def __init__(self, recorder: BlockRecorder, stacks: Stacks, sees_pointer: bool) -> None:
        self._recorder = recorder
        self._stacks = stacks
        self.sees_pointer = sees_pointer
        self._open: list[MeasuredCall] = []
        self.instructions: list[int] = []
        self._left = self._dropped = self._beside = self._unseen = 0

    @property
    def open(self) -> tuple[MeasuredCall, ...]:
        """Those under way."""
        return tuple(self._open)

    @property
    def ends(self) -> WindowEnds:
        """So far."""
        return WindowEnds(self._left, self._dropped, self._beside, len(self._open), self._unseen)

    def running(self, pointer: int, on_process_stack: bool) -> MeasuredCall | None:
        """The one on the stack that is in use."""
        stack = self._stack(pointer, on_process_stack)
        return next((call for call in self._open if call.stack == stack), None)

    def called(self, pc: int, pointer: int, lr: int, on_process_stack: bool) -> bool:
        """The core is at the function; returns whether a call begins that is measured, and is not inside of another."""
        end = lr & ~1
        earlier = self.running(pointer, on_process_stack)
        if earlier is not None:
            if self._is_inside(earlier, pointer, end):
                return False
            self._drop(earlier)
        leading = self._leading(pc, end) if self._open else ()
        self._beside += bool(self._open)
        recorded = self._recorder.instructions
        is_watched = self.sees_pointer and self._recorder.function_start(end) >= 0
        self._unseen += not is_watched and not never_executed(end)
        stack = self._stack(pointer, on_process_stack)
        number = self._recorder.begin(pc)
        self._open.append(MeasuredCall(end, pointer, stack, number, recorded, leading, is_watched))
        return True

    def returned(self, pc: int, pointer: int) -> MeasuredCall | None:
        """The core is at `pc`: the measured call that ends there, if any.

        An instruction that calls through a pointer comes back to one place from all that it calls: what arrives is another function's
        return where another call to that place is under way than was when this one began.
        """
        call = next((call for call in self._open if (call.end, call.pointer) == (pc, pointer)), None)
        if call is None:
            return None
        if self._calls_to(pc) != call.leading:
            self._drop(call)
            return None
        self._end(call)
        return call

    def left(self, call: MeasuredCall) -> None:
        """The frame of `call` is off the stack, and it did not return: that ends it."""
        self._left += 1
        self._end(call)

    def _end(self, call: MeasuredCall) -> None:
        self._open.remove(call)
        self._recorder.end(call.number)
        self.instructions.append(self._recorder.instructions - call.recorded)

    def _drop(self, call: MeasuredCall) -> None:
        self._open.remove(call)
        self._dropped += 1
        self._recorder.drop(call.number)

    def _is_inside(self, call: MeasuredCall, pointer: int, end: int) -> bool:
        """Whether a new call is one inside of `call`: it is deeper, or has come by a jump (a tail call returns to the same place)."""
        jumped = end == call.end and self._recorder.last_end != end
        return pointer < call.pointer or (pointer == call.pointer and (call.is_watched or jumped))

    def _leading(self, pc: int, end: int) -> tuple[Call, ...]:
        """The calls that return to `end` once the one to `pc` is made, which the recorder has not seen yet."""
        is_call = self._recorder.last_end == end
        return (*self._calls_to(end), Call(pc, end)) if is_call else self._calls_to(end)

    def _calls_to(self, address: int) -> tuple[Call, ...]:
        """The calls that will return to `address`, as far as they began inside of a window."""
        return tuple(call for call in self._recorder.calls() if call.returns_to == address)

    def _stack(self, pointer: int, on_process_stack: bool) -> Stack:
        return self._stacks.at(self._recorder.exceptions.task if on_process_stack else MAIN_STACK, pointer)
