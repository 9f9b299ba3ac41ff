"""The tables of a 32-bit little-endian Arm ELF file, read by pyelftools.

pyelftools trusts what a file says about itself: an offset may lead anywhere, a count may be billions, a name may run
to the end of the file, and some kinds of section are read whole when their header is met. So tables are checked
against the file's size before they are read, headers are read by its structures one by one, and what it raises
becomes ElfError in one place (`_reading`). Memory and time are bounded by the size of the file.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from elftools.common.exceptions import DWARFError, ELFError
from elftools.common.utils import struct_parse
from elftools.construct import ConstructError
from elftools.elf.constants import P_FLAGS, SH_FLAGS
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_E_MACHINE
from elftools.elf.sections import StringTableSection, SymbolTableSection

from mcu_harness.base.errors import ElfError
from mcu_harness.base.files import read_bounded

PT_LOAD = "PT_LOAD"
SHT_NOBITS = "SHT_NOBITS"
PF_X, PF_W = P_FLAGS.PF_X, P_FLAGS.PF_W
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = SH_FLAGS.SHF_WRITE, SH_FLAGS.SHF_ALLOC, SH_FLAGS.SHF_EXECINSTR
SHF_TLS, SHF_COMPRESSED = SH_FLAGS.SHF_TLS, SH_FLAGS.SHF_COMPRESSED

# Far above every image for a microcontroller; each bounds the time that a hostile file can take.
_MAX_FILE_BYTES = 512 << 20
_MAX_PROGRAM_HEADERS = 256
_MAX_SECTIONS = 16384
_MAX_SYMBOLS = 1 << 18
_MAX_NAME_BYTES = 4096  # C++ names reach hundreds; longer ones are cut
_MAX_ALL_NAMES_BYTES = 64 << 20
_MAX_DEBUG_BYTES = 256 << 20  # of one section, unpacked

_KINDS = {
    "ET_REL": "a relocatable object file, not a linked image",
    "ET_DYN": "a shared object",
    "ET_CORE": "a core dump",
}
_SYMBOL_KINDS = {
    "STT_NOTYPE": "other",
    "STT_OBJECT": "object",
    "STT_FUNC": "function",
    "STT_LOOS": "function",  # STT_GNU_IFUNC
}
_FIRST_RESERVED_SECTION = 0xFF00
# What broken input makes pyelftools raise, its own errors and others.
FOREIGN_ERRORS = (
    *(
        ELFError,
        DWARFError,
        ConstructError,
        struct.error,
        OSError,
        AssertionError,
        AttributeError,
        LookupError,
        TypeError,
    ),
    *(ValueError, OverflowError, RecursionError, MemoryError),
)


class ProgramHeader(NamedTuple):
    type: str | int  # the name in the specification, or the number where it has none
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    flags: int


class SectionHeader(NamedTuple):
    name: str
    type: str | int
    flags: int
    addr: int
    offset: int
    size: int


class RawSymbol(NamedTuple):
    """One symbol table entry. `kind` is function, object, other, or "" for sections, files and the like.

    `section` is the index of the section header it belongs to, None for a number that no section has (SHN_ABS).
    `file` is the source file of a local symbol, where the table names it.
    """

    name: str
    value: int
    size: int
    kind: str
    is_local: bool
    is_defined: bool
    section: int | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class ElfFile:
    """What the file's tables say. `data` is the whole file; `symbols` are in the file's order."""

    path: Path
    data: bytes
    entry: int
    program_headers: tuple[ProgramHeader, ...]
    section_headers: tuple[SectionHeader, ...]
    symbols: tuple[RawSymbol, ...]  # empty for a stripped file

    def contents(self, section: SectionHeader, what: str) -> bytes:
        """The bytes of a section that has some; ElfError where they are not in the file."""
        _check_inside(self.path, len(self.data), section.offset, section.size, what)
        return self.data[section.offset : section.offset + section.size]


class _Names(StringTableSection):  # type: ignore[misc, unused-ignore]  # untyped before pyelftools 0.33
    """A string table that gives bounded names: pyelftools' own reads to the next zero byte, wherever that is."""

    def __init__(self, path: Path, header: Any, elf: ELFFile, what: str) -> None:
        super().__init__(header, "", elf)
        self._path = path
        self._bytes_read = 0
        start, size = header["sh_offset"], header["sh_size"]
        _check_inside(path, elf.stream.seek(0, io.SEEK_END), start, size, what)
        if size:
            elf.stream.seek(start + size - 1)
            if elf.stream.read(1) != b"\0":
                raise ElfError(f"{path}: {what} does not end with a zero byte", hint=_AGAIN)

    def get_string(self, offset: int) -> str:
        """The name at `offset`, cut at 4096 characters; "" outside the table. Names are untrusted text."""
        if offset >= self["sh_size"]:
            return ""
        name = str(super().get_string(offset))
        self._bytes_read += len(name)
        if self._bytes_read > _MAX_ALL_NAMES_BYTES:
            raise ElfError(f"{self._path}: more than {_MAX_ALL_NAMES_BYTES >> 20} MiB of symbol names")
        return name[:_MAX_NAME_BYTES]


_AGAIN = "build or download the file again"


def read_elf_file(path: Path) -> ElfFile:
    """Read the tables of `path`; raises ElfError for anything but a linked little-endian 32-bit Arm file."""
    data = _read(path)
    if data[:4] != b"\x7fELF":
        raise ElfError(f"{path}: not an ELF file", hint="give the linked .elf (or .axf, .out) that the build wrote")
    with _reading(path):
        elf = ELFFile(io.BytesIO(data))
        _check_kind(path, elf)
        program_headers = _program_headers(path, elf, len(data))
        raw_sections = _raw_section_headers(path, elf, len(data))
        return ElfFile(
            path,
            data,
            elf["e_entry"],
            program_headers,
            tuple(_named_sections(path, elf, raw_sections)),
            tuple(_symbols(path, elf, raw_sections, len(data))),
        )


@dataclass(frozen=True, slots=True)
class DebugEntry:
    """One entry of the debug information (DWARF): its tag and attributes by their names, as "DW_TAG_variable".

    Of attributes, whole numbers, text and location expressions (bytes) are kept. Names are untrusted text.
    """

    offset: int
    tag: str
    attributes: Mapping[str, int | str | bytes]
    _entry: Any = field(repr=False, compare=False)
    _path: Path = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        return str(self.attributes.get("DW_AT_name", ""))

    def number(self, attribute: str) -> int | None:
        value = self.attributes.get(attribute)
        return value if isinstance(value, int) else None

    def children(self) -> Iterator[DebugEntry]:
        with _reading(self._path):
            for child in self._entry.iter_children():
                yield _debug_entry(self._path, child)

    def referred(self, attribute: str) -> DebugEntry | None:
        """The entry that an attribute such as "DW_AT_type" refers to; None without it."""
        if attribute not in self._entry.attributes:
            return None
        with _reading(self._path):
            return _debug_entry(self._path, self._entry.get_DIE_from_attribute(attribute))


def debug_entries(file: ElfFile) -> Iterator[DebugEntry]:
    """What stands at the top of every unit of the debug information, without looking into it; nothing where there is none."""
    for unit in _units(file):
        with _reading(file.path):
            for entry in unit.iter_DIE_children(unit.get_top_DIE()):
                yield _debug_entry(file.path, entry)


def debug_units(file: ElfFile) -> Iterator[DebugEntry]:
    """The units of the debug information: a compiled source file each."""
    for unit in _units(file):
        with _reading(file.path):
            yield _debug_entry(file.path, unit.get_top_DIE())


def _units(file: ElfFile) -> Iterator[Any]:
    for section in file.section_headers:
        if section.name.startswith(".debug_") and _unpacked_size(file, section) > _MAX_DEBUG_BYTES:
            raise ElfError(
                f"{file.path}: {section.name} has more than {_MAX_DEBUG_BYTES >> 20} MiB, which are not read"
            )
    with _reading(file.path):
        elf = ELFFile(io.BytesIO(file.data))
        if not elf.has_dwarf_info():
            return
        yield from elf.get_dwarf_info(relocate_dwarf_sections=False).iter_CUs()


def _unpacked_size(file: ElfFile, section: SectionHeader) -> int:
    if not section.flags & SHF_COMPRESSED:
        return section.size
    return int.from_bytes(file.contents(section, section.name)[4:8], "little")  # Elf32_Chdr.ch_size


def _debug_entry(path: Path, entry: Any) -> DebugEntry:
    kept: dict[str, int | str | bytes] = {}
    for name, attribute in entry.attributes.items():
        value = attribute.value
        if isinstance(value, bytes):
            kept[str(name)] = value.decode("utf-8", "replace")[:_MAX_NAME_BYTES]
        elif isinstance(value, int):
            kept[str(name)] = value
        elif isinstance(value, list):  # an expression, as a list of bytes
            kept[str(name)] = bytes(value)
    return DebugEntry(entry.offset, str(entry.tag), kept, entry, path)


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise ElfError(f"{path}: {size} bytes; files above {_MAX_FILE_BYTES >> 20} MiB are not read")
        return read_bounded(path, _MAX_FILE_BYTES)
    except OSError as cause:
        raise ElfError(f"{path}: cannot be read: {cause.strerror}") from cause


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn everything that pyelftools raises on broken input into one kind of error."""
    try:
        yield
    except FOREIGN_ERRORS as cause:
        said = str(cause).strip() or type(cause).__name__
        raise ElfError(f"{path}: truncated or corrupt: {said}", hint=_AGAIN) from cause


def _check_kind(path: Path, elf: ELFFile) -> None:
    machine, kind = elf["e_machine"], elf["e_type"]
    if elf.elfclass != 32 or not elf.little_endian or machine != "EM_ARM":
        order = "little-endian" if elf.little_endian else "big-endian"
        number = ENUM_E_MACHINE.get(machine, machine)
        raise ElfError(
            f"{path}: expected a 32-bit little-endian Arm file, got a {elf.elfclass}-bit {order} one "
            f"for machine {number} ({elf.get_machine_arch()})",
            hint="build it for Arm Cortex-M (arm-none-eabi)",
        )
    if kind != "ET_EXEC":
        raise ElfError(f"{path}: {_KINDS.get(kind, f'of unknown kind {kind}')}", hint="link it to an executable first")


def _program_headers(path: Path, elf: ELFFile, file_size: int) -> tuple[ProgramHeader, ...]:
    table = "the program header table"
    count = elf["e_phnum"]
    if count > _MAX_PROGRAM_HEADERS:
        raise ElfError(f"{path}: {count} program headers; more than {_MAX_PROGRAM_HEADERS} are not read")
    raw = _rows(path, elf, elf.structs.Elf_Phdr, elf["e_phoff"], elf["e_phentsize"], count, file_size, table)
    fields = ("p_type", "p_offset", "p_vaddr", "p_paddr", "p_filesz", "p_memsz", "p_flags")
    headers = tuple(ProgramHeader(*(row[field] for field in fields)) for row in raw)
    if not any(header.type == PT_LOAD and header.memsz for header in headers):
        raise ElfError(f"{path}: nothing to load in it", hint="link it to an executable first")
    return headers


def _raw_section_headers(path: Path, elf: ELFFile, file_size: int) -> list[Any]:
    """pyelftools' header structures; none where the file has no section header table."""
    count = elf.num_sections()
    if count > _MAX_SECTIONS:
        raise ElfError(f"{path}: {count} sections; more than {_MAX_SECTIONS} are not read")
    table = "the section header table"
    return _rows(path, elf, elf.structs.Elf_Shdr, elf["e_shoff"], elf["e_shentsize"], count, file_size, table)


def _rows(
    path: Path, elf: ELFFile, layout: Any, offset: int, entsize: int, count: int, file_size: int, what: str
) -> list[Any]:
    """A header table, row by row: iter_sections() and iter_segments() would read what each row leads to as well."""
    size = layout.sizeof()
    if count and entsize != size:
        raise ElfError(f"{path}: {what} has entries of {entsize} bytes, expected {size}")
    _check_inside(path, file_size, offset, count * size, what)
    return [struct_parse(layout, elf.stream, offset + nth * size) for nth in range(count)]


def _named_sections(path: Path, elf: ELFFile, raw: list[Any]) -> Iterator[SectionHeader]:
    nth = elf.get_shstrndx() if raw else 0
    names = _Names(path, raw[nth], elf, "the section name table") if 0 < nth < len(raw) else None
    for row in raw:
        name = names.get_string(row["sh_name"]) if names else ""
        yield SectionHeader(name, row["sh_type"], row["sh_flags"], row["sh_addr"], row["sh_offset"], row["sh_size"])


def _symbols(path: Path, elf: ELFFile, raw: list[Any], file_size: int) -> Iterator[RawSymbol]:
    header = next((row for row in raw if row["sh_type"] == "SHT_SYMTAB"), None)
    if header is None:
        return
    size, entry_size = header["sh_size"], elf.structs.Elf_Sym.sizeof()
    if header["sh_entsize"] != entry_size or size % entry_size:
        raise ElfError(f"{path}: the symbol table's size {size} is not a multiple of {entry_size}")
    _check_inside(path, file_size, header["sh_offset"], size, "the symbol table")
    if size // entry_size > _MAX_SYMBOLS:
        raise ElfError(f"{path}: {size // entry_size} symbols; more than {_MAX_SYMBOLS} are not read")
    link = header["sh_link"]
    if link >= len(raw):
        raise ElfError(f"{path}: the symbol table names section {link} for its strings, which is not there")
    names = _Names(path, raw[link], elf, "the symbol string table")
    source = ""
    for symbol in SymbolTableSection(header, "", elf, names).iter_symbols():
        section, is_local = symbol["st_shndx"], symbol["st_info"]["bind"] == "STB_LOCAL"
        if symbol["st_info"]["type"] == "STT_FILE":
            source = symbol.name
        yield RawSymbol(
            name=symbol.name,
            value=symbol["st_value"],
            size=symbol["st_size"],
            kind=_SYMBOL_KINDS.get(symbol["st_info"]["type"], ""),
            is_local=is_local,
            is_defined=section == "SHN_ABS" or (isinstance(section, int) and section < _FIRST_RESERVED_SECTION),
            section=section if isinstance(section, int) else None,
            file=source if is_local else "",
        )


def _check_inside(path: Path, file_size: int, offset: int, size: int, what: str) -> None:
    if offset + size > file_size:
        raise ElfError(
            f"{path}: truncated or corrupt: {what} ends at byte {offset + size} and the file has {file_size}",
            hint=_AGAIN,
        )
