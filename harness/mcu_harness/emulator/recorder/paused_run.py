"""The time of a run, and what stops it before a next block: a pause, an alarm, the limit, an exception that may be taken."""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.emulator.recorder import views
from mcu_harness.emulator.recorder.clock import Clock
from mcu_harness.emulator.recorder.layout import STOP_ENDLESS
from mcu_harness.emulator.recorder.tables import RecorderTables

_CHECK_EVERY = 2_000_000


class PausedRun:
    """What of `BlockRecorder` is about time.

    Compiled code counts `State.left` down and asks when it is used up; `_granted` is the time at which that will be.
    """

    def __init__(
        self,
        tables: RecorderTables,
        keep_going: Callable[[int], bool],
        limit: int,
        clock: Clock | None,
        has_handlers: bool,
    ) -> None:
        self._tables = tables
        self._state = tables.state
        self._keep_going = keep_going
        self._limit = limit
        self._unit = clock.ticks if clock else 1
        self._check_every = _CHECK_EVERY * self._unit
        self.paused = False
        self.may_take: Callable[[], bool] = lambda: False  # whether an exception that was held back no longer is
        self._only_one = False  # whether the next block is the last before a pause
        self._alarm: int | None = None
        self._looping = False
        self._state.interrupts = int(has_handlers)
        self._granted = min(limit, self._check_every)
        self._state.left = self._granted

    def pause(self) -> None:
        """Stop the run before the next block, for callbacks in the middle of one; `resume` before it goes on."""
        self.paused = True
        self._grant(0)

    def resume(self) -> None:
        """Go on after a pause."""
        self.paused = False
        self._state.stopped = 0

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
            views.forget_repeats(self._tables.known_edges)
            self._state.interrupts = 0
            self._looping = False
        self._alarm = None if at is None else at * self._unit
        if self._alarm is not None:
            self._grant(min(self._state.left, max(0, self._alarm - self.ticks)))

    def loop_on(self) -> bool:
        """Go on in an endless loop until the alarm; False without one."""
        self._looping = self._alarm is not None
        if self._looping:
            self._state.interrupts = 1
            self.resume()
        return self._looping

    def hold(self, held: bool) -> None:
        """Whether to ask `may_take` wherever exceptions may have been unmasked, and to pause when it says so."""
        self._state.held = int(held)

    @property
    def ticks(self) -> int:
        """The time in ticks of the clock, without one in instructions."""
        return self._granted - self._state.left

    @property
    def now(self) -> int:
        """The time: instructions so far, or what the clock counts."""
        return self.ticks // self._unit

    def set_back(self, ticks: int) -> None:
        """The time is `ticks` again: the program was put back to where it was then."""
        self._granted += ticks - self.ticks

    @property
    def left_frame(self) -> bool:
        """Whether the frame that `BlockRecorder.watch_frame` was told of is off the stack."""
        return self._state.frame_left != 0

    @property
    def stopped(self) -> bool:
        """Whether the recorder stopped the run: an endless loop, the limit, `keep_going`, or an error."""
        return self._state.stopped != 0

    @property
    def stopped_in_endless_loop(self) -> bool:
        return self._state.stopped == STOP_ENDLESS

    def _grant(self, left: int) -> None:
        """From now on, `left` ticks until the next check."""
        self._granted = self.ticks + left
        self._state.left = left

    def _goes_on(self, next_block: int) -> bool:
        """Whether to go on with a next block that takes so many ticks; then time is granted for it."""
        now = self.ticks
        if self._only_one and not self.paused:
            self.paused = True  # before the next one
            self._grant(next_block)
            return True
        if (self._alarm is not None and now >= self._alarm) or (self._state.held and self.may_take()):
            self.pause()
        if self.left_frame:
            self.pause()
        if self.paused or now + next_block > self._limit or not self._keep_going(now + next_block):
            return False
        more = min(self._limit - now, next_block + self._check_every)
        self._grant(more if self._alarm is None else min(more, max(next_block, self._alarm - now)))
        return True
