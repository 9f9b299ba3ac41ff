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
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.contract import BlockCounts, Call
from mcu_harness.emulator.recorder import block_hook, views
from mcu_harness.emulator.recorder.clock import Clock
from mcu_harness.emulator.recorder.counted import Early, Mark, block_counts
from mcu_harness.emulator.recorder.exceptions import TakenExceptions
from mcu_harness.emulator.recorder.steps import RecordedSteps
from mcu_harness.emulator.recorder.tables import Table, aligned, block_index, compiled
from mcu_harness.hardware.arm.thumb import BlockEnd, block_end, unmasks

Words = npt.NDArray[np.int64]

_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)
_STEP_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
_NO_CALLER = -2  # no block's function: -1 is that of code outside all functions
_DEEPEST = 1000
_DEEPEST_IN_LARGE_TREE = 64
_LARGE_TREE = 1 << 16
_CHECK_EVERY = 2_000_000
_MOST_BYTES_OF_INSTRUCTION = 4
_MOST_WINDOW_COUNTS = 1 << 24  # edges x windows: beyond that, counts of single windows are given up


class NoCodeError(ValueError):
    """A block was executed at `address` whose bytes are no whole instructions, or are not known."""

    def __init__(self, address: int, reason: str) -> None:
        super().__init__(f"{reason} at {address:#010x}")
        self.address = address


class BlockRecorder:
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
        self._read_code = read_code
        self._functions = functions
        self._function_starts = [start for start, _ in functions]
        self._handlers = frozenset(handlers)
        self._each_call = frozenset(each_call)
        self._keep_going = keep_going
        self._limit = limit
        self._counted_in_instructions = sizes_are_instructions
        self._clock = clock
        self._unit = clock.ticks if clock else 1
        self._code: list[bytes] = [b""] * block_hook.FIRST_BLOCK
        self._bytes: list[int] = [0] * block_hook.FIRST_BLOCK
        self._left_early: list[tuple[int, int, int, int]] = []  # context, previous, current, count
        self._left_in: list[int] = []  # the window of each of them
        self._window = -1  # windows begun, less one
        self._marks: list[npt.NDArray[np.int64]] = []  # counts of all edges, where each window ended
        self._marked = 0  # counts in all of them
        self._in_window = False
        self.paused = False
        self._only_one = False  # whether the next block is the last before a pause
        self.may_take: Callable[[], bool] = lambda: False  # whether an exception that was held back no longer is
        self._alarm: int | None = None
        self._looping = False
        self._state = aligned(block_hook.STATE_WORDS)
        self._blocks = Table(1 << 12, block_hook.BLOCK_ROW)
        self._edges = Table(1 << 13, block_hook.EDGE_ROW)
        self._contexts = Table(1 << 10, block_hook.CONTEXT_ROW)
        self._frames = Table(1 << 12, block_hook.FRAME_ROW)
        self._block_index = Table(1 << 15, 8)
        self._edge_index = Table(1 << 15, 8)
        self._callbacks = [_CALLBACK(self._decode), _CALLBACK(self._check), _CALLBACK(self._grow)]
        words = [block_hook.DECODE, block_hook.CHECK, block_hook.GROW]
        if clock is not None:
            self._callbacks.append(_STEP_CALLBACK(self._price))
            words.append(block_hook.PRICE)
        for word, callback in zip(words, self._callbacks, strict=True):
            self._set(word, ctypes.cast(callback, ctypes.c_void_p).value or 0)
        nothing = [word // 8 for word in (block_hook.KEY, block_hook.FUNCTION, block_hook.TARGET)]
        self._blocks.rows[: block_hook.FIRST_BLOCK, nothing] = -1
        self._edges.rows[: block_hook.FIRST_EDGE, block_hook.KEY // 8] = -1
        self._edges.rows[: block_hook.FIRST_EDGE, block_hook.LOWEST // 8] = block_hook.NO_STACK
        self._no_pointer = np.full(2, block_hook.NO_STACK, np.uint32)
        self._set(block_hook.POINTER, int(self._no_pointer.ctypes.data))
        self._edges.rows[2, block_hook.TO // 8] = block_hook.ROOT
        self._set(block_hook.NEW_BLOCK, compiled().new_block_address)
        self._set(block_hook.EDGE, block_hook.START_OUTSIDE)
        self._set(block_hook.EDGE_COUNT, block_hook.FIRST_EDGE)
        self._set(block_hook.CONTEXT_COUNT, block_hook.ROOT + 1)
        self._set(block_hook.MAX_DEPTH, _DEEPEST)
        self._set(block_hook.INTERRUPTS, int(bool(self._handlers)))
        self._check_every = _CHECK_EVERY * self._unit
        self._granted = min(limit, self._check_every)
        self._set(block_hook.LEFT, self._granted)
        self._point_at_tables()
        tables = self._state, self._edges, self._contexts, self._frames
        self.exceptions = TakenExceptions(*tables, self._grow, self._function_start, lambda: self.ticks)

    # What an emulator does with it.

    @property
    def state_address(self) -> int:
        """User data of the block hook."""
        return int(self._state.ctypes.data)

    @property
    def hook_address(self) -> int:
        """C address of a UC_HOOK_BLOCK callback."""
        return compiled().hook_address

    def set_stop_function(self, address: int) -> None:
        """The C function that the block hook calls with its engine to stop it (uc_emu_stop)."""
        self._set(block_hook.EMU_STOP, address)

    def watch_stack(self, pointer: int, low: int) -> None:
        """Keep the lowest stack pointers from the address `low` on; `pointer` is where this process has the core's."""
        self._set(block_hook.POINTER, pointer)
        self._set(block_hook.STACK_LOW, low)

    def watch_frame(self, pointer: int, end: int, returns_to: int) -> None:
        """Pause once what was entered with this stack pointer is off the stack, which ends at `end`, without a return.

        New steps alone are asked: one that leaves the frame is never recorded, so it stays new.
        """
        self._set(block_hook.FRAME_END, pointer)
        self._set(block_hook.FRAME_SPAN, max(0, end - pointer) + 1)
        caller = self._function_start(returns_to)
        self._set(block_hook.FRAME_CALLER, caller if caller >= 0 else _NO_CALLER)
        self._set(block_hook.FRAME_LEFT, 0)

    def ignore_frame(self) -> None:
        """No longer."""
        self._set(block_hook.FRAME_SPAN, 0)
        self._set(block_hook.FRAME_LEFT, 0)

    @property
    def left_frame(self) -> bool:
        """Whether the watched frame is off the stack."""
        return self._get(block_hook.FRAME_LEFT) != 0

    def lowest_stack(self, low: int, high: int) -> int | None:
        """The lowest address in [low, high) that the stack pointer reached; None where it never was in there.

        It is known where each block begins; how far a block goes down in between is read from its code.
        """
        rows = self._edges.rows[: self._get(block_hook.EDGE_COUNT)]
        return views.lowest_stack(rows, self._blocks.rows, self._code, low, high)

    def add(self, records: npt.NDArray[np.uint32]) -> bool:
        """Record an (n, 2) array of (address, size); False when the run has to stop. Raises what a callback raised."""
        taken = compiled().add(self.state_address, np.ascontiguousarray(records, np.uint32))
        if self.error is not None:
            raise self.error
        return taken == len(records)

    def begin(self, entry: int) -> None:
        """Start a window: count into the tree, whose root is the code at `entry`."""
        self._mark()
        self._in_window = True
        self._window += 1
        root = self._contexts.rows[block_hook.ROOT]
        if root[block_hook.ENTRY // 8] == 0:
            root[[block_hook.ENTRY // 8, block_hook.CONTEXT_FUNCTION // 8]] = entry, self._function_start(entry)
        self._start_at(block_hook.START_ROOT)
        self._set(block_hook.WINDOW, self._window + 1)

    def end(self) -> None:
        """End a window: count instructions only, until the next `begin`."""
        self._mark()
        self._start_at(block_hook.START_OUTSIDE)

    def _start_at(self, edge: int) -> None:
        self._set(block_hook.EDGE, edge)
        self._set(block_hook.DEPTH, 0)
        self.exceptions.restart(edge)

    def _mark(self) -> None:
        """Remember the counts at the end of a window."""
        if self._in_window:
            self._in_window = False
            if self._marked < _MOST_WINDOW_COUNTS:
                self._marks.append(self._edges.rows[: self._get(block_hook.EDGE_COUNT), block_hook.COUNT // 8].copy())
                self._marked += len(self._marks[-1])

    def pause(self) -> None:
        """Stop the run before the next block, for callbacks in the middle of one; `resume` before it goes on."""
        self.paused = True
        self._grant(0)

    def resume(self) -> None:
        """Go on after a pause."""
        self.paused = False
        self._set(block_hook.STOPPED, 0)

    def only_one(self) -> None:
        """Stop the run before the block after the next one, as `pause` does; `enough` when the run has stopped."""
        self._only_one = True
        self._grant(0)

    def enough(self) -> None:
        """One block was all; where something else stopped the run before the next, that is what it was."""
        self._only_one = False
        if not self.stopped:
            self.paused = False

    def set_alarm(self, at: int | None) -> None:
        """Pause before the first block that begins after the time `at`; None for no alarm."""
        if self._looping:
            views.forget_repeats(self._edges.rows[: self._get(block_hook.EDGE_COUNT)])
            self._set(block_hook.INTERRUPTS, 0)
            self._looping = False
        self._alarm = None if at is None else at * self._unit
        if self._alarm is not None:
            self._grant(min(self._get(block_hook.LEFT), max(0, self._alarm - self.ticks)))

    def loop_on(self) -> bool:
        """Go on in an endless loop until the alarm; False without one."""
        self._looping = self._alarm is not None
        if self._looping:
            self._set(block_hook.INTERRUPTS, 1)
            self.resume()
        return self._looping

    def hold(self, held: bool) -> None:
        """Whether to ask `may_take` wherever exceptions may have been unmasked, and to pause when it says so."""
        self._set(block_hook.HELD, int(held))

    def _grant(self, left: int) -> None:
        """From now on, `left` ticks until the next check."""
        self._granted = self.ticks + left
        self._set(block_hook.LEFT, left)

    @property
    def ticks(self) -> int:
        """The time in ticks of the clock, without one in instructions."""
        return self._granted - self._get(block_hook.LEFT)

    @property
    def now(self) -> int:
        """The time: instructions so far, or what the clock counts."""
        return self.ticks // self._unit

    def set_back(self, ticks: int) -> None:
        """The time is `ticks` again: the program was put back to where it was then."""
        self._granted += ticks - self.ticks

    @property
    def instructions(self) -> int:
        """All instructions so far, inside and outside of windows."""
        if self._clock is None:
            return self.ticks
        edges = self._edges.rows[: self._get(block_hook.EDGE_COUNT)]
        each = self._blocks.rows[edges[:, block_hook.CURRENT // 8], block_hook.INSTRUCTIONS // 8]
        early = sum(int(self._blocks.rows[part, block_hook.INSTRUCTIONS // 8]) for _, _, part, _ in self._left_early)
        return int((edges[:, block_hook.COUNT // 8] * each).sum()) + early

    @property
    def stopped(self) -> bool:
        """Whether the recorder stopped the run: an endless loop, the limit, `keep_going`, or an error."""
        return self._get(block_hook.STOPPED) != 0

    @property
    def stopped_in_endless_loop(self) -> bool:
        return self._get(block_hook.STOPPED) == block_hook.STOP_ENDLESS

    @property
    def last_block(self) -> int:
        """Where the block starts that was recorded last."""
        return self._address(int(self._last_edge[block_hook.CURRENT // 8]))

    @property
    def last_end(self) -> int:
        """Where the block ends that was recorded last."""
        return int(self._last_edge[block_hook.EDGE_END // 8])

    def branch_to(self, pc: int) -> int | None:
        """The instruction that led to `pc`, where execution has just arrived: the last one of the block before it."""
        return views.branch_to(self._last_edge, self._blocks.rows, self._code, pc)

    def leave_early(self, pc: int) -> None:
        """The block recorded last was left before its instruction at `pc` completed: take back the rest of it."""
        edge = self._last_edge
        block = int(edge[block_hook.CURRENT // 8])
        address = self._address(block)
        if block < block_hook.FIRST_BLOCK or not address <= pc < address + self._bytes[block]:
            return
        edge[block_hook.COUNT // 8] -= 1
        executed = 0
        if pc > address:
            executed = block_end(self._code[block][: pc - address], address).instructions
            part = self._decode(address << 32 | (executed if self._counted_in_instructions else pc - address))
            self._left_early.append((int(edge[block_hook.TO // 8]), int(edge[block_hook.PRIOR // 8]), part, 1))
            self._left_in.append(self._window)
            executed = int(self._blocks.rows[part, block_hook.TICKS // 8])
        self._granted -= int(edge[block_hook.EDGE_TICKS // 8]) - executed

    def mark(self) -> Mark:
        """The counts as they are now, for `counts` since then."""
        return Mark(self.steps().edge_count, len(self._left_early))

    def counts(self, since: Mark | None = None) -> BlockCounts:
        """What was counted inside windows: blocks that ran only elsewhere are not in it.

        `since` a mark, only what ran after it, and nothing of single windows.
        """
        # With too many windows for marks, and without any, single windows are not known.
        windows_known = since is None and len(self._marks) > self._window - int(self._in_window)
        early = Early(self._left_early, self._left_in)
        return block_counts(self.steps(), early, since, self._marks if windows_known else None)

    def elsewhere(self) -> tuple[tuple[int, bytes], ...]:
        """(address, machine code) of the blocks that ran only outside of windows."""
        blocks = views.blocks_elsewhere(self._edges.rows[: self._get(block_hook.EDGE_COUNT)])
        return tuple((self._address(int(block)), self._code[block]) for block in blocks)

    def has_code_in(self, low: int, high: int) -> bool:
        """Whether code at [low, high) was executed."""
        addresses = self.steps().addresses[1:]
        return bool(((addresses >= low) & (addresses < high)).any())

    def steps(self) -> RecordedSteps:
        """The tables as they are now, for a memory trace beside it."""
        edges, contexts = self._get(block_hook.EDGE_COUNT), self._get(block_hook.CONTEXT_COUNT)
        tables = self._edges.rows[:edges], self._blocks.rows[: len(self._bytes)], self._contexts.rows[:contexts]
        return RecordedSteps(*tables, self._bytes, self._code)

    def calls(self) -> tuple[Call, ...]:
        """The calls that have not returned, outermost first; of very many, the first and the last.

        Empty outside of windows, where calls are not followed.
        """
        context = int(self._last_edge[block_hook.TO // 8])
        return views.open_calls(self._frames.rows[: self._get(block_hook.DEPTH)], self._contexts.rows, context)

    # Callbacks of the compiled code. They must not raise: ctypes would print and go on.

    def _decode(self, key: int) -> int:
        try:
            return self._new_block(key)
        except BaseException as error:
            self.error = self.error or error
            return 0

    def _new_block(self, key: int) -> int:
        address, size = key >> 32, key & 0xFFFFFFFF
        if self._counted_in_instructions:
            code = self._read_code(address, size * _MOST_BYTES_OF_INSTRUCTION)
            end = _block_end(code, address, size)
            code = code[: end.size]
        else:
            code = self._read_code(address, size)
            end = _block_end(code, address, None)
        index = len(self._code)
        self._code.append(code)
        self._bytes.append(len(code))
        while index >= len(self._blocks.rows):
            self._blocks.grow()
            self._point_at_tables()
        if 2 * index > len(self._block_index.rows):
            self._rehash_blocks()
        flags = block_hook.ENDLESS if end.endless and end.instructions == 1 else 0
        flags |= block_hook.HANDLER if address in self._handlers else 0
        flags |= block_hook.UNMASKS if unmasks(code[end.branch_address - address :]) else 0
        flags |= block_hook.EACH_CALL if address in self._each_call else 0
        function = self._function_start(address)
        ticks = end.instructions if self._clock is None else self._clock.block(address, code)
        row = (key, end.instructions, end.kind | flags, end.target, address + end.size, function, ticks)
        self._blocks.rows[index, : len(row)] = row
        return index

    def _price(self, previous: int, current: int) -> int:
        """What the step from one block to another takes more than the second one's own time."""
        try:
            assert self._clock is not None
            ends = self._address(previous) + self._bytes[previous] if previous >= block_hook.FIRST_BLOCK else None
            return self._clock.step(ends, self._address(current))
        except BaseException as error:
            self.error = self.error or error
            return 0

    def _check(self, next_block: int) -> int:
        now = self.ticks
        try:
            if self._only_one and not self.paused:
                self.paused = True  # before the next one
                self._grant(next_block)
                return 1
            if (self._alarm is not None and now >= self._alarm) or (self._get(block_hook.HELD) and self.may_take()):
                self.pause()
            if self.left_frame:
                self.pause()
            if self.paused or now + next_block > self._limit or not self._keep_going(now + next_block):
                return 0
        except BaseException as error:
            self.error = self.error or error
            return 0
        more = min(self._limit - now, next_block + self._check_every)
        self._grant(more if self._alarm is None else min(more, max(next_block, self._alarm - now)))
        return 1

    def _grow(self, what: int) -> int:
        if what == block_hook.EDGES:
            self._edges.grow()
            self._edge_index = Table(4 * len(self._edges.rows), 8)  # the compiled code fills it again
        elif what == block_hook.CONTEXTS:
            self._contexts.grow()
            if len(self._contexts.rows) > _LARGE_TREE:
                self._set(block_hook.MAX_DEPTH, _DEEPEST_IN_LARGE_TREE)
        else:
            self._frames.grow()
        self._point_at_tables()
        return 0

    def _rehash_blocks(self) -> None:
        keys = self._blocks.rows[1 : len(self._code) - 1, block_hook.KEY // 8].tolist()
        self._block_index = block_index(2 * len(self._block_index.rows), keys)
        self._point_at_tables()

    # State.

    def _point_at_tables(self) -> None:
        for word, table in (
            (block_hook.BLOCKS, self._blocks),
            (block_hook.BLOCK_INDEX, self._block_index),
            (block_hook.EDGES, self._edges),
            (block_hook.EDGE_INDEX, self._edge_index),
            (block_hook.CONTEXTS, self._contexts),
            (block_hook.FRAMES, self._frames),
        ):
            self._set(word, table.address)
        self._set(block_hook.BLOCK_MASK, len(self._block_index.rows) - 1)
        self._set(block_hook.EDGE_MASK, len(self._edge_index.rows) - 1)
        self._set(block_hook.EDGE_ROOM, len(self._edges.rows))
        self._set(block_hook.CONTEXT_ROOM, len(self._contexts.rows))
        self._set(block_hook.FRAME_ROOM, len(self._frames.rows))

    def _get(self, word: int) -> int:
        return int(self._state[word // 8])

    def _set(self, word: int, value: int) -> None:
        self._state[word // 8] = value

    def _address(self, block: int) -> int:
        return int(self._blocks.rows[block, block_hook.KEY // 8]) >> 32

    @property
    def _last_edge(self) -> Words:
        row: Words = self._edges.rows[self._get(block_hook.EDGE) // block_hook.EDGE_ROW]
        return row

    def _function_start(self, address: int) -> int:
        at = bisect_right(self._function_starts, address) - 1
        return self._functions[at][0] if at >= 0 and address < self._functions[at][1] else -1


def _block_end(code: bytes, address: int, instructions: int | None) -> BlockEnd:
    try:
        return block_end(code, address, instructions)
    except ValueError as error:
        raise NoCodeError(address, str(error)) from error
