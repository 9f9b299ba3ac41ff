"""Plain values in memory by the names that C programmers give them: "u8", "i32", "f32", "char[16]"."""

from __future__ import annotations

import re
import struct

from mcu_harness.base.errors import HarnessError
from mcu_harness.base.toml_reader import did_you_mean

Value = int | float | bool | str | bytes | list["Value"] | dict[str, "Value"]

_FORMATS = {
    **{name: code for code, names in {
        "B": ("u8", "uint8_t", "unsigned char"), "b": ("i8", "int8_t", "signed char"),
        "H": ("u16", "uint16_t", "unsigned short"), "h": ("i16", "int16_t", "short"),
        "I": ("u32", "uint32_t", "unsigned int", "unsigned", "unsigned long", "size_t", "pointer"),
        "i": ("i32", "int32_t", "int", "long"),
        "Q": ("u64", "uint64_t", "unsigned long long"), "q": ("i64", "int64_t", "long long"),
        "f": ("f32", "float"), "d": ("f64", "double"), "?": ("bool",),
    }.items() for name in names},
}  # fmt: skip
PLAIN_NAMES = tuple(_FORMATS)
_ARRAY = re.compile(r"^(.+?)\s*\[(\d{1,6})\]$")


def is_plain(name: str) -> bool:
    """Whether `name` is one of the types here."""
    array = _ARRAY.match(name.strip())
    scalar = array[1] if array else name.strip()
    return scalar in _FORMATS or (scalar == "char" and array is not None)


class PlainType:
    """A scalar, an array of scalars ("u16[4]"), or text up to a zero byte ("char[16]")."""

    def __init__(self, name: str) -> None:
        array = _ARRAY.match(name.strip())
        self.name = name
        self._scalar = array[1] if array else name.strip()
        self._count = int(array[2]) if array else None
        self._is_text = self._scalar == "char" and array is not None
        if not is_plain(name):
            raise HarnessError(f"no type is called {name!r}", hint=did_you_mean(self._scalar, tuple(_FORMATS)))

    @property
    def size(self) -> int:
        each = 1 if self._is_text else struct.calcsize("<" + _FORMATS[self._scalar])
        return each * (1 if self._count is None else self._count)

    def decode(self, data: bytes) -> Value:
        if self._is_text:
            return data.partition(b"\0")[0].decode("utf-8", "replace")
        values = list(struct.unpack(self._format, data))
        return values[0] if self._count is None else values

    def encode(self, value: Value, before: bytes) -> bytes:
        """The bytes of `value`, whatever was there `before`; raises HarnessError for one that does not fit."""
        del before
        if self._is_text:
            data = value.encode() if isinstance(value, str) else value
            if not isinstance(data, bytes) or len(data) > self.size:
                raise HarnessError(f"{value!r} is no text of at most {self.size} B")
            return data.ljust(self.size, b"\0")
        values = value if isinstance(value, (list, tuple)) else [value]
        try:
            return struct.pack(self._format, *values)
        except struct.error as error:
            raise HarnessError(f"{value!r} is no {self.name}: {error}") from error

    @property
    def _format(self) -> str:
        return f"<{'' if self._count is None else self._count}{_FORMATS[self._scalar]}"
