"""The look at a divisor, compiled by numba: it runs before every division.

A row of 64-bit words is all that it knows of a place: which register to read, how (the C address of uc_reg_read), where
to put what was read, whether it matters (the address of a word), and what to call to stop.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import types

from mcu_harness.emulator.recorder.words import call, peek, poke

DIVISOR, TRAPS, REG_READ, EMU_STOP, VALUE, HIT = (8 * i for i in range(6))
ROW_WORDS = 8

_numba: Any = numba


def on_division(engine: int, _address: int, _size: int, row: int) -> None:
    """A UC_HOOK_CODE callback."""
    if peek(peek(row + TRAPS)) == 0:
        return
    poke(row + VALUE, 0)
    call(peek(row + REG_READ), engine, peek(row + DIVISOR), row + VALUE)
    if peek(row + VALUE) & 0xFFFFFFFF == 0:
        poke(row + HIT, 1)
        call(peek(row + EMU_STOP), engine, 0, 0)


def compiled(cache: bool) -> Any:
    """`on_division` as a C function; numba raises RuntimeError when there is no place for its cache."""
    word = types.int64
    return numba.cfunc(types.void(word, word, types.uint32, word), cache=cache)(on_division)
