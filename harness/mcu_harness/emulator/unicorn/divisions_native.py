"""Compiled: the look at a divisor, which runs before every division."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from numba import types

from mcu_harness.emulator.recorder.native import call, code_digest, kept_on_disk, peek, pointer_to
from mcu_harness.emulator.recorder.rows import Row, row


@row(8)
class Division(Row):
    """All that compiled code knows of a division: which register to read and how (the C address of uc_reg_read), what was
    read, whether it matters (the address of a word), what to call to stop, and whether it did.
    """

    divisor: int
    traps: int
    reg_read: int
    emu_stop: int
    value: int
    hit: int


_division_at = pointer_to(Division)
_VALUE_AT = Division.offset("value")


def _entry(code: int) -> Callable[..., None]:
    """What is called from outside; it holds `code`, so that what numba has kept of other code is not taken for it."""

    def on_division(engine: int, _address: int, _size: int, address: int) -> None:
        """A UC_HOOK_CODE callback, with the address of a `Division` as user data."""
        _ = code
        division = _division_at(address)
        if peek(division.traps) == 0:
            return
        division.value = 0
        call(division.reg_read, engine, division.divisor, address + _VALUE_AT)
        if division.value & 0xFFFFFFFF == 0:
            division.hit = 1
            call(division.emu_stop, engine, 0, 0)

    return on_division


def _compile(keep: bool) -> Any:
    compiler: Any = numba
    word = types.int64
    return compiler.cfunc(types.void(word, word, types.uint32, word), cache=keep)(_entry(code_digest()))


@cache
def compiled() -> Any:
    """`on_division` as a C function."""
    return kept_on_disk(_compile)
