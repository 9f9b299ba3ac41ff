"""Reads FlatBuffers without trusting them (https://flatbuffers.dev/internals): whatever the bytes are, every access lies
inside the file or raises Damaged, and all vectors together are paid for from a budget of the file's own size, so that
overlapping or absurd offsets cost neither time nor memory.

Written here because generated readers wrap around for negative offsets, know no budget, and belong to one version of a schema.
"""

from __future__ import annotations

import struct
from typing import TypeVar

import numpy as np
import numpy.typing as npt

_BUDGET_FACTOR = 4  # a file may name each of its bytes this often
_Number = TypeVar("_Number", int, float, bool)


class Damaged(ValueError):
    """The bytes are no FlatBuffer of this schema; the message says what is wrong with them."""


class File:
    """The bytes of one file, and what may still be read of them."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.budget = _BUDGET_FACTOR * len(content)

    def root(self) -> Table:
        """The table that the file begins with."""
        return Table(self, self.unpack("<I", 0))

    def unpack(self, code: str, position: int) -> int:
        """One number (`code` as in struct) at `position`."""
        return int(self._unpack(code, position))

    def _unpack(self, code: str, position: int) -> int | float | bool:
        if not 0 <= position <= len(self.content) - struct.calcsize(code):
            raise Damaged(f"an offset leads to byte {position} of {len(self.content)}")
        value: int | float | bool = struct.unpack_from(code, self.content, position)[0]
        return value

    def spend(self, nbytes: int) -> None:
        self.budget -= nbytes
        if self.budget < 0:
            raise Damaged("its parts are larger than the file")


class Table:
    """A table: fields by their number in the schema, absent ones with the default that the caller gives."""

    __slots__ = ("_fields", "_file", "position")

    def __init__(self, file: File, position: int) -> None:
        start = position - file.unpack("<i", position)
        size = file.unpack("<H", start)
        if size < 4 or size % 2 or start + size > len(file.content):
            raise Damaged(f"no table at byte {position}")
        self._file = file
        self._fields = struct.unpack_from(f"<{size // 2 - 2}H", file.content, start + 4)
        self.position = position

    def place(self, field: int) -> int:
        """Where the field's bytes begin in the file, 0 when it is absent."""
        offset = self._fields[field] if field < len(self._fields) else 0
        return self.position + offset if offset else 0

    def number(self, field: int, code: str, default: _Number) -> _Number:
        """A scalar; `code` as in struct without the byte order."""
        place = self.place(field)
        return type(default)(self._file._unpack("<" + code, place)) if place else default

    def table(self, field: int) -> Table | None:
        place = self._target(field)
        return Table(self._file, place) if place else None

    def tables(self, field: int) -> list[Table]:
        """A vector of tables, empty when absent."""
        start, count = self._vector(field, 4)
        places = [start + 4 * index for index in range(count)]
        return [Table(self._file, place + self._file.unpack("<I", place)) for place in places]

    def length(self, field: int) -> int:
        """Entries of a vector, which is not read."""
        place = self._target(field)
        return self._file.unpack("<I", place) if place else 0

    def numbers(self, field: int, dtype: str, *, free: bool = False) -> npt.NDArray[np.generic]:
        """A vector of numbers as a view of the file, empty when absent. `free` costs nothing of the budget: for data that
        is only looked at where it lies."""
        width = np.dtype(dtype).itemsize
        start, count = self._vector(field, width, free=free)
        return np.frombuffer(self._file.content, dtype, count, start) if count else np.empty(0, dtype)

    def text(self, field: int) -> str:
        """A string, "" when absent; bytes that are no UTF-8 are replaced."""
        return self.numbers(field, "<u1").tobytes().decode("utf-8", "replace")

    def _target(self, field: int) -> int:
        place = self.place(field)
        return place + self._file.unpack("<I", place) if place else 0

    def _vector(self, field: int, width: int, *, free: bool = False) -> tuple[int, int]:
        """Where the elements begin, and how many there are."""
        place = self._target(field)
        if not place:
            return 0, 0
        count = self._file.unpack("<I", place)
        if place + 4 + count * width > len(self._file.content):
            raise Damaged(f"{count} entries at byte {place} of {len(self._file.content)}")
        if not free:
            self._file.spend(count * width)
        return place + 4, count
