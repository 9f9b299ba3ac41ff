"""The tables of a 32-bit little-endian Arm ELF file, with every offset checked: nothing here trusts the file.

Field names are those of the ELF specification (System V gABI, chapter 4 and 5; Arm: ELF for the Arm Architecture).
Memory and time are bounded by the size of the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.errors import ElfError

PT_LOAD = 1
PF_X, PF_W = 1, 2
SHT_SYMTAB, SHT_NOBITS = 2, 8
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS = 1, 2, 4, 0x400

_MAX_FILE_BYTES = 512 << 20
_MAX_NAME_BYTES = 4096  # C++ names reach hundreds; longer ones are cut
_MAX_ALL_NAMES_BYTES = 64 << 20
_EM_ARM = 40
_EHDR = struct.Struct("<16sHHIIIIIHHHHHH")
_PHDR = struct.Struct("<8I")
_SHDR = struct.Struct("<10I")
_SYMBOL = np.dtype(
    [("name", "<u4"), ("value", "<u4"), ("size", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2")]
)
_KINDS = {1: "a relocatable object file, not a linked image", 3: "a shared object", 4: "a core dump"}


class ProgramHeader(NamedTuple):
    type: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    flags: int
    align: int


class SectionHeader(NamedTuple):
    name: str
    type: int
    flags: int
    addr: int
    offset: int
    size: int
    link: int
    entsize: int


class RawSymbol(NamedTuple):
    """One symbol table entry; `type` and `bind` are the two halves of st_info."""

    name: str
    value: int
    size: int
    type: int
    bind: int
    section: int


@dataclass(frozen=True, slots=True)
class ElfFile:
    """What the file's tables say. `data` is the whole file."""

    path: Path
    data: bytes
    entry: int
    program_headers: tuple[ProgramHeader, ...]
    section_headers: tuple[SectionHeader, ...]

    def symbols(self) -> list[RawSymbol]:
        """The entries of the symbol table, in its order; none for a stripped file."""
        for header in self.section_headers:
            if header.type == SHT_SYMTAB:
                return self._symbols(header)
        return []

    def _symbols(self, table: SectionHeader) -> list[RawSymbol]:
        if table.entsize != _SYMBOL.itemsize or table.size % table.entsize:
            raise ElfError(f"{self.path}: the symbol table's size {table.size} is not a multiple of {_SYMBOL.itemsize}")
        if table.link >= len(self.section_headers):
            raise ElfError(
                f"{self.path}: the symbol table names section {table.link} for its strings, which is not there"
            )
        entries = np.frombuffer(self.contents(table, "the symbol table"), _SYMBOL)
        strings = self.contents(self.section_headers[table.link], "the symbol string table")
        names = self._names(entries["name"], strings)
        columns = (entries["value"], entries["size"], entries["info"] & 15, entries["info"] >> 4, entries["section"])
        return [RawSymbol(*row) for row in zip(names, *(column.tolist() for column in columns), strict=True)]

    def _names(self, offsets: npt.NDArray[np.uint32], strings: bytes) -> list[str]:
        known: dict[int, str] = {}
        total = 0
        for offset in offsets.tolist():
            if offset not in known:
                known[offset] = _string(strings, offset)
                total += len(known[offset])
                if total > _MAX_ALL_NAMES_BYTES:
                    raise ElfError(f"{self.path}: more than {_MAX_ALL_NAMES_BYTES >> 20} MiB of symbol names")
        return [known[offset] for offset in offsets.tolist()]

    def contents(self, section: SectionHeader, what: str) -> bytes:
        """The bytes of a section that has some."""
        return _slice(self.path, self.data, section.offset, section.size, what)


def read_elf_file(path: Path) -> ElfFile:
    """Read the tables of `path`; raises ElfError for anything but a linked little-endian 32-bit Arm file."""
    data = _read(path)
    if data[:4] != b"\x7fELF":
        raise ElfError(f"{path}: not an ELF file", hint="give the linked .elf (or .axf, .out) that the build wrote")
    if len(data) < _EHDR.size:
        raise ElfError(f"{path}: truncated: the ELF header needs {_EHDR.size} bytes and the file has {len(data)}")
    ident, kind, machine, _, entry, phoff, shoff, _, _, phentsize, phnum, shentsize, shnum, shstrndx = (
        _EHDR.unpack_from(data)
    )
    if ident[4] != 1 or ident[5] != 1 or machine != _EM_ARM:
        bits = {1: "32-bit", 2: "64-bit"}.get(ident[4], "unknown-class")
        order = {1: "little-endian", 2: "big-endian"}.get(ident[5], "unknown-endian")
        raise ElfError(
            f"{path}: expected a 32-bit little-endian Arm file, got a {bits} {order} one for machine {machine}",
            hint="build it for Arm Cortex-M (arm-none-eabi)",
        )
    if kind != 2:
        raise ElfError(f"{path}: {_KINDS.get(kind, f'of unknown kind {kind}')}", hint="link it to an executable first")
    return ElfFile(
        path,
        data,
        entry,
        tuple(_program_headers(path, data, phoff, phentsize, phnum)),
        _section_headers(path, data, shoff, shentsize, shnum, shstrndx),
    )


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise ElfError(f"{path}: {size} bytes; files above {_MAX_FILE_BYTES >> 20} MiB are not read")
        return path.read_bytes()
    except OSError as cause:
        raise ElfError(f"{path}: cannot be read: {cause.strerror}") from cause


def _program_headers(path: Path, data: bytes, offset: int, entsize: int, count: int) -> list[ProgramHeader]:
    if count and entsize != _PHDR.size:
        raise ElfError(f"{path}: program headers of {entsize} bytes, expected {_PHDR.size}")
    table = _slice(path, data, offset, count * _PHDR.size, "the program header table")
    headers = [ProgramHeader(*fields) for fields in _PHDR.iter_unpack(table)]
    if not any(header.type == PT_LOAD and header.memsz for header in headers):
        raise ElfError(f"{path}: nothing to load in it", hint="link it to an executable first")
    return headers


def _section_headers(
    path: Path, data: bytes, offset: int, entsize: int, count: int, names_index: int
) -> tuple[SectionHeader, ...]:
    if count == 0 or offset == 0:
        return ()
    if entsize != _SHDR.size:
        raise ElfError(f"{path}: section headers of {entsize} bytes, expected {_SHDR.size}")
    rows = list(_SHDR.iter_unpack(_slice(path, data, offset, count * _SHDR.size, "the section header table")))
    strings = b""
    if 0 < names_index < count:
        strings = _slice(path, data, rows[names_index][4], rows[names_index][5], "the section name table")
    return tuple(
        SectionHeader(_string(strings, name), kind, flags, addr, start, size, link, entry_size)
        for name, kind, flags, addr, start, size, link, _, _, entry_size in rows
    )


def _slice(path: Path, data: bytes, offset: int, size: int, what: str) -> bytes:
    if offset + size > len(data):
        raise ElfError(
            f"{path}: truncated or corrupt: {what} ends at byte {offset + size} and the file has {len(data)}",
            hint="build or download the file again",
        )
    return data[offset : offset + size]


def _string(strings: bytes, offset: int) -> str:
    """The zero-terminated name at `offset`; "" outside the table. Names are untrusted text."""
    end = strings.find(b"\0", offset, offset + _MAX_NAME_BYTES)
    return strings[offset : end if end >= 0 else offset + _MAX_NAME_BYTES].decode("utf-8", "replace")
