"""Rows of 64-bit words that compiled code and Python share, read by name in both.

A row is a class whose annotations are its words, in order: the only place where its layout stands. Python sees one row as
an object (`Row`), a table of them as a structured numpy array (`Table`); compiled code has a pointer with the same names
(`native.pointer_to`), and text for other compilers takes the offsets (`Row.offset`).
"""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.int64]
Rows = npt.NDArray[np.void]

WORD_BYTES = 8
_LINE_WORDS = 16  # two cache lines: processors fetch them in pairs


class Row(ctypes.Structure):
    """One row, as Python sees it; `dtype` is the same for numpy. Values are signed words."""

    dtype: ClassVar[np.dtype[np.void]]
    nbytes: ClassVar[int]

    @classmethod
    def offset(cls, name: str) -> int:
        """Where the word `name` is, in bytes from the row's start."""
        return int(getattr(cls, name).offset)

    @classmethod
    def new(cls) -> Self:
        """A zeroed row of its own, which starts at a cache line."""
        words: Any = aligned(cls.nbytes // WORD_BYTES)
        return cls.from_buffer(words)

    @property
    def address(self) -> int:
        return ctypes.addressof(self)


_R = TypeVar("_R", bound=Row)


def row(words: int = 0) -> Callable[[type[_R]], type[_R]]:
    """Make a row of a class: a word for each annotation, and room up to `words` where these are less."""

    def made(cls: type[_R]) -> type[_R]:
        names = [name for name in inspect.get_annotations(cls) if not name.startswith("_")]
        room = words - len(names)
        fields: list[tuple[str, Any]] = [(name, ctypes.c_int64) for name in names]
        cls._fields_ = [*fields, ("_room", ctypes.c_int64 * room)] if room > 0 else fields
        cls.nbytes = ctypes.sizeof(cls)
        offsets = [WORD_BYTES * nth for nth in range(len(names))]
        layout: Any = {"names": names, "formats": ["<i8"] * len(names), "offsets": offsets, "itemsize": cls.nbytes}
        cls.dtype = np.dtype(layout)
        return cls

    return made


def aligned(words: int) -> Words:
    """Zeroed words that start at a cache line."""
    room = np.zeros(words + _LINE_WORDS, np.int64)
    skip = -room.ctypes.data // WORD_BYTES % _LINE_WORDS
    return room[skip : skip + words]


class Table(Generic[_R]):
    """Rows in a sequence, which compiled code reaches by address; `grow` keeps the rows and moves them."""

    def __init__(self, kind: type[_R], rows: int) -> None:
        self._kind = kind
        self.rows = self._room(rows)

    def _room(self, rows: int) -> Rows:
        found: Rows = aligned(rows * self._kind.nbytes // WORD_BYTES).view(self._kind.dtype)
        return found

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> _R:
        """One row, to read and write; until the table grows."""
        if not 0 <= index < len(self.rows):
            raise IndexError(index)
        return self._kind.from_address(self.address + index * self._kind.nbytes)

    def grow(self) -> None:
        """Make room for as many rows again."""
        larger = self._room(2 * len(self.rows))
        larger[: len(self.rows)] = self.rows
        self.rows = larger

    @property
    def address(self) -> int:
        return int(self.rows.ctypes.data)
