"""A core's 32-bit registers, by Unicorn's numbers.

Unicorn's own binding finds the type of a register anew each time, and takes several times as long for each as the register itself:
an interrupt reads and writes forty of them.
"""

from __future__ import annotations

import ctypes

from unicorn.unicorn_py3.unicorn import Uc, UcError, uclib


class Registers:
    """Of one core, which has to live as long."""

    def __init__(self, core: Uc) -> None:
        self._engine = core._uch
        self._value = ctypes.c_uint64()  # one engine is asked by one thread
        self._at = ctypes.byref(self._value)

    def read(self, number: int) -> int:
        self._value.value = 0
        error = uclib.uc_reg_read(self._engine, number, self._at)
        if error:
            raise UcError(error, number)
        return self._value.value & 0xFFFFFFFF

    def write(self, number: int, value: int) -> None:
        self._value.value = value
        error = uclib.uc_reg_write(self._engine, number, self._at)
        if error:
            raise UcError(error, number)
