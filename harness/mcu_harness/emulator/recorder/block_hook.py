"""The compiled functions that an emulator calls for every executed block."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.emulator.recorder.compiled_code import addresses

_ON_BUFFER = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)  # lets other threads run


@dataclass(frozen=True, slots=True)
class BlockHook:
    """C addresses of the functions of `native_block`."""

    on_block: int
    on_new_block: int
    on_buffer: int

    def add(self, state: int, records: npt.NDArray[np.uint32]) -> int:
        """Count blocks from an (n, 2) array of (address, size); returns how many were taken before it stopped."""
        place, _ = records.__array_interface__["data"]
        return int(_ON_BUFFER(self.on_buffer)(state, place, len(records)))


@cache
def compiled() -> BlockHook:
    """Some seconds the first time on a machine, then some hundredths of one."""
    return BlockHook(*addresses((), ("on_block", "on_new_block", "on_buffer"), _make))


def _make() -> Mapping[str, Any]:
    from mcu_harness.emulator.recorder.native_block import entries  # numba: only where there is something to compile

    return entries()
