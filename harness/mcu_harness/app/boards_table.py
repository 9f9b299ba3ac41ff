"""The boards that come with the harness, as a table, one by one, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable

from mcu_harness.base import units
from mcu_harness.base.text import for_terminal
from mcu_harness.hardware.board import Board, Memory
from mcu_harness.results.report.terminal_table import terminal_table

FORMAT_VERSION = 1


def boards_table(boards: Iterable[Board]) -> str:
    """A row per board: core, clock, memories, console, who can run it."""
    rows = [
        [
            board.name,
            board.title,
            _core(board),
            units.format_hertz(board.clock_hz),
            units.format_bytes(board.code_memory.size),
            units.format_bytes(board.data_memory.size),
            ", ".join(_emulators(board)),
        ]
        for board in boards
    ]
    titles = ["name", "board", "core", "clock", "flash", "RAM", "emulators"]
    return terminal_table(titles, rows, ("left", "left", "left", *["right"] * 3, "left"))


def board_text(board: Board) -> str:
    """One board: what it is, its memories, where its facts come from, and who can run it."""
    from mcu_harness.emulator.emulators import EMULATORS

    rows = [
        [
            memory.name,
            memory.kind,
            f"{memory.origin:#010x}",
            units.format_bytes(memory.size),
            _wait_states(memory),
            _caches(memory),
            _use(memory, board),
        ]
        for memory in board.memories
    ]
    titles = ["memory", "kind", "origin", "size", "wait states", "cache", "use"]
    alignment = ("left", "left", "left", "right", "right", "left", "left")
    table = terminal_table(titles, rows, alignment)
    refusals = [(entry.name, entry.supports(board)) for entry in EMULATORS]
    lines = [
        f"{board.name}: {board.title} ({board.vendor}), {board.part}",
        f"core: {_core(board)} at {units.format_hertz(board.clock_hz)}",
        f"console: {board.console.driver} at {board.console.base:#010x}",
        *(f"{name}: {f'no, {why}' if why else 'runs it'}" for name, why in refusals),
        "",
        table,
        "",
        *(f"source of {name}: {source}" for name, source in board.sources),
    ]
    return for_terminal("\n".join(line.rstrip() for line in lines))


def boards_json(boards: Iterable[Board]) -> str:
    """The same as JSON text, sizes in bytes, clocks in Hz."""
    plain = [
        {
            "name": board.name,
            "title": board.title,
            "vendor": board.vendor,
            "part": board.part,
            "core": board.core.name,
            "fpu": board.fpu,
            "clock_hz": board.clock_hz,
            "price_class": board.price_class or None,
            "memories": [
                {
                    "name": memory.name,
                    "kind": memory.kind,
                    "origin": memory.origin,
                    "size_bytes": memory.size,
                    "wait_states": memory.wait_states if _has_waits(memory) else None,
                    "alias_of": memory.alias_of or None,
                }
                for memory in board.memories
            ],
            "code": board.code,
            "data": board.data,
            "emulators": _emulators(board),
            "sources": dict(board.sources),
        }
        for board in boards
    ]
    return json.dumps({"format_version": FORMAT_VERSION, "boards": plain}, indent=1, ensure_ascii=True) + "\n"


def _has_waits(memory: Memory) -> bool:
    """Whether anybody knows them: RAM of the chip has none unless its file says so."""
    return memory.kind != "flash" or memory.waits_stated or memory.wait_states > 0


def _wait_states(memory: Memory) -> str:
    return str(memory.wait_states) if _has_waits(memory) else "not stated"


def _core(board: Board) -> str:
    return board.core.name + ("" if board.fpu == "none" else f" + {board.fpu}")


def _emulators(board: Board) -> list[str]:
    from mcu_harness.emulator.emulators import EMULATORS

    return [entry.name for entry in EMULATORS if not entry.supports(board)]


def _caches(memory: Memory) -> str:
    found = [] if memory.cache == "none" else [memory.cache]
    if memory.cache_bytes:
        found.append(units.format_bytes(memory.cache_bytes))
    if memory.data_cache_bytes:
        found.append(f"data {units.format_bytes(memory.data_cache_bytes)}")
    return " ".join(found)


def _use(memory: Memory, board: Board) -> str:
    if memory.alias_of:
        return f"is {memory.alias_of}"
    return ", ".join(use for use, name in (("code", board.code), ("data", board.data)) if name == memory.name)
