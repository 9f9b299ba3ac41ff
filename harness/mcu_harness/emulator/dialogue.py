"""A dialogue with the program's console: what is sent to it, and what has to come back before the next step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mcu_harness.emulator.contract import Exchange


class Dialogue:
    """The steps of one run. Whoever drives the run calls `next_step` when `answered`, and before the first step.

    `on_answer` is called when a step becomes answered, in the middle of whatever the program does then.
    """

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.on_answer: Callable[[], None] = lambda: None
        self._exchanges = exchanges
        self._step = -1
        self._input = bytearray()
        self._heard = bytearray()

    @property
    def step(self) -> Exchange | None:
        """The step that is under way, None before the first and after the last."""
        return self._exchanges[self._step] if 0 <= self._step < len(self._exchanges) else None

    @property
    def over(self) -> bool:
        """Whether there was something to say, and all of it has been answered."""
        return bool(self._exchanges) and self._step >= len(self._exchanges)

    @property
    def answered(self) -> bool:
        """Whether the step under way is through: all of it was read, and the answer came."""
        step = self.step
        return step is not None and not self._input and step.wait in self._heard

    def next_step(self) -> Exchange | None:
        """Begin the next step, if there is one: from now on the program can read what it sends."""
        self._step += 1
        self._heard.clear()
        step = self.step
        self._input += step.send if step else b""
        return step

    def hear(self, text: bytes) -> None:
        """The program wrote `text`. What it writes before it has read everything is no answer."""
        step = self.step
        if step is None or self._input:
            return
        self._heard += text
        if step.wait not in self._heard and len(step.wait) > 0:
            del self._heard[: -len(step.wait)]  # an answer may begin in what is kept
        self._look()

    @property
    def waiting(self) -> bool:
        """Whether there is something for the program to read."""
        return bool(self._input)

    def take(self) -> int:
        """The next byte for the program, 0 when there is none."""
        taken = self._input.pop(0) if self._input else 0
        self._look()
        return taken

    def _look(self) -> None:
        if self.answered:
            self.on_answer()

    def describe(self) -> str:
        """What the step under way waits for, for people."""
        return describe_step(self._exchanges, self._step, bytes(self._input))


def describe_step(exchanges: Sequence[Exchange], number: int, unread: bytes) -> str:
    """What the step waits for that is under way, for people; "" when none is. `unread` is of what it has sent."""
    if not 0 <= number < len(exchanges):
        return ""
    step = exchanges[number]
    place = f"step {number + 1} of {len(exchanges)} of the console dialogue"
    if unread:
        return f"{place}: the program has not read {_shown(unread)} of {_shown(step.send)}"
    return f"{place}: {_shown(step.wait)} did not come"


def _shown(text: bytes) -> str:
    return repr(text.decode("utf-8", "replace"))
