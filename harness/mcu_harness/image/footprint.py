"""Flash and RAM of an image: every byte attributed by its address, never by a section's name."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mcu_harness.base.text import one_line
from mcu_harness.hardware.board import Memory
from mcu_harness.image.program import Program, Section, Symbol

_LAYER = re.compile(r"mcu_layer_(\d{1,6})_")
# A stretch that begins this close behind one that outgrew its memory is its continuation (alignment lies between).
_SPILL_GAP_BYTES = 64


class Memories(Protocol):
    """Whose memories an image is held against: a board, or the regions of a linker script."""

    @property
    def memories(self) -> tuple[Memory, ...]: ...

    def memory(self, name: str) -> Memory: ...


@dataclass(frozen=True, slots=True)
class RegionUse:
    """Bytes used of a board memory, by this image. `used` above `capacity`: it does not fit."""

    region: str
    kind: str
    used: int
    capacity: int


@dataclass(frozen=True, slots=True)
class SymbolUse:
    """A symbol's share; `layer` is the index of the layer it belongs to, None for shared code and runtime.

    Bytes that no symbol covers (alignment, vectors, literal padding) appear as "(unattributed <section>)".
    """

    name: str
    section: str
    region: str
    flash_bytes: int
    ram_bytes: int
    layer: int | None


@dataclass(frozen=True, slots=True)
class SectionUse:
    name: str
    region: str  # where it lives at run time
    load_region: str  # where its initial bytes lie, "" when none
    flash_bytes: int
    ram_bytes: int
    address: int
    size_bytes: int
    load_address: int | None


@dataclass(frozen=True, slots=True)
class Footprint:
    """Flash = everything that has initial bytes; RAM (static) = everything that lives in RAM; to the byte.

    `outside` lists sections that lie in no memory of the board.
    """

    flash_bytes: int
    ram_bytes: int
    regions: tuple[RegionUse, ...]
    sections: tuple[SectionUse, ...]
    symbols: tuple[SymbolUse, ...]
    outside: tuple[str, ...]

    def layer_flash_bytes(self, layer: int) -> int:
        return sum(symbol.flash_bytes for symbol in self.symbols if symbol.layer == layer)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Bytes at one place: a section where it lives (`lives`), and where its initial bytes are stored (`stored`).

    Both at once where a section runs from where it is stored.
    """

    start: int
    size: int
    section: int
    lives: bool
    stored: bool

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a stretch that lies in one memory (None: in none); `spilled` when only by having outgrown it.

    `own` are the bytes of it that no piece before it has: overlays share them.
    """

    stretch: _Stretch
    start: int
    size: int
    own: int
    memory: Memory | None
    spilled: bool


def read_footprint(program: Program, board: Memories) -> Footprint:
    """Attribute every byte of `program` to a memory of `board`.

    `flash_bytes` are all initial bytes, padding between sections of one segment included: what is programmed into
    the device. `ram_bytes` are all bytes that live in RAM. Rows named "(padding)" hold what lies between sections,
    so that sections without them sum to what `size` says, and with them to the program headers.

    A byte that lies in no memory, behind a section that outgrew one, counts for that memory: its use is then more
    than its capacity, by the number of bytes that do not fit.
    """
    sections = [*program.sections, *_padding(program)]
    pieces = list(_pieces(_stretches(sections), board))
    ram = defaultdict[int, int](int)
    home: dict[int, str] = {}
    load: dict[int, str] = {}
    for piece in pieces:
        name = _canonical(piece.memory, board).name if piece.memory else ""
        if piece.stretch.lives:
            home.setdefault(piece.stretch.section, name)
            if _is_ram(piece.memory, sections[piece.stretch.section]):
                ram[piece.stretch.section] += piece.own
        if piece.stretch.stored:
            load.setdefault(piece.stretch.section, name)
    uses = [
        SectionUse(
            name=section.name,
            region=home.get(nth, ""),
            load_region=load.get(nth, ""),
            flash_bytes=section.size if section.in_file else 0,
            ram_bytes=ram[nth],
            address=section.address,
            size_bytes=section.size,
            load_address=section.load_address if section.in_file else None,
        )
        for nth, section in enumerate(sections)
    ]
    outside = {piece.stretch.section for piece in pieces if piece.memory is None}
    return Footprint(
        flash_bytes=sum(use.flash_bytes for use in uses),
        ram_bytes=sum(use.ram_bytes for use in uses),
        regions=tuple(_regions(pieces, board)),
        sections=tuple(uses),
        symbols=tuple(_symbol_uses(program, sections, uses)),
        outside=tuple(sections[nth].name for nth in sorted(outside)),
    )


def _padding(program: Program) -> Iterator[Section]:
    """Initial bytes that lie between sections of one segment (alignment), or in a segment without any.

    What precedes the first section is no content: linkers let a segment begin with the file's own headers.
    """
    for segment in program.segments:
        end = segment.address + len(segment.data)
        inside = [s for s in program.sections if s.in_file and segment.address <= s.address < end]
        position = inside[0].address if inside else segment.address
        spans = [(section.address, section.end) for section in inside] or [(end, end)]
        for start, stop in spans:
            if start > position:
                moved = segment.load_address - segment.address
                yield Section("(padding)", position, position + moved, start - position, True, False, segment.writable)
            position = max(position, stop)


def _stretches(sections: list[Section]) -> list[_Stretch]:
    found = []
    for nth, section in enumerate(sections):
        in_place = section.load_address == section.address
        found.append(_Stretch(section.address, section.size, nth, True, section.in_file and in_place))
        if section.in_file and not in_place:
            found.append(_Stretch(section.load_address, section.size, nth, False, True))
    return sorted(found, key=lambda stretch: (stretch.start, stretch.end, stretch.section))


def _pieces(stretches: list[_Stretch], board: Memories) -> Iterator[_Piece]:
    """Cut each stretch at the borders of the board's memories."""
    memories = sorted(board.memories, key=lambda memory: memory.origin)
    origins = [memory.origin for memory in memories]
    grown: Memory | None = None  # the memory whose contents went on beyond its end, up to `reached`
    reached = 0
    taken = 0  # up to where something lives already
    for stretch in stretches:
        position = stretch.start
        while position < stretch.end:
            nth = bisect_right(origins, position) - 1
            memory = memories[nth] if nth >= 0 and memories[nth].holds(position) else None
            stop = memory.end if memory else origins[nth + 1] if nth + 1 < len(memories) else 1 << 32
            size = min(stop, stretch.end) - position
            if memory is None and grown is not None and position - reached > _SPILL_GAP_BYTES:
                grown = None
            own = max(0, position + size - max(position, taken)) if stretch.lives else size
            yield _Piece(stretch, position, size, own, memory or grown, memory is None and grown is not None)
            position += size
            taken = max(taken, position) if stretch.lives else taken
            if memory is not None:
                grown = memory if position == memory.end else None
            reached = max(reached, position)


def _canonical(memory: Memory, board: Memories) -> Memory:
    return board.memory(memory.alias_of) if memory.alias_of else memory


def _is_ram(memory: Memory | None, section: Section) -> bool:
    """Whether a byte lives in RAM; one that lies in no memory does when it could be written."""
    return memory.kind == "ram" if memory else section.writable or not section.in_file


def _regions(pieces: list[_Piece], board: Memories) -> Iterator[RegionUse]:
    used = defaultdict[str, int](int)
    excess = defaultdict[str, int](int)
    for piece in pieces:
        if piece.memory is not None:
            name = _canonical(piece.memory, board).name
            used[name] += piece.own
            if piece.spilled:
                excess[name] = max(excess[name], piece.start + piece.size - piece.memory.end)
    for memory in board.memories:
        if memory.alias_of or not (memory.is_main or used[memory.name]):
            continue
        # With a spill, what lies before the image (a boot loader's room) counts as taken.
        whole = max(used[memory.name], memory.size + excess[memory.name]) if excess[memory.name] else used[memory.name]
        yield RegionUse(memory.name, memory.kind, whole, memory.size)


def _symbol_uses(program: Program, sections: list[Section], uses: list[SectionUse]) -> Iterator[SymbolUse]:
    """Each section's bytes, shared out to the symbols in it; what is left over as "(unattributed ...)"."""
    starts = [symbol.address for symbol in program.symbols]
    for section, use in zip(sections, uses, strict=True):
        first, last = bisect_right(starts, section.address - 1), bisect_right(starts, section.end - 1)
        rest = section.size
        for symbol, size in _shares(section, program.symbols[first:last]):
            rest -= size
            match = _LAYER.match(symbol.name)
            yield _use(one_line(symbol.name), section, use, size, int(match[1]) if match else None)
        if rest:
            name = section.name if section.name.startswith("(") else f"(unattributed {section.name})"
            yield _use(name, section, use, rest, None)


def _shares(section: Section, symbols: tuple[Symbol, ...]) -> Iterator[tuple[Symbol, int]]:
    """Each symbol's own bytes of `section`; of those that share bytes, the first takes them."""
    position = section.address
    for symbol in symbols:
        end = symbol.address + symbol.size
        start, end = max(position, symbol.address), min(end, section.end)
        if end > start:
            yield symbol, end - start
            position = end


def _use(name: str, section: Section, use: SectionUse, size: int, layer: int | None) -> SymbolUse:
    # A section that is cut by a memory's end lives in RAM for a part only; a symbol's part of it goes with the whole.
    ram = size if use.ram_bytes == section.size else 0
    return SymbolUse(name, section.name, use.region, size if section.in_file else 0, ram, layer)
