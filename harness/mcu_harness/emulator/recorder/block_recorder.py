"""The block recorder: one for every emulator. Executed blocks go in, `BlockCounts` come out.

It keeps the calling-context tree while the program runs, and only counts: how often each block ran right after which
other, in which context. Pricing those counts in cycles happens after the run, as often as one likes.

- A call (BL, BLX) makes the block after it a child context and puts a frame with the return address on a stack.
- An indirect jump (BX, POP {pc}, ...) to the return address of a frame is a return to it, dropping the frames above.
- Any other step into another function, with symbols, is a tail call: a child context, without a frame. Going back
  into a function that was tail-called from is recognised, as is a jump back into any caller (longjmp).
- A handler of the vector table that is reached otherwise than by a call or jump is an exception: a frame of its own.
  An emulator that takes exceptions here says so instead (`exceptions`).
- Recursion is followed to a depth of 1000 contexts, and folds back onto the tree below that.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.contract import BlockCounts, Call
from mcu_harness.emulator.recorder import views
from mcu_harness.emulator.recorder.block_hook import compiled
from mcu_harness.emulator.recorder.clock import Clock
from mcu_harness.emulator.recorder.counted import Early, Mark, block_counts
from mcu_harness.emulator.recorder.exceptions import TakenExceptions
from mcu_harness.emulator.recorder.known_blocks import KnownBlocks, NoCodeError
from mcu_harness.emulator.recorder.layout import FIRST_BLOCK, ROOT, START_OUTSIDE, START_ROOT
from mcu_harness.emulator.recorder.paused_run import PausedRun
from mcu_harness.emulator.recorder.steps import RecordedSteps
from mcu_harness.emulator.recorder.tables import RecorderTables
from mcu_harness.emulator.recorder.task_stacks import TaskStacks
from mcu_harness.emulator.recorder.window_marks import WindowMarks

__all__ = ["BlockRecorder", "NoCodeError"]

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
_STEP_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_NO_CALLER = -2  # no block's function: -1 is that of code outside all functions


class BlockRecorder(PausedRun):
    """Records one run.

    `read_code(address, size)` gives the bytes of a block that is seen for the first time; `functions` are the
    (start, end) of known functions, sorted; `handlers` are the entries of exception handlers, for emulators that
    take exceptions unseen (empty otherwise: then a block that branches to itself is known to be endless).
    `each_call` are entries of functions of which every call in a window is a context of its own, up to a thousand.
    `keep_going(instructions)` is asked every two million instructions, and at `limit`; False stops the run.
    With `sizes_are_instructions` a block comes as (address, instructions) instead of (address, bytes).
    Time (`now`, alarms) is instructions, unless there is a `clock`; `limit` is for runs without one.
    """

    def __init__(
        self,
        read_code: Callable[[int, int], bytes],
        *,
        functions: Sequence[tuple[int, int]] = (),
        handlers: Collection[int] = (),
        each_call: Collection[int] = (),
        keep_going: Callable[[int], bool] = lambda _: True,
        limit: int = 1 << 62,
        sizes_are_instructions: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.error: BaseException | None = None
        tables = RecorderTables()
        super().__init__(tables, keep_going, limit, clock, bool(handlers))
        self._clock = clock
        self._known = KnownBlocks(tables, read_code, functions, handlers, each_call, sizes_are_instructions, clock)
        self._left_early: list[tuple[int, int, int, int]] = []  # context, previous, current, count
        self._left_in: list[tuple[int, ...]] = []  # the windows that each of them is in
        self._windows = WindowMarks(lambda: tables.known_edges["count"])
        self._callbacks = [_CALLBACK(self._decode), _CALLBACK(self._check), _CALLBACK(tables.grow)]
        state = self._state
        state.decode, state.check, state.grow = (_address(callback) for callback in self._callbacks)
        if clock is not None:
            self._callbacks.append(_STEP_CALLBACK(self._price))
            state.price = _address(self._callbacks[-1])
        state.new_block = compiled().on_new_block
        self.task_stacks = TaskStacks(tables, self._known.code)
        self.exceptions = TakenExceptions(tables, self._known.function_start, lambda: self.ticks)

    # What an emulator does with it.

    @property
    def state_address(self) -> int:
        """User data of the block hook."""
        return self._state.address

    @property
    def hook_address(self) -> int:
        """C address of a UC_HOOK_BLOCK callback."""
        return compiled().on_block

    def set_stop_function(self, address: int) -> None:
        """The C function that the block hook calls with its engine to stop it (uc_emu_stop)."""
        self._state.emu_stop = address

    def watch_stack(self, pointer: int, low: int) -> None:
        """Keep the lowest stack pointers from the address `low` on; `pointer` is where this process has the core's."""
        self._state.stack_pointer = pointer
        self._state.stack_low = low

    def watch_frame(self, pointer: int, end: int, returns_to: int) -> None:
        """Pause once what was entered with this stack pointer is off the stack, which ends at `end`, without a return.

        New steps alone are asked: one that leaves the frame is recorded as one that is looked at anew each time.
        """
        self._state.frame_end = pointer
        self._state.frame_span = max(0, end - pointer) + 1
        caller = self._known.function_start(returns_to)
        self._state.frame_caller = caller if caller >= 0 else _NO_CALLER
        self._state.frame_left = 0

    def function_start(self, address: int) -> int:
        """Where the function begins that holds `address`; -1 where no symbol says so."""
        return self._known.function_start(address)

    def ignore_frame(self) -> None:
        """No longer."""
        self._state.frame_span = 0
        self._state.frame_left = 0

    def add(self, records: npt.NDArray[np.uint32]) -> bool:
        """Record an (n, 2) array of (address, size); False when the run has to stop. Raises what a callback raised."""
        taken = compiled().add(self.state_address, np.ascontiguousarray(records, np.uint32))
        if self.error is not None:
            raise self.error
        return taken == len(records)

    def begin(self, entry: int) -> int:
        """Start a window: count into the tree, whose root is the code at `entry`. Returns the window's number.

        Where another one is open, of another task, both go on: what runs is counted in both, and where it is in the tree.
        """
        beside = bool(self._windows.open)
        number = self._windows.begin()
        if not beside:
            root = self._tables.contexts.row(ROOT)
            if root.entry == 0:
                root.entry, root.function = entry, self._known.function_start(entry)
            self._start_at(START_ROOT)
        self._state.window = number + 1
        return number

    def end(self, number: int | None = None) -> None:
        """End a window, the only one where `number` does not say which: without any, instructions alone are counted."""
        for window in self._windows.open if number is None else (number,):
            self._windows.end(window)
        self._end_windows()

    def drop(self, number: int) -> None:
        """End a window whose counts are not to be kept."""
        self._windows.drop(number)
        self._end_windows()

    def _end_windows(self) -> None:
        if not self._windows.open:
            self._start_at(START_OUTSIDE)

    def _start_at(self, edge: int) -> None:
        self._state.edge = edge
        self._state.depth = 0
        self.exceptions.restart(edge)

    def leave_early(self, pc: int) -> None:
        """The block recorded last was left before its instruction at `pc` completed: take back the rest of it."""
        edge = self._tables.last_edge
        block, taken = edge.current, edge.ticks
        address = self._tables.address(block)
        if block < FIRST_BLOCK or not address <= pc < address + self._known.sizes[block]:
            return
        edge.count -= 1
        executed = 0
        if pc > address:
            part = self._decode(self._known.part(block, pc - address))
            self._left_early.append((edge.to_context, edge.prior, part, 1))
            self._left_in.append(self._windows.open)
            executed = self._tables.blocks.row(part).ticks
        self._granted -= taken - executed

    # What can be known of the run, at any time.

    @property
    def instructions(self) -> int:
        """All instructions so far, inside and outside of windows."""
        if self._clock is None:
            return self.ticks
        each, edges = self._tables.blocks.rows["instructions"], self._tables.known_edges
        early = sum(int(each[part]) for _, _, part, _ in self._left_early)
        return int((edges["count"] * each[edges["current"]]).sum()) + early

    @property
    def last_block(self) -> int:
        """Where the block starts that was recorded last."""
        return self._tables.address(self._tables.last_edge.current)

    @property
    def last_end(self) -> int:
        """Where the block ends that was recorded last."""
        return self._tables.last_edge.end

    def branch_to(self, pc: int) -> int | None:
        """The instruction that led to `pc`, where execution has just arrived: the last one of the block before it."""
        return views.branch_to(self._tables.last_edge, self._tables, self._known.code, pc)

    def lowest_stack(self, low: int, high: int) -> int | None:
        """The lowest address in [low, high) that the stack pointer reached; None where it never was in there.

        It is known where each block begins; how far a block goes down in between is read from its code.
        """
        return views.lowest_stack(self._tables.known_edges, self._known.code, low, high)

    def mark(self) -> Mark:
        """The counts as they are now, for `counts` since then."""
        return Mark(self.steps().edge_count, len(self._left_early))

    def counts(self, since: Mark | None = None) -> BlockCounts:
        """What was counted inside windows: blocks that ran only elsewhere are not in it.

        `since` a mark, only what ran after it, and nothing of single windows.
        """
        early = Early(self._left_early, self._left_in)
        return block_counts(self.steps(), early, since, self._windows if since is None else None)

    def elsewhere(self) -> tuple[tuple[int, bytes], ...]:
        """(address, machine code) of the blocks that ran only outside of windows."""
        blocks = views.blocks_elsewhere(self._tables.known_edges).tolist()
        return tuple((self._tables.address(block), self._known.code[block]) for block in blocks)

    def has_code_in(self, low: int, high: int) -> bool:
        """Whether code at [low, high) was executed."""
        addresses = self.steps().addresses[1:]
        return bool(((addresses >= low) & (addresses < high)).any())

    def steps(self) -> RecordedSteps:
        """The tables as they are now, for a memory trace beside it."""
        known, tables = self._known, self._tables
        blocks = tables.blocks.rows[: len(known.sizes)]
        return RecordedSteps(tables.known_edges, blocks, tables.known_contexts, known.sizes, known.code)

    def calls(self) -> tuple[Call, ...]:
        """The calls that have not returned, outermost first; of very many, the first and the last.

        Empty outside of windows, where calls are not followed.
        """
        return views.open_calls(self._tables.open_frames, self._tables.contexts, self._tables.last_edge.to_context)

    # Callbacks of the compiled code. They must not raise: ctypes would print and go on.

    def _decode(self, key: int) -> int:
        try:
            return self._known.add(key)
        except BaseException as error:
            self.error = self.error or error
            return 0

    def _check(self, next_block: int) -> int:
        try:
            return int(self._goes_on(next_block))
        except BaseException as error:
            self.error = self.error or error
            return 0

    def _price(self, previous: int, current: int) -> int:
        """What the step from one block to another takes more than the second one's own time."""
        try:
            assert self._clock is not None
            address = self._tables.address
            ends = address(previous) + self._known.sizes[previous] if previous >= FIRST_BLOCK else None
            return self._clock.step(ends, address(current))
        except BaseException as error:
            self.error = self.error or error
            return 0


def _address(callback: Any) -> int:
    return ctypes.cast(callback, ctypes.c_void_p).value or 0
