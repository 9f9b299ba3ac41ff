"""Questions as they are written: KEY=VALUE, several in one separated by commas. Checked against a board.

- `clock=80MHz`;
- `MEMORY_wait_states=3`, `MEMORY_cache=none`, `MEMORY_cache_size=8KiB`, `MEMORY_cache_line=32B`, `MEMORY_cache_ways=2`,
  `MEMORY_data_cache_size=16KiB`: keys of a board file's [[memory]] (see `mcu_harness.hardware.board.Memory`);
- `MEMORY=WHAT+WHAT...`: lies in that memory (see `mcu_harness.analysis.what_if.placement`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mcu_harness.base.errors import HarnessError, ScenarioError, UnitError
from mcu_harness.base.text import one_line
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.base.units import parse_whole
from mcu_harness.hardware.board import CACHES, Board

_MOST_WAIT_STATES = 1000
_MOST_WAYS = 1024
_MOST_CACHE_BYTES = 16 << 20
_MOST_LINE_BYTES = 1024
# What can be changed of a memory, and how its value reads: a kind of unit, or "cache".
_KINDS = {
    "wait_states": "count",
    "cache": "cache",
    "cache_size": "bytes",
    "cache_line": "bytes",
    "cache_ways": "count",
    "data_cache_size": "bytes",
}
_MOST = {
    "wait_states": _MOST_WAIT_STATES,
    "cache_size": _MOST_CACHE_BYTES,
    "cache_line": _MOST_LINE_BYTES,
    "cache_ways": _MOST_WAYS,
    "data_cache_size": _MOST_CACHE_BYTES,
}


@dataclass(frozen=True, slots=True)
class Change:
    """Another value for a key of a memory: a number, or for "cache" one of `board.CACHES`."""

    memory: str
    key: str
    value: int | str


@dataclass(frozen=True, slots=True)
class Move:
    """What is moved into a memory: `what` as it was written."""

    memory: str
    what: str


@dataclass(frozen=True, slots=True)
class Question:
    """One --what-if. `clock_hz` None = the board's own."""

    name: str
    clock_hz: int | None
    changes: tuple[Change, ...]
    moves: tuple[Move, ...]


def parse(texts: Iterable[str], board: Board) -> tuple[Question, ...]:
    """Read all questions, for `board`; raises ScenarioError for what cannot be read or is not on it."""
    return tuple(_question(text, board) for text in texts)


def _question(text: str, board: Board) -> Question:
    clock: int | None = None
    changes: list[Change] = []
    moves: list[Move] = []
    keys = _keys(board)
    seen: set[str] = set()
    for item in text.split(","):
        key, equals, value = (piece.strip() for piece in item.partition("="))
        if not equals or not value:
            raise _error(text, f"cannot read {item.strip()!r}", "write KEY=VALUE, as in flash_wait_states=3")
        if key not in keys:
            raise _error(text, f"{board.name} has no {key!r}", did_you_mean(key, tuple(keys)))
        if key in seen:
            raise _error(text, f"{key} is said twice", "ask twice, with a --what-if for each")
        seen.add(key)
        if key == "clock":
            clock = _number(text, key, value, "hertz")
            if not clock:
                raise _error(text, "the clock must be above 0")
        elif change := keys[key]:
            changes.append(Change(*change, _value(text, key, change[1], value)))
        else:
            moves += [Move(key, what.strip()) for what in value.split("+")]
            if not all(move.what for move in moves):
                raise _error(text, f"cannot read {item.strip()!r}", f"write what lies in {key}: layer_00+other_table")
    return Question(one_line(text), clock, tuple(changes), tuple(moves))


def _keys(board: Board) -> dict[str, tuple[str, str] | None]:
    """What can be said of `board`: the clock, memories (None), and (memory, key) of each of their keys."""
    own = [memory.name for memory in board.memories if not memory.alias_of]
    found: dict[str, tuple[str, str] | None] = {f"{name}_{key}": (name, key) for name in own for key in _KINDS}
    return {**found, "clock": None, **dict.fromkeys(own)}


def _value(text: str, key: str, kind: str, value: str) -> int | str:
    if kind == "cache":
        if value not in CACHES:
            raise _error(text, f"{key} cannot be {value!r}", did_you_mean(value, CACHES))
        return value
    number = _number(text, key, value, _KINDS[kind])
    if number > _MOST[kind]:
        raise _error(text, f"{key} can be {_MOST[kind]} at most, not {value}")
    return number


def _number(text: str, key: str, value: str, kind: str) -> int:
    try:
        return parse_whole(value, kind)
    except UnitError as error:
        raise _error(text, f"{key}: {error.message}", error.hint) from error


def _error(text: str, message: str, hint: str = "") -> HarnessError:
    return ScenarioError(f"what-if {one_line(text)!r}: {message}", hint=hint)
