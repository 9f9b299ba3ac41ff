"""TOML read strictly: every key must be known, every error names file, line and key.

`Table` hands out typed values and remembers which keys were asked for; `done()` turns the others into an
error with the nearest known key. The line is found by scanning the text, since `tomllib` keeps none.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from mcu_harness.base import units
from mcu_harness.base.errors import HarnessError, UnitError
from mcu_harness.base.files import read_bounded

N = TypeVar("N", int, float)
T = TypeVar("T")
_MOST_BYTES = 16 << 20  # of a file that a person wrote
_TYPE_NAMES: dict[type, str] = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}


class Table:
    """One TOML table of `path`; `where` is its dotted header, "" for the top."""

    def __init__(
        self, path: Path, text: str, data: dict[str, object], error: type[HarnessError], where: str = "", nth: int = 0
    ) -> None:
        self.path, self.where = path, where
        self._text, self._data, self._error, self._nth = text, data, error, nth
        self._asked: list[str] = []

    def __contains__(self, key: str) -> bool:
        if key not in self._asked:
            self._asked.append(key)
        return key in self._data

    def names(self) -> list[str]:
        """All keys present, in file order (asking for them one by one is up to the caller)."""
        return list(self._data)

    def fail(self, key: str, message: str, hint: str = "") -> HarnessError:
        """The error to raise for `key`: names file, line and dotted key."""
        name = f"{self.where}.{key}" if self.where and key else (key or self.where)
        place = f"{self.path}:{self.line(key)}"
        return self._error(f"{place}: {name}: {message}" if name else f"{place}: {message}", hint=hint)

    def raw(self, key: str) -> object:
        """The value as TOML has it; an error where it is missing."""
        if key not in self:
            misspelt = difflib.get_close_matches(key, [name for name in self._data if name not in self._asked], n=1)
            hint = f"is `{misspelt[0]}` meant to be `{key}`?" if misspelt else f"add `{key} = ...` to {self._header()}"
            raise self.fail(key, "missing", hint=hint)
        return self._data[key]

    def text(self, key: str, default: str | None = None, choices: tuple[str, ...] = ()) -> str:
        """A string, one of `choices` where given."""
        if default is not None and key not in self:
            return default
        value = self._typed(key, str)
        if choices and value not in choices:
            raise self.fail(key, f"unknown value {value!r}", hint=did_you_mean(value, choices))
        return value

    def whole(self, key: str, default: int | None = None) -> int:
        """A whole number, 0 or more."""
        if default is not None and key not in self:
            return default
        value = self._typed(key, int)
        if value < 0:
            raise self.fail(key, f"must be 0 or more, got {value}")
        return value

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false."""
        if default is not None and key not in self:
            return default
        return self._typed(key, bool)

    def quantity(self, key: str, kind: str, default: float | None = None) -> float:
        """A quantity with a unit (see `units.parse`) in base units."""
        return self._quantity(key, lambda value: units.parse(value, kind), default)

    def whole_quantity(self, key: str, kind: str, default: int | None = None) -> int:
        """A whole quantity with a unit (see `units.parse_whole`) in base units."""
        return self._quantity(key, lambda value: units.parse_whole(value, kind), default)

    def offset(self, key: str, default: int) -> int:
        """Bytes from the start of something: a plain number, as addresses are written, or a size with its unit."""
        if key in self and isinstance(self.raw(key), str):
            return self.whole_quantity(key, "bytes", default)
        return self.whole(key, default)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of strings."""
        if default is not None and key not in self:
            return default
        value = self.raw(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(key, f"expected a list of strings, got {value!r}")
        return tuple(value)

    def table(self, key: str) -> Table | None:
        """A sub-table, or None where it is absent."""
        if key not in self:
            return None
        value = self._data[key]
        if not isinstance(value, dict):
            raise self.fail(key, f"expected a table [{key}], got {value!r}")
        return Table(self.path, self._text, value, self._error, f"{self.where}.{key}" if self.where else key)

    def needed_table(self, key: str) -> Table:
        """A sub-table that must be there."""
        table = self.table(key)
        if table is None:
            raise self.fail("", f"missing table [{key}]", hint=f"add a [{key}] table")
        return table

    def tables(self, key: str) -> Iterator[Table]:
        """An array of tables ([[key]]), possibly empty."""
        value = self._data[key] if key in self else []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(key, f"expected tables [[{key}]], got {value!r}")
        where = f"{self.where}.{key}" if self.where else key
        for nth, item in enumerate(value):
            yield Table(self.path, self._text, item, self._error, where, nth)

    def done(self, known: tuple[str, ...] = ()) -> None:
        """Raise for the first key that nothing asked for; `known` adds names to those that may be meant."""
        self._asked += [key for key in known if key not in self._asked and key not in self._data]
        for key in self._data:
            if key not in self._asked:
                raise self.fail(key, "unknown key", hint=did_you_mean(key, tuple(self._asked)))

    def _quantity(self, key: str, read: Callable[[object], N], default: N | None) -> N:
        if default is not None and key not in self:
            return default
        try:
            return read(self.raw(key))
        except UnitError as error:
            raise self.fail(key, error.message, hint=error.hint) from error

    def _typed(self, key: str, kind: type[T]) -> T:
        value = self.raw(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.fail(key, f"expected {_TYPE_NAMES[kind]}, got {value!r}")
        return value

    def _header(self) -> str:
        return f"[{self.where}]" if self.where else "the top of the file"

    def line(self, key: str) -> int:
        """The line of `key`, else that of this table's header, else 1 (counting from 1)."""
        lines = self._text.splitlines()
        begin, end = self._extent(lines)
        if key:
            assigned = re.compile(rf"^\s*(?:[\w.-]+\.)?{_key(key)}\s*[=.]")
            inline = re.compile(rf"(?<![\w-]){_key(key)}\s*[=.]")
            header = _header_of([*self._parts(), key])
            for find, first, last in (
                (assigned.match, begin, end),
                (header.match, 0, len(lines)),
                (inline.search, begin, end),
            ):
                for number in range(first, last):
                    if find(lines[number]):
                        return number + 1
        return begin + 1

    def _extent(self, lines: list[str]) -> tuple[int, int]:
        """Where this table's own lines begin (with its header) and end, counting from 0."""
        headers = [number for number, line in enumerate(lines) if re.match(r"^\s*\[", line)]
        begin = 0
        if self.where:
            own = [number for number in headers if _header_of(self._parts(), whole=True).match(lines[number])]
            if not own:  # an inline table, dotted keys, or only headers of its own sub-tables
                named = re.compile(rf"(?<![\w-]){_key(self._parts()[-1])}\s*[=.\]]")
                return next((number for number, line in enumerate(lines) if named.search(line)), 0), len(lines)
            begin = own[min(self._nth, len(own) - 1)]
        first_other = 0 if not self.where else begin + 1
        return begin, next((number for number in headers if number >= first_other), len(lines))

    def _parts(self) -> list[str]:
        return self.where.split(".") if self.where else []


def load(path: Path, error: type[HarnessError]) -> Table:
    """Parse `path`; raises `error` with file and line for what is not TOML, or not readable."""
    try:
        text = read_bounded(path, _MOST_BYTES).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as cause:
        raise error(f"{path}: not UTF-8 text ({cause})", hint="save the file as UTF-8") from cause
    except OSError as cause:
        raise error(f"{path}: cannot be read: {cause.strerror}") from cause
    try:
        return Table(path, text, tomllib.loads(text), error)
    except tomllib.TOMLDecodeError as cause:
        line = re.search(r"line (\d+)", str(cause))
        place, hint = (f"{path}:{line[1]}", "") if line else _unclosed(path, text)
        raise error(f"{place}: not valid TOML: {cause}", hint=hint) from cause
    except RecursionError as cause:
        raise error(f"{path}: tables or lists lie too deep in each other", hint="flatten them") from cause
    except ValueError as cause:  # a number of thousands of digits
        raise error(f"{path}: not valid TOML: {cause}") from cause


def _unclosed(path: Path, text: str) -> tuple[str, str]:
    """The place and a hint for an error "at end of document": what is missing there was begun in a line before."""
    return (
        f"{path}:{len(text.rstrip().splitlines()) or 1}",
        "close the list, table or text that begins in or above this line",
    )


def _header_of(parts: list[str], whole: bool = False) -> re.Pattern[str]:
    """Matches the header [parts] or [[parts]]; unless `whole`, also headers of what lies below it."""
    return re.compile(r"^\s*\[\[?\s*" + r"\s*\.\s*".join(map(_key, parts)) + r"\s*" + (r"\]" if whole else r"[\].]"))


def _key(key: str) -> str:
    return f"[\"']?{re.escape(key)}[\"']?"


def _another_number(word: str, known: str) -> bool:
    """Whether the two are alike but for their digits, and those are not: cortex-m99 is no slip for cortex-m7."""
    if re.sub(r"\d", "", word) != re.sub(r"\d", "", known):
        return False
    digits = [re.sub(r"\D", "", each) for each in (word, known)]
    return difflib.SequenceMatcher(None, digits[0], digits[1]).ratio() < 0.5


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """A hint with the nearest of `known` (those that contain `word` first), and the list of them."""
    lower = word.lower()
    near = [name for name in sorted(set(known)) if len(lower) > 1 and lower in name.lower()][:3]
    near = near or [name for name in difflib.get_close_matches(word, known, n=1) if not _another_number(word, name)]
    listed = "known here: " + ", ".join(sorted(set(known)))
    return f"did you mean {' or '.join(map(repr, near))}? {listed}" if near else listed
