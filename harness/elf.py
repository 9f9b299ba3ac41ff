"""Arm ELF images: what is loaded where, which symbol lies at an address, how much flash and RAM it takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.board import Board


@dataclass(frozen=True, slots=True)
class Segment:
    """A loadable segment: `data` goes to `load_address` (LMA); it lives at `address` (VMA) for `memory_size` B."""

    address: int
    load_address: int
    data: bytes
    memory_size: int
    executable: bool
    writable: bool


@dataclass(frozen=True, slots=True)
class Section:
    """An allocated section. `in_file` is false for .bss and .noinit."""

    name: str
    address: int
    load_address: int
    size: int
    in_file: bool
    executable: bool
    writable: bool


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function or object; `address` has no Thumb bit. `name` is untrusted text (user ELFs)."""

    name: str
    address: int
    size: int
    kind: str  # "function", "object", "other"
    section: str


@dataclass(frozen=True, slots=True)
class Program:
    """An ELF as emulators and the profiler need it. `symbols` is sorted by address."""

    path: Path
    entry: int
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    code_ranges: tuple[tuple[int, int], ...]  # [start, end) of Thumb code, from $t/$d mapping symbols or sections
    digest: str

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name; ElfError with near names where there is none."""
        raise NotImplementedError

    def function_at(self, address: int) -> Symbol | None:
        """The function whose range holds `address`."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class RegionUse:
    """Bytes used of a board memory, by this image."""

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


def read_program(path: Path) -> Program:
    """Parse an ELF; raises ElfError for what is not a little-endian 32-bit Arm executable."""
    raise NotImplementedError


def read_footprint(program: Program, board: Board) -> Footprint:
    """Attribute every byte of `program` to a memory of `board`, by address and never by section name."""
    raise NotImplementedError
