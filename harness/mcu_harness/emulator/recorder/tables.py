"""What the block recorder shares with its compiled part: tables of 64-bit words, and the compiled functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from numba import types

from mcu_harness.emulator.recorder import block_hook

Words = npt.NDArray[np.int64]

_LINE_WORDS = 16  # two cache lines: processors fetch them in pairs


class Compiled:
    """The compiled recorder: some seconds the first time, then a fraction of one from numba's cache."""

    def __init__(self) -> None:
        try:
            self._hook, self._new_block, self.add = _compile(cache=True)
        except RuntimeError:  # neither this directory, nor the user's cache directory, can be written
            self._hook, self._new_block, self.add = _compile(cache=False)
        self.hook_address = int(self._hook.address)
        self.new_block_address = int(self._new_block.address)


def _compile(cache: bool) -> tuple[Any, Any, Callable[[int, Any], int]]:
    """`on_block` and `on_new_block` as C callbacks and `on_buffer` as a function.

    They are compiled or, with `cache`, loaded from disk. Raises RuntimeError when there is no directory for numba's
    cache.
    """
    word = types.int64
    hook = numba.cfunc(types.void(word, word, types.uint32, word), cache=cache)(block_hook.on_block)
    new_block = numba.cfunc(types.void(word, word, word), cache=cache)(block_hook.on_new_block)
    buffer = numba.njit(word(word, types.uint32[:, ::1]), cache=cache, nogil=True)(block_hook.on_buffer)
    return hook, new_block, buffer


@cache
def compiled() -> Compiled:
    return Compiled()


def aligned(words: int) -> Words:
    """Zeroed words that start at a cache line."""
    room = np.zeros(words + _LINE_WORDS, np.int64)
    skip = -room.ctypes.data // 8 % _LINE_WORDS
    return room[skip : skip + words]


class Table:
    """Rows of 64-bit words that compiled code reaches by address; `grow` keeps the rows and moves them."""

    def __init__(self, rows: int, row_bytes: int) -> None:
        self.rows = aligned(rows * row_bytes // 8).reshape(rows, row_bytes // 8)

    def grow(self) -> None:
        rows, words = self.rows.shape
        larger = aligned(2 * rows * words).reshape(2 * rows, words)
        larger[:rows] = self.rows
        self.rows = larger

    @property
    def address(self) -> int:
        return int(self.rows.ctypes.data)


def block_index(slots: int, keys: Sequence[int]) -> Table:
    """A hash table of so many slots (a power of two) that finds block i + 1 by `keys[i]`, as the compiled code does."""
    table = Table(slots, 8)
    column, mask = table.rows[:, 0], slots - 1
    for index, key in enumerate(keys, start=1):
        at = block_hook.hash_block(key) & mask
        while column[at]:
            at = (at + 1) & mask
        column[at] = index
    return table
