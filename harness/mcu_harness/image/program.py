"""Arm ELF images: what is loaded where, and which symbol lies at an address."""

from __future__ import annotations

import difflib
import hashlib
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mcu_harness.base.errors import ElfError
from mcu_harness.image import elf_reader, overlays
from mcu_harness.image.elf_reader import ElfFile, ProgramHeader, SectionHeader
from mcu_harness.image.symbols import (
    Section,
    Symbol,
    is_clone_of,
    is_code,
    of_loaded_sections,
    read_code_ranges,
    read_symbols,
    with_sizes,
)

__all__ = ["Program", "Section", "Segment", "Symbol", "read_program"]

_MOST_COMMENT_BYTES = 1 << 16
_COMPILER = re.compile(r"GCC: (?:\([^)]*\) )?([\d.]+)|clang version ([\d.]+)")


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
class Program:
    """An ELF as emulators and the profiler need it. `symbols` is sorted by address.

    Of several symbols at one address, the one that names it best comes first (see `_rank`).
    """

    path: Path
    entry: int
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    code_ranges: tuple[tuple[int, int], ...]  # [start, end) of Thumb code, from $t/$d mapping symbols or sections
    digest: str
    compiler: tuple[str, str] | None = None  # name and version, where the file says so
    idle: frozenset[str] = frozenset()  # overlays that never ran, by their sections
    _by_name: dict[str, Symbol] = field(init=False, repr=False, compare=False)
    _named: tuple[Symbol, ...] = field(init=False, repr=False, compare=False)
    _functions: tuple[Symbol, ...] = field(init=False, repr=False, compare=False)
    _shared_names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {symbol.name: symbol for symbol in reversed(self.symbols)})
        code = {section.name for section in self.sections if section.executable}
        object.__setattr__(self, "_named", tuple(s for s in self.symbols if s.size and is_code(s, code)))
        active = [s for s in self._named if s.section not in self.idle]
        in_use = (section for section in self.sections if section.name not in self.idle)
        object.__setattr__(self, "_functions", overlays.merged(active, in_use))
        names = sorted((s.name, s.address) for s in self._named)
        shared = (a[0] for a, b in itertools.pairwise(names) if a[0] == b[0] and a[1] != b[1])
        object.__setattr__(self, "_shared_names", frozenset(shared))

    def symbol(self, name: str) -> Symbol:
        """The symbol of that name; ElfError with near names where there is none."""
        found = self._by_name.get(name) or self._clone(name)
        if found is None:
            near = difflib.get_close_matches(name, self._by_name, n=3)
            hint = "did you mean " + " or ".join(repr(each) for each in near) + "?" if near else ""
            if not self.symbols:
                hint = "the file is stripped: it has no symbols at all"
            raise ElfError(f"{self.path}: no symbol is called {name!r}", hint=hint)
        return found

    def _clone(self, name: str) -> Symbol | None:
        """What the compiler made of the function `name`, where it made one clone of it and dropped the original."""
        clones = [symbol for symbol in self._named if is_clone_of(symbol.name, name)]
        addresses = {symbol.address for symbol in clones}
        if len(addresses) > 1:
            names = ", ".join(sorted({symbol.name for symbol in clones}))
            raise ElfError(f"{self.path}: the compiler made several clones of {name!r}", hint=f"name one of {names}")
        return clones[0] if clones else None

    def is_shared_name(self, name: str) -> bool:
        """Whether several functions are called `name`, as `static` ones of several files may be."""
        return name in self._shared_names

    def function_at(self, address: int) -> Symbol | None:
        """The function whose range holds `address`; of overlays that share it, one with all names (`ran` says which there are).

        A label without a type counts where it stands in an executable section; a function without a size (both are
        common in assembler) reaches to the next symbol of its section, or to its end.
        """
        nth = bisect_right(self._functions, address, key=lambda function: function.address) - 1
        # Of several at one address the first has the best name, and the others are behind it.
        while nth > 0 and self._functions[nth - 1].address == self._functions[nth].address:
            nth -= 1
        found = self._functions[nth] if nth >= 0 else None
        return found if found and address < found.address + found.size else None

    def ran(self, code: overlays.Code) -> Program:
        """The same, but without the functions of overlays that cannot be what ran, by the blocks (address, bytes) that did."""
        idle = overlays.idle(self.sections, code, self._bytes_of)
        return replace(self, idle=idle) if idle else self

    @property
    def several_at(self) -> frozenset[Symbol]:
        """The functions that `function_at` gives for those of several overlays."""
        return frozenset(self._functions).difference(self._named) if self.overlays else frozenset()

    @property
    def overlays(self) -> list[list[Section]]:
        """The sections of code that share memory with others, by the memory that they share."""
        return overlays.groups(self.sections)

    def _bytes_of(self, section: Section, address: int, size: int) -> bytes:
        left = section.end - address
        return self.loaded_bytes(section.load_address + address - section.address, min(size, left)) if left > 0 else b""

    def bytes_at(self, address: int, most: int) -> bytes:
        """Bytes of the image where they are at run time, from `address` to the end of their segment, at most `most`."""
        return _bytes(((segment.address, segment.data) for segment in self.segments), address, most)

    def word_at(self, address: int) -> int | None:
        """The word of the image that is at `address` at run time, None where the image has none."""
        return _word(self.bytes_at(address, 4))

    def loaded_bytes(self, address: int, most: int) -> bytes:
        """As `bytes_at`, by where they are loaded: what is at `address` before anything has run."""
        return _bytes(((segment.load_address, segment.data) for segment in self.segments), address, most)

    def loaded_word(self, address: int) -> int | None:
        """As `word_at`, by where it is loaded."""
        return _word(self.loaded_bytes(address, 4))


def _bytes(pieces: Iterable[tuple[int, bytes]], address: int, most: int) -> bytes:
    for start, data in pieces:
        if 0 <= address - start < len(data):
            return data[address - start :][:most]
    return b""


def _word(data: bytes) -> int | None:
    return int.from_bytes(data, "little") if len(data) == 4 else None


def read_program(path: Path) -> Program:
    """Parse an ELF; raises ElfError for what is not a linked little-endian 32-bit Arm executable.

    Takes memory in proportion to the file, whatever sizes the file claims.
    """
    file = elf_reader.read_elf_file(path)
    loads = [header for header in file.program_headers if header.type == elf_reader.PT_LOAD and header.memsz]
    segments = tuple(_segment(file, header) for header in sorted(loads, key=lambda load: load.vaddr))
    sections = tuple(sorted(_sections(file, loads), key=lambda section: (section.address, section.size)))
    _refuse_overlaps(path, segments, sections)
    raw = of_loaded_sections(file)
    return Program(
        path=path,
        entry=file.entry & ~1,
        segments=segments,
        sections=sections,
        symbols=tuple(with_sizes(read_symbols(raw, file.section_headers, sections), sections)),
        code_ranges=tuple(read_code_ranges(raw, sections)),
        digest=hashlib.sha256(file.data).hexdigest(),
        compiler=_compiler(file),
    )


def _compiler(file: ElfFile) -> tuple[str, str] | None:
    """The compiler by what it left in .comment ("GCC: (vendor) 12.2.1 20221205", "clang version 17.0.1 (...)")."""
    section = next((s for s in file.section_headers if s.name == ".comment" and s.type != elf_reader.SHT_NOBITS), None)
    if section is None or section.size > _MOST_COMMENT_BYTES:
        return None
    for text in file.contents(section, ".comment").decode("utf-8", "replace").split("\0"):
        found = _COMPILER.search(text)
        if found:
            return ("gcc", found[1]) if found[1] else ("clang", found[2])
    return None


def _segment(file: ElfFile, header: ProgramHeader) -> Segment:
    place = f"{file.path}: the segment at {header.vaddr:#010x}"
    if header.offset + header.filesz > len(file.data):
        raise ElfError(
            f"{place} needs bytes up to {header.offset + header.filesz} and the file has {len(file.data)}",
            hint="the file is truncated or corrupt: build or download it again",
        )
    if header.filesz > header.memsz:
        raise ElfError(f"{place} has {header.filesz} bytes in the file and room for {header.memsz}")
    if header.vaddr + header.memsz > 1 << 32 or header.paddr + header.filesz > 1 << 32:
        raise ElfError(f"{place} reaches beyond the 4 GiB address space ({header.memsz:#x} bytes)")
    return Segment(
        address=header.vaddr,
        load_address=header.paddr,
        data=file.data[header.offset : header.offset + header.filesz],
        memory_size=header.memsz,
        executable=bool(header.flags & elf_reader.PF_X),
        writable=bool(header.flags & elf_reader.PF_W),
    )


def _refuse_overlaps(path: Path, segments: tuple[Segment, ...], sections: Iterable[Section]) -> None:
    """No byte may be two things where segments are loaded; where they live, only overlays may share one.

    Overlays (OVERLAY in a linker script) are copied to one place by the program, one after the other: all of them are
    loaded elsewhere. What is zero at first is looked at by section: a segment of such sections alone spans what lies
    between them, as Zephyr's spans its initialized data, and nothing of it is loaded.
    """
    live = [
        (segment.address, segment.address + len(segment.data), _is_overlay(segment))
        for segment in segments
        if segment.data
    ]
    live += [(section.address, section.address + section.size, False) for section in sections if not section.in_file]
    load = [(segment.load_address, segment.load_address + len(segment.data), False) for segment in segments]
    for spans in (live, load):
        reached, shared = 0, True  # the end of what came before, and whether all that reaches there may be shared
        for low, high, may_share in sorted(span for span in spans if span[0] < span[1]):
            if low < reached and not (may_share and shared):
                raise ElfError(
                    f"{path}: two segments overlap at {low:#010x}",
                    hint="one memory's contents have grown into the next, or the linker script places two there",
                )
            shared = may_share and (shared or low >= reached)
            reached = max(reached, high)


def _is_overlay(segment: Segment) -> bool:
    """Whether the program copies it to where it lives, all of it."""
    return segment.load_address != segment.address and len(segment.data) == segment.memory_size


def _sections(file: ElfFile, loads: list[ProgramHeader]) -> list[Section]:
    """Allocated sections that take room, with load addresses; made from segments where there are no headers."""
    wanted = elf_reader.SHF_ALLOC
    headers = [header for header in file.section_headers if header.flags & wanted and header.size]
    # Thread-local zero data has a template's size and no place of its own.
    headers = [h for h in headers if not (h.type == elf_reader.SHT_NOBITS and h.flags & elf_reader.SHF_TLS)]
    if not headers:
        return _sections_of_segments(loads)
    return [_section(file, header, loads) for header in headers]


def _section(file: ElfFile, header: SectionHeader, loads: list[ProgramHeader]) -> Section:
    in_file = header.type != elf_reader.SHT_NOBITS
    if header.addr + header.size > 1 << 32:
        raise ElfError(f"{file.path}: section {header.name!r} reaches beyond the 4 GiB address space")
    if in_file:
        file.contents(header, f"section {header.name!r}")
    moved = 0
    for load in loads:
        inside = load.vaddr <= header.addr and header.addr + header.size <= load.vaddr + load.memsz
        if inside and (not in_file or header.offset - load.offset == header.addr - load.vaddr):
            moved = load.paddr - load.vaddr
            break
    return Section(
        name=header.name,
        address=header.addr,
        load_address=header.addr + moved if in_file else header.addr,
        size=header.size,
        in_file=in_file,
        executable=bool(header.flags & elf_reader.SHF_EXECINSTR),
        writable=bool(header.flags & elf_reader.SHF_WRITE),
    )


def _sections_of_segments(loads: list[ProgramHeader]) -> list[Section]:
    made = []
    for nth, load in enumerate(loads):
        executable, writable = bool(load.flags & elf_reader.PF_X), bool(load.flags & elf_reader.PF_W)
        if load.filesz:
            made.append(Section(f"segment {nth}", load.vaddr, load.paddr, load.filesz, True, executable, writable))
        if load.memsz > load.filesz:
            start = load.vaddr + load.filesz
            zeros = load.memsz - load.filesz
            made.append(Section(f"segment {nth} zeros", start, start, zeros, False, executable, writable))
    return made
