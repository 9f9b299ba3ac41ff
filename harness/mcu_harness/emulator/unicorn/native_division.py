"""Compiled: the look at a divisor, which runs before every division."""

from __future__ import annotations

from typing import Any

import numba
from numba import types

from mcu_harness.emulator.recorder.native import call, peek, pointer_to
from mcu_harness.emulator.unicorn.division_row import Division

_division_at = pointer_to(Division)
_VALUE_AT = Division.offset("value")


def entries() -> dict[str, Any]:
    """What is called from outside, as a C callback."""
    compiler: Any = numba
    word = types.int64
    return {"on_division": compiler.cfunc(types.void(word, word, types.uint32, word))(on_division)}


def on_division(engine: int, _address: int, _size: int, address: int) -> None:
    """A UC_HOOK_CODE callback, with the address of a `Division` as user data."""
    division = _division_at(address)
    if peek(division.traps) == 0:
        return
    division.value = 0
    call(division.reg_read, engine, division.divisor, address + _VALUE_AT)
    if division.value & 0xFFFFFFFF == 0:
        division.hit = 1
        call(division.emu_stop, engine, 0, 0)
