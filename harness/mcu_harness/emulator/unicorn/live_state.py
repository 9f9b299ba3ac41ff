"""The state of a live run that lies in this process: memories, the core, its peripherals, and where the recorder is.

What the recorder has counted stays: a program that is put back has run all the same.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unicorn.unicorn_py3.unicorn import UcContext

from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
from mcu_harness.emulator.recorder.exceptions import Position
from mcu_harness.emulator.unicorn.engine import Engine
from mcu_harness.emulator.unicorn.exceptions import Exceptions

_PLAIN = (int, float, str, bytes, bytearray, list, dict, set, tuple, type(None))

Parts = tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class CoreState:
    """Registers, and where in its calls the recorder is."""

    context: UcContext
    pc: int
    position: Position


@dataclass(frozen=True, slots=True)
class MachineState:
    """All of it, but for what is counted. `suspended` is what exceptions have interrupted; `memories` are by name, of those
    that the program can write.
    """

    core: CoreState
    parts: Parts
    suspended: dict[int, Position]
    memories: Mapping[str, bytes]
    ticks: int


class LiveState:
    """Takes and gives back the state of one run. `others` are further objects whose plain attributes belong to it."""

    def __init__(
        self, engine: Engine, recorder: BlockRecorder, exceptions: Exceptions, others: Sequence[object]
    ) -> None:
        self._engine = engine
        self._recorder = recorder
        self._exceptions = exceptions
        self._others = others

    def core(self, pc: int) -> CoreState:
        return CoreState(self._engine.core.context_save(), pc, self._recorder.exceptions.here(pc))

    def set_core(self, state: CoreState) -> None:
        self._engine.core.context_restore(state.context)
        self._recorder.exceptions.go_to(state.position, state.pc)

    def machine(self, pc: int) -> MachineState:
        parts = tuple(_plain(part) for part in self._parts())
        suspended = self._recorder.exceptions.suspended
        return MachineState(self.core(pc), parts, suspended, self._engine.memory.contents(), self._recorder.ticks)

    def set_machine(self, state: MachineState) -> None:
        """Everything as it was then, the time too."""
        changed = self._engine.memory.set_contents(state.memories)
        if any(self._recorder.has_code_in(low, high) for low, high in changed):
            self._engine.core.ctl_flush_tb()
        self.set_peripherals(state)
        self._recorder.exceptions.suspended = state.suspended
        self.set_core(state.core)
        self._recorder.set_back(state.ticks)

    def set_peripherals(self, state: MachineState) -> None:
        for part, plain in zip(self._parts(), state.parts, strict=True):
            vars(part).update(copy.deepcopy(dict(plain)))
        self._engine.system.tell_division_trap()
        if self._engine.flash is not None:
            self._engine.flash.tell()

    def _parts(self) -> tuple[object, ...]:
        return (*self._engine.stateful, self._exceptions, *self._others)


def _plain(part: object) -> dict[str, object]:
    """Those attributes of `part` that are plain data, and neither other parts nor functions."""
    return {name: copy.deepcopy(value) for name, value in vars(part).items() if isinstance(value, _PLAIN)}
