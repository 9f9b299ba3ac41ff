"""For how long a group of processes has done nothing, or gone in circles: one that hangs is told from one that is slow on a busy machine."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

_LOOK_EVERY_S = 0.25
_PROC = Path("/proc")
# Of /proc/*/stat, after the name in parentheses: proc_pid_stat(5).
_STATE, _GROUP, _MINOR_FAULTS, _MAJOR_FAULTS, _USER_TICKS, _SYSTEM_TICKS = 0, 2, 7, 9, 11, 12
_AT_WORK = frozenset("RD")  # running, wanting to run, or waiting for a disk
_FEW_TICKS = 2  # of a runtime's own timers, between two looks


class Idleness:
    """Watches the process group `group`. Where the system does not tell of processes (no /proc), nothing is ever idle."""

    def __init__(self, group: int) -> None:
        self._group = str(group)
        self._ticks = 0
        self._steps: object = None
        self._ticks_at_step = 0
        self._looked = time.monotonic()
        self._idle_s = 0.0

    def seconds(self) -> float:
        """How long nothing in the group has computed or wanted to, up to now. To be asked several times a second.

        Time in which nobody asked does not count: this process, or the machine, may have been asleep itself.
        """
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY_S:
            self._idle_s = 0.0 if self._is_busy() else self._idle_s + min(now - self._looked, 2 * _LOOK_EVERY_S)
            self._looked = now
        return self._idle_s

    def computed_s(self) -> float:
        """The processor time in seconds that those in the group had taken when `seconds` looked last, 0 where the system does not tell."""
        return _seconds(self._ticks)

    def spun_s(self) -> float:
        """The processor time that has been taken, when `seconds` looked last, since any of them had read something, got memory or was started.

        Whoever starts up does that all the time: it loads code and keeps what it makes of it.
        """
        return _seconds(self._ticks - self._ticks_at_step)

    def _is_busy(self) -> bool:
        members = list(self._members())
        ticks = sum(int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS]) for _, fields in members)
        computed = ticks - self._ticks
        self._ticks = ticks
        steps = [(process, fields[_MINOR_FAULTS], fields[_MAJOR_FAULTS], _read(process)) for process, fields in members]
        if steps != self._steps:
            self._steps, self._ticks_at_step = steps, ticks
        if not members or abs(computed) > _FEW_TICKS:
            return True
        return any(_state(task) in _AT_WORK for process, _ in members for task in _entries(process / "task"))

    def _members(self) -> Iterator[tuple[Path, list[str]]]:
        for process in _entries(_PROC):
            fields = _fields(process)
            if fields and fields[_GROUP] == self._group:
                yield process, fields


def _seconds(ticks: int) -> float:
    return ticks / os.sysconf("SC_CLK_TCK") if ticks else 0.0


def _read(process: Path) -> str:
    """How many bytes it has read, from whatever, as the system writes it; "" where it does not tell: proc_pid_io(5)."""
    try:
        return (process / "io").read_text("utf-8", "replace").partition("\n")[0]
    except OSError:
        return ""


def _entries(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from (entry for entry in folder.iterdir() if entry.name.isdigit())


def _fields(process: Path) -> list[str]:
    """The fields of its status; empty when it is gone."""
    try:
        return (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []


def _state(task: Path) -> str:
    fields = _fields(task)
    return fields[_STATE] if fields else ""
