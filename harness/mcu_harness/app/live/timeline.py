"""A timeline of a live run: when functions and tasks ran, and what was said, in the format that Perfetto and Chrome's tracing open.

Format: "Trace Event Format" of the Chromium project; times are in microseconds of the board's own time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.app.live.console import Said
from mcu_harness.base.files import write_text
from mcu_harness.base.text import one_line
from mcu_harness.emulator.live import LiveMachine

_EXCEPTION_RETURNS = 0xFFFFFF00  # what the link register holds in a handler, and above (Armv7-M ARM, B1.5.8)
_TO_PROCESS_STACK = 4
_STACKED_PC = 0x18
_PROCESS = 1
_FUNCTIONS, _TASKS, _CONSOLE = 1, 2, 3  # tracks; UARTs follow the console


@dataclass(frozen=True, slots=True)
class _Open:
    """A call under way: it is over where `back` is reached with a stack pointer above `stack`."""

    name: str
    back: int
    stack: int


class Timeline:
    """Follows `functions`, names by address; handlers of exceptions are functions too."""

    def __init__(self, functions: dict[int, str], clock_hz: int) -> None:
        self._functions = functions
        self._per_us = clock_hz / 1e6
        self._open: list[_Open] = []
        self._events: list[dict[str, object]] = []
        self._task = ""

    @property
    def places(self) -> set[int]:
        """Where the machine has to stop: at the functions, and where those under way return to."""
        return {*self._functions, *(call.back for call in self._open)}

    def at(self, machine: LiveMachine) -> None:
        """The machine stands at one of the places."""
        registers = machine.registers()
        pc, stack = machine.pc, registers["sp"]
        while self._open and pc == self._open[-1].back and stack >= self._open[-1].stack:
            self._event("E", self._open.pop().name, machine.now)
        if pc in self._functions:
            self._event("B", self._functions[pc], machine.now)
            back, above = self._return_of(machine, registers)
            if back is None:  # a thread's stack, which cannot be looked at from a handler
                self._event("E", self._functions[pc], machine.now)
            else:
                self._open.append(_Open(self._functions[pc], back, above))

    def _return_of(self, machine: LiveMachine, registers: dict[str, int]) -> tuple[int | None, int]:
        """Where the function that begins returns to, and the least stack pointer then."""
        link, stack = registers["lr"], registers["sp"]
        if link < _EXCEPTION_RETURNS:
            return link & ~1, stack
        if link & _TO_PROCESS_STACK:
            return None, 0
        return int.from_bytes(machine.read(stack + _STACKED_PC, 4), "little") & ~1, stack + 0x20

    def task(self, name: str, now: int) -> None:
        """The task of an RTOS that runs from now on."""
        if name == self._task:
            return
        if self._task:
            self._event("E", self._task, now, _TASKS)
        self._task = name
        if name:
            self._event("B", name, now, _TASKS)

    def heap(self, in_use: int, now: int) -> None:
        """So many bytes are on the heap from now on."""
        counter = {"ph": "C", "name": "heap", "ts": now / self._per_us, "pid": _PROCESS, "args": {"bytes": in_use}}
        self._events.append(counter)

    def _event(self, phase: str, name: str, now: int, track: int = _FUNCTIONS) -> None:
        self._events.append(
            {"ph": phase, "name": one_line(name), "ts": now / self._per_us, "pid": _PROCESS, "tid": track}
        )

    def write(self, path: Path, now: int, said: Sequence[tuple[str, Said]]) -> None:
        """Write what was seen to `path`; calls that are under way end now."""
        for call in reversed(self._open):
            self._event("E", call.name, now)
        self._open.clear()
        has_tasks = bool(self._task)
        self.task("", now)
        tracks = {uart: _CONSOLE + nth for nth, uart in enumerate(dict.fromkeys(uart for uart, _ in said))}
        names = (
            {_FUNCTIONS: "functions"}
            | ({_TASKS: "tasks"} if has_tasks else {})
            | {track: uart or "console" for uart, track in tracks.items()}
        )
        meta = [
            {"ph": "M", "name": "thread_name", "pid": _PROCESS, "tid": track, "args": {"name": name}}
            for track, name in names.items()
        ]
        lines = [
            {
                "ph": "i",
                "s": "t",
                "name": ("> " if one.sent else "< ") + one_line(one.data.decode("utf-8", "replace").rstrip("\r\n")),
                "ts": one.at / self._per_us,
                "pid": _PROCESS,
                "tid": tracks[uart],
            }
            for uart, one in said
        ]
        events = {"traceEvents": [*meta, *self._events, *lines], "displayTimeUnit": "ns"}
        write_text(path, json.dumps(events, indent=1) + "\n")
