"""What lies where in memory while a program runs, as objects that accesses are counted for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from mcu_harness.base.text import one_line
from mcu_harness.hardware.arm.address_map import DEVICES, PRIVATE_BUS
from mcu_harness.hardware.board import Board
from mcu_harness.image.program import Program, Symbol
from mcu_harness.image.symbol_names import readable
from mcu_harness.results.access_records import MemoryObject
from mcu_harness.results.memory_records import ArenaBlock

_HEAP_STEPS = 64  # a heap that grows into the stack's area is told from the stack by steps of this part of the area
_MOST_NAME = 120


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known before the run. `stack` is [low, high); `arena` are buffers from the address `arena_at` on."""

    program: Program
    board: Board
    stack: tuple[int, int]
    arena: tuple[ArenaBlock, ...] = ()
    arena_at: int = 0
    grows: bool = False  # whether a heap may grow into the stack's area


def cuts(layout: Layout) -> tuple[int, ...]:
    """Every address at which an object begins or ends, in order."""
    found = {*layout.stack, *PRIVATE_BUS, *(edge for devices in DEVICES for edge in devices)}
    for symbol in _data(layout.program):
        found |= {symbol.address, symbol.address + symbol.size}
    for section in layout.program.sections:
        found |= {section.address, section.end}
    for block in layout.arena:
        start = layout.arena_at + block.offset
        found |= {start, start + block.nbytes}
    low, high = layout.stack
    if layout.grows and high - low >= _HEAP_STEPS:
        found |= set(range(low, high, (high - low) // _HEAP_STEPS))
    return tuple(sorted(address for address in found if 0 <= address < 1 << 32))


class MemoryObjects:
    """Names the stretches between the cuts of `layout`; `heap` is [low, high), as the run showed it."""

    def __init__(self, layout: Layout, heap: tuple[int, int] | None) -> None:
        self._layout = layout
        self._heap = heap
        self._symbols = list(_data(layout.program))
        self._starts = [symbol.address for symbol in self._symbols]
        sections = [section for section in layout.program.sections if section.size]
        self._sections = sections
        self._section_starts = [section.address for section in sections]

    def at(self, address: int, layer: int, write: bool) -> MemoryObject:
        """What an access from `layer` (-1: none) to `address` was to.

        Of tensors that share bytes in a layer, in place, a read is of the one that was there before and a write to the
        one that is made.
        """
        block = self._block(address - self._layout.arena_at, layer, write)
        if block is not None:
            place = self._layout.arena_at + block.offset
            return self._object(one_line(block.name), block.kind, place, block.nbytes)
        symbol = self._symbol(address)
        if symbol is not None:
            return self._object(_name(symbol), "symbol", symbol.address, symbol.size)
        for kind, area in (("heap", self._heap), ("stack", self._layout.stack)):
            if area is not None and area[0] <= address < area[1]:
                return self._object(kind, kind, area[0], area[1] - area[0])
        return self._rest(address)

    def _rest(self, address: int) -> MemoryObject:
        nth = bisect_right(self._section_starts, address) - 1
        if nth >= 0 and address < self._sections[nth].end:
            section = self._sections[nth]
            name = f"(constants among code, {one_line(section.name)})" if section.executable else ""
            kind = "code" if section.executable else "other"
            return self._object(
                name or f"(unnamed, {one_line(section.name)})", kind, section.address, section.end - section.address
            )
        memory = self._layout.board.memory_at(address)
        if memory is not None:
            return self._object(f"(elsewhere in {memory.name})", "other", memory.origin, memory.size)
        for span in (*DEVICES, PRIVATE_BUS):
            if span.holds(address):
                name = "(the core's own registers)" if span is PRIVATE_BUS else "(devices)"
                return MemoryObject(name, "device", "", span.low, span.size)
        return MemoryObject("(outside of memory)", "other", "", 0, 0)

    def _object(self, name: str, kind: str, address: int, nbytes: int) -> MemoryObject:
        memory = self._layout.board.memory_at(address)
        region = (memory.alias_of or memory.name) if memory else ""
        return MemoryObject(name, kind, region, address, nbytes)

    def _block(self, offset: int, layer: int, write: bool) -> ArenaBlock | None:
        holds = [b for b in self._layout.arena if b.offset <= offset < b.offset + b.nbytes]
        alive = [b for b in holds if b.first <= layer <= b.last]
        if not alive:
            return None
        before = [b for b in alive if b.first < layer]
        made = [b for b in alive if b.first == layer]
        return max((made or before) if write else (before or made), key=lambda b: b.first)

    def _symbol(self, address: int) -> Symbol | None:
        nth = bisect_right(self._starts, address) - 1
        while nth > 0 and self._starts[nth - 1] == self._starts[nth]:  # the first of one address has the best name
            nth -= 1
        if nth < 0:
            return None
        found = self._symbols[nth]
        return found if address < found.address + found.size else None


def _data(program: Program) -> Iterator[Symbol]:
    """Symbols of data, by address: objects, and labels with a size outside of code."""
    code = {section.name for section in program.sections if section.executable}
    for symbol in program.symbols:
        if symbol.size and (symbol.kind == "object" or (symbol.kind == "other" and symbol.section not in code)):
            yield symbol


def _name(symbol: Symbol) -> str:
    name = one_line(readable(symbol.name))
    return name if len(name) <= _MOST_NAME else name[: _MOST_NAME - 3] + "..."
