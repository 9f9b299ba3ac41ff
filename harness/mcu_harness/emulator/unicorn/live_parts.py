"""Parts of the embedded emulator's runs as a live run needs them: input at any time, exceptions up to a time."""

from __future__ import annotations

from mcu_harness.emulator.dialogue import Dialogue
from mcu_harness.emulator.unicorn.exceptions import Exceptions

NEVER = 1 << 62


class LiveInput(Dialogue):
    """What was sent to a UART, which the program can read at any time; and what was `lost` of it, and why."""

    def __init__(self) -> None:
        super().__init__(())
        self.lost = b""
        self.why_lost = ""

    def say(self, data: bytes) -> None:
        self._input += data

    @property
    def unread(self) -> bytes:
        return bytes(self._input)


class LiveExceptions(Exceptions):
    """Exceptions of a run that stops at a time, also in its sleep."""

    deadline = NEVER

    @property
    def event(self) -> int | None:
        """When something comes that the program did not do itself; None when nothing will."""
        return super()._next_event()

    def _next_event(self) -> int | None:
        event = super()._next_event()
        return self.deadline if event is None else min(event, self.deadline)

    def look_ahead(self) -> None:
        """The deadline, or what the program can read, is another now."""
        self._look_ahead()
