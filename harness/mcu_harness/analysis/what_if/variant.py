"""The board that a question is about: the same with another clock, other wait states and other caches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mcu_harness.analysis.profile.cycles.traced import line_reads
from mcu_harness.analysis.what_if.spec import Change, Question
from mcu_harness.base.errors import ScenarioError
from mcu_harness.base.units import format_bytes, format_hertz
from mcu_harness.hardware.board import Board, Memory

_FIELDS = {
    "wait_states": "wait_states",
    "cache": "cache",
    "cache_size": "cache_bytes",
    "cache_line": "cache_line_bytes",
    "cache_ways": "cache_ways",
    "data_cache_size": "data_cache_bytes",
}
_SIZED = ("art", "icache", "nvm-cache")
_TITLES = {"wait_states": "wait states", "cache_ways": "ways of its cache"}


def variant(board: Board, question: Question) -> tuple[Board, tuple[str, ...]]:
    """`board` as `question` has it, but for what is moved, and what is different in words; ScenarioError."""
    memories = {memory.name: memory for memory in board.memories}
    for change in question.changes:
        for name in _concerned(board, change):
            memories[name] = replace(memories[name], **_field(change))
    changed = [_measured(memories[old.name], old, board) for old in board.memories]
    for memory in changed:
        if memory != board.memory(memory.name):
            _check(question, memory)
    words = [_words(board.memory(change.memory), change) for change in question.changes]
    if question.clock_hz is not None:
        words.insert(0, f"{format_hertz(board.clock_hz)} -> {format_hertz(question.clock_hz)}")
    return replace(board, clock_hz=question.clock_hz or board.clock_hz, memories=tuple(changed)), tuple(words)


def _field(change: Change) -> dict[str, Any]:
    fields: dict[str, Any] = {_FIELDS[change.key]: change.value}
    if change.key == "cache" and change.value not in _SIZED:
        fields["cache_bytes"] = 0
    return fields


def _concerned(board: Board, change: Change) -> Iterable[str]:
    """The memories that a change is about: a cache of the core itself is one for all memories that are seen through it."""
    yield change.memory
    if board.core.l1 is not None and change.value:
        shared = {"cache_size": lambda m: m.cache == "icache", "data_cache_size": lambda m: m.data_cache_bytes > 0}
        for memory in board.memories:
            if memory.name != change.memory and change.key in shared and shared[change.key](memory):
                yield memory.name


def _measured(new: Memory, old: Memory, board: Board) -> Memory:
    """`new` with what a line costs where that was measured: each of its reads takes the other wait states.

    With another kind of cache or another line, what was measured says nothing.
    """
    more = new.wait_states - old.wait_states
    code, data = old.code_miss_cycles, old.data_miss_cycles
    same_line = new.cache_line_bytes == old.cache_line_bytes and bool(new.wait_states) == bool(old.wait_states)
    same_code = same_line and new.cache == old.cache
    own_cache = bool(old.data_cache_bytes) and not (board.has_unified_cache(old) or board.has_unified_cache(new))
    same_data = same_line if own_cache else same_code
    return replace(
        new,
        code_miss_cycles=None if code is None or not same_code else max(0.0, code + line_reads(new) * more),
        data_miss_cycles=None if data is None or not same_data else max(0.0, data + line_reads(new, data=True) * more),
    )


def _check(question: Question, memory: Memory) -> None:
    line = memory.cache_line_bytes or memory.fetch_bytes
    if memory.cache in _SIZED and not memory.cache_bytes:
        raise ScenarioError(
            f"what-if {question.name!r}: how large is the cache of {memory.name}?",
            hint=f"add {memory.name}_cache_size=8KiB to the same question; no cache at all is {memory.name}_cache=none",
        )
    if line < 1 or line & (line - 1):
        raise ScenarioError(f"what-if {question.name!r}: a line of {line} B is no power of two")
    for title, size in (("cache", memory.cache_bytes), ("data cache", memory.data_cache_bytes)):
        if size % line:
            raise ScenarioError(
                f"what-if {question.name!r}: the {title} of {memory.name} is no whole number of lines of {line} B"
            )


def _words(memory: Memory, change: Change) -> str:
    before, after = getattr(memory, _FIELDS[change.key]), change.value
    if change.key in _TITLES:
        return f"{memory.name}: {before} -> {after} {_TITLES[change.key]}"
    if change.key != "cache":
        before, after = format_bytes(before), format_bytes(float(after))
    return f"{memory.name}: {change.key.replace('_', ' ')} {before} -> {after}"


def seen_by_caches(board: Board) -> object:
    """What a memory trace depends on: boards of the same part that are alike in it have the same trace."""
    kept = [
        (
            m.wait_states > 0,
            m.cache,
            m.cache_bytes,
            m.cache_line_bytes,
            m.cache_ways,
            m.data_cache_bytes,
        )
        for m in board.memories
    ]
    return tuple(kept), board.moved
