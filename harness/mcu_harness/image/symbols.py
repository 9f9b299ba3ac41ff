"""The symbols of an ELF file: which are addresses, of what, and where code lies among data."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mcu_harness.image import elf_reader
from mcu_harness.image.elf_reader import ElfFile, RawSymbol, SectionHeader

# What GCC and LLVM append to the names of copies of a function that they changed: constant arguments, scalar replacement, link-time
# optimisation. Parts of a function (.cold, .part) are not it.
_CLONE = re.compile(r"(?:\.(?:constprop|isra|lto_priv|llvm)\.\d+)+")


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

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function or object; `address` has no Thumb bit. `name` and `file` are untrusted text (user ELFs).

    `file` is the source file of a `static` one, "" where it is not known.
    """

    name: str
    address: int
    size: int
    kind: str  # "function", "object", "other"
    section: str
    file: str = ""


def is_clone_of(symbol: str, name: str) -> bool:
    """Whether `symbol` is what a compiler calls a changed copy of the function `name` ("work.constprop.0" of "work")."""
    return symbol.startswith(name) and _CLONE.fullmatch(symbol, len(name)) is not None


def is_code(symbol: Symbol, code_sections: set[str]) -> bool:
    return symbol.kind == "function" or (symbol.kind == "other" and symbol.section in code_sections)


def of_loaded_sections(file: ElfFile) -> tuple[RawSymbol, ...]:
    """Symbols whose value is an address: those of sections that only tools read (log strings, (INFO)) are numbers there."""
    headers, allocated = file.section_headers, elf_reader.SHF_ALLOC
    return tuple(
        entry
        for entry in file.symbols
        if entry.section is None or entry.section >= len(headers) or headers[entry.section].flags & allocated
    )


def read_symbols(
    raw: tuple[RawSymbol, ...], headers: tuple[SectionHeader, ...], sections: tuple[Section, ...]
) -> list[Symbol]:
    found = []
    for entry in raw:
        kind = entry.kind
        if not kind or not entry.name or entry.name[0] == "$" or not entry.is_defined:
            continue
        address = entry.value & ~1 if kind == "function" else entry.value
        size = min(entry.size, (1 << 32) - address)
        symbol = Symbol(entry.name, address, size, kind, _section_of(entry, address, headers, sections), entry.file)
        found.append((symbol, entry.is_local))
    found.sort(key=lambda pair: (pair[0].address, *_rank(*pair)))
    return [symbol for symbol, _ in found]


def _rank(symbol: Symbol, is_local: bool) -> tuple[bool, bool, bool, int, str]:
    """Which of several names of one address is the best: typed, then sized, then global, then the shortest."""
    return symbol.kind == "other", symbol.size == 0, is_local, len(symbol.name), symbol.name


def _section_of(
    entry: RawSymbol, address: int, headers: tuple[SectionHeader, ...], sections: tuple[Section, ...]
) -> str:
    """The section that holds the symbol, "" for what only has the value of an address: sizes, ends, absolute symbols."""
    if entry.section is None:
        # Functions and objects at fixed addresses (a ROM's) are where they say; other numbers need not be addresses.
        return "" if entry.kind == "other" else _holder(sections, address)
    if entry.section >= len(headers):
        return _holder(sections, address)
    header = headers[entry.section]
    return header.name if header.addr <= address < header.addr + header.size else ""


def _holder(sections: tuple[Section, ...], address: int) -> str:
    nth = bisect_right(sections, address, key=lambda section: section.address) - 1
    return sections[nth].name if nth >= 0 and address < sections[nth].end else ""


def read_code_ranges(raw: tuple[RawSymbol, ...], sections: tuple[Section, ...]) -> list[tuple[int, int]]:
    """Where Thumb code lies: by the mapping symbols $t and $d (and $a) where a section has any, else all of it.

    Mapping symbols: ELF for the Arm Architecture, 5.5.5. They may carry a suffix ("$t.12").
    """
    marks = sorted((entry.value, entry.name[:2] == "$t") for entry in raw if entry.name[:2] in ("$t", "$d", "$a"))
    places = [place for place, _ in marks]
    ranges: list[tuple[int, int]] = []
    for section in sections:
        if not section.executable:
            continue
        first = bisect_right(places, section.address - 1)
        last = bisect_right(places, section.end - 1)
        if first == last:
            ranges.append((section.address, section.end))
            continue
        for nth in range(first, last):
            start, is_code = marks[nth]
            end = places[nth + 1] if nth + 1 < last else section.end
            if is_code and start < end:
                if ranges and ranges[-1][1] == start:
                    ranges[-1] = (ranges[-1][0], end)
                else:
                    ranges.append((start, end))
    return ranges


def with_sizes(symbols: list[Symbol], sections: tuple[Section, ...]) -> Iterator[Symbol]:
    """Give code without a size one: up to the next symbol of its section, or its end.

    Assembler files often leave out the size, and even the type: a label counts as code where it stands in an
    executable section, outside every function.
    """
    code = {section.name: section.end for section in sections if section.executable}
    addresses = sorted({symbol.address for symbol in symbols if symbol.section})
    covered = 0
    for symbol in symbols:
        if symbol.section in code and symbol.size == 0 and symbol.kind != "object" and symbol.address >= covered:
            after = bisect_right(addresses, symbol.address)
            end = min(code[symbol.section], addresses[after] if after < len(addresses) else 1 << 32)
            symbol = replace(symbol, size=end - symbol.address)
        if symbol.kind == "function" or symbol.section in code:
            covered = max(covered, symbol.address + symbol.size)
        yield symbol
