"""PPI of nRF52: events start tasks without the core. Channels that firmware programs, and their forks; no groups.

Registers: Nordic nRF52840 PS v1.7, 6.17.4.
"""

from __future__ import annotations

from collections.abc import Callable

from mcu_harness.emulator.unicorn.peripherals.registers import Registers, Wiring

_ENABLED, _ENABLE, _DISABLE = 0x500, 0x504, 0x508
_CHANNELS, _FORKS = 0x510, 0x910
_PROGRAMMED = 20  # channels; those above them have fixed ends
_MOST_DEEP = 8  # tasks that events of tasks start


class NrfPpi(Registers):
    """`start(address)` starts the task whose register is there."""

    def __init__(self, wiring: Wiring, start: Callable[[int], None]) -> None:
        super().__init__()
        self._wiring = wiring
        self._start = start
        self._deep = 0
        self._tasks: dict[int, list[int]] | None = None  # by event, None while that is to be found out
        wiring.events.happened = self._happened
        wiring.events.awaited = self._awaited

    def load(self, at: int) -> int:
        return super().load(_ENABLED if at in (_ENABLE, _DISABLE) else at)

    def store(self, at: int, value: int, mask: int) -> None:
        enabled = self.words.get(_ENABLED, 0)
        if at == _ENABLE:
            self.words[_ENABLED] = enabled | value
        elif at == _DISABLE:
            self.words[_ENABLED] = enabled & ~value
        else:
            super().store(at, value, mask)
        self._tasks = None
        self._wiring.events.version += 1
        self._wiring.interrupt(None, 0, False)  # somebody may have to look at the time now

    def _connected(self) -> dict[int, list[int]]:
        words, enabled = self.words, self.words.get(_ENABLED, 0)
        tasks: dict[int, list[int]] = {}
        for channel in (n for n in range(_PROGRAMMED) if enabled >> n & 1):
            event = words.get(_CHANNELS + 8 * channel, 0)
            ends = (words.get(at, 0) for at in (_CHANNELS + 8 * channel + 4, _FORKS + 4 * channel))
            tasks.setdefault(event, []).extend(task for task in ends if task)
        return tasks

    def _started_by(self, event: int) -> list[int]:
        if self._tasks is None:
            self._tasks = self._connected()
        return self._tasks.get(event, [])

    def _awaited(self, event: int) -> bool:
        return bool(self._started_by(event))

    def _happened(self, event: int) -> None:
        if self._deep >= _MOST_DEEP:
            return
        self._deep += 1
        try:
            for task in self._started_by(event):
                self._start(task)
        finally:
            self._deep -= 1
