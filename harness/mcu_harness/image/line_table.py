"""Which line of source an instruction comes from: the line tables of an ELF's debug information (DWARF 2 to 5).

Only `.debug_line` is read, which needs nothing else of the debug information: its programs give rows of (address,
file, line). Format: DWARF Debugging Information Format, version 5, section 6.2, and version 4 for what it changed.
Names and numbers are untrusted. Every step takes at least a byte of the section, so time and memory are bounded by
its size; what is broken ends its unit or the whole table, and lines that are not known are simply not known.
"""

from __future__ import annotations

import hashlib
import itertools
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from mcu_harness.base.errors import ElfError
from mcu_harness.base.text import one_line
from mcu_harness.image import elf_reader
from mcu_harness.image.elf_reader import ElfFile
from mcu_harness.image.program import Program

_MOST_BYTES = 32 << 20  # of a section; a large Zephyr image has about two
_MOST_NAMES = 1 << 18  # of files and directories, in all units
_MOST_NAME_BYTES = 512
_MOST_SIZE = 1 << 28  # a sequence covers less than that
_COMPRESSED = 0x800  # SHF_COMPRESSED
_ZLIB = 1  # ELFCOMPRESS_ZLIB
_COMPRESSION_HEADER = 12  # Elf32_Chdr

# Standard opcodes, extended opcodes, content types and forms of DWARF, by their numbers (version 5, section 7.22).
_COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE, _CONST_ADD_PC, _FIXED_ADVANCE_PC = 1, 2, 3, 4, 8, 9
_END_SEQUENCE, _SET_ADDRESS = 1, 2
_PATH, _DIRECTORY_INDEX = 1, 2
_STRING, _STRP, _LINE_STRP, _UDATA, _BLOCK = 0x08, 0x0E, 0x1F, 0x0F, 0x09
_FIXED_SIZES = {0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16, 0x25: 1, 0x26: 2, 0x27: 3, 0x28: 4}


class _BrokenError(Exception):
    """The unit says something that cannot be."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """`path` as the compiler wrote it, for people only."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(slots=True)
class _Sequence:
    """Rows of ascending addresses; row i holds up to row i + 1, the last one ends the sequence."""

    files: list[str]
    addresses: array[int] = field(default_factory=lambda: array("Q"))
    file_numbers: array[int] = field(default_factory=lambda: array("L"))
    lines: array[int] = field(default_factory=lambda: array("q"))

    @property
    def start(self) -> int:
        return self.addresses[0]

    def add(self, address: int, file: int, line: int) -> None:
        if not 0 <= line < 1 << 31 or not 0 <= file < 1 << 31 or address >= 1 << 32:
            raise _BrokenError
        if self.addresses and address < self.addresses[-1]:
            raise _BrokenError
        self.addresses.append(address)
        self.file_numbers.append(file)
        self.lines.append(line)


class SourceLines:
    """Lines of one program. Nothing is read before the first question."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._sequences: list[_Sequence] | None = None

    def _read(self) -> list[_Sequence]:
        if self._sequences is None:
            self._sequences = _sequences(self._program)
        return self._sequences

    def ranges(self) -> Iterator[tuple[int, int, SourceLine]]:
        """(start, end, line) of all code that the file says a line of, by address."""
        for sequence in self._read():
            for row, (low, high) in enumerate(itertools.pairwise(sequence.addresses)):
                place = _place(sequence, row)
                if low < high and place is not None:
                    yield low, high, place

    def at(self, address: int) -> SourceLine | None:
        """The line of the instruction at `address`; None where the file does not say, or says nonsense."""
        sequences = self._read()
        nth = bisect_right(sequences, address, key=lambda sequence: sequence.start) - 1
        if nth < 0:
            return None
        sequence = sequences[nth]
        row = bisect_right(sequence.addresses, address) - 1
        return _place(sequence, row) if row + 1 < len(sequence.addresses) else None


def _place(sequence: _Sequence, row: int) -> SourceLine | None:
    if not sequence.lines[row]:
        return None
    number = sequence.file_numbers[row]
    name = sequence.files[number] if number < len(sequence.files) else ""
    return SourceLine(name, sequence.lines[row]) if name else None


def _sequences(program: Program) -> list[_Sequence]:
    """All sequences, sorted; [] without debug information, or when the file is not the one that was read."""
    try:
        file = elf_reader.read_elf_file(program.path)
    except ElfError:  # not an ELF (.hex, .bin), or gone by now
        return []
    if hashlib.sha256(file.data).hexdigest() != program.digest:
        return []
    lines = _section(file, ".debug_line")
    strings = {_LINE_STRP: _section(file, ".debug_line_str"), _STRP: _section(file, ".debug_str")}
    found: list[_Sequence] = []
    at = names = 0
    while at + 4 <= len(lines):
        unit = _Unit(lines, at, strings, _MOST_NAMES - names)
        at, names = unit.end, names + unit.names
        found += unit.sequences
    # What the linker threw away it leaves at address 0, where only a function that really lies there may be.
    at_zero = any(symbol.address == 0 and symbol.kind == "function" for symbol in program.symbols)
    return sorted((s for s in found if s.start or at_zero), key=lambda sequence: sequence.start)


def _section(file: ElfFile, name: str) -> bytes:
    """The bytes of a section, unpacked; b"" where there is none, it is broken, or too large."""
    header = next((s for s in file.section_headers if s.name == name and s.type != elf_reader.SHT_NOBITS), None)
    if header is None or header.size > _MOST_BYTES:
        return b""
    try:
        data = file.contents(header, name)
    except ElfError:
        return b""
    if not header.flags & _COMPRESSED:
        return data
    if int.from_bytes(data[:4], "little") != _ZLIB:
        return b""
    try:
        return zlib.decompressobj().decompress(data[_COMPRESSION_HEADER:], _MOST_BYTES)
    except zlib.error:
        return b""


class _Unit:
    """One unit of `.debug_line`: its header, and the rows that its program makes."""

    def __init__(self, data: bytes, at: int, strings: dict[int, bytes], most_names: int) -> None:
        self._data = data
        self._at = at
        self._strings = strings
        self._most_names = most_names
        self.names = 0
        self.sequences: list[_Sequence] = []
        length = self._number(4)
        # The 64-bit format, which no 32-bit target uses, and what reaches beyond the section end the table.
        self.end = self._at + length
        if length >= 0xFFFFFFF0 or self.end > len(data):
            self.end = len(data)
            return
        with suppress(_BrokenError, IndexError, OverflowError):  # what was complete until then holds
            self._read()

    def _read(self) -> None:
        version = self._number(2)
        if not 2 <= version <= 5:
            raise _BrokenError
        if version == 5 and (self._number(1), self._number(1)) != (4, 0):
            raise _BrokenError
        program = self._number(4)
        program += self._at
        self._smallest = self._number(1)
        if version >= 4:
            self._number(1)  # operations of a VLIW instruction
        self._number(1)  # default of is_stmt
        self._line_base = self._number(1)
        self._line_base -= (self._line_base & 0x80) << 1
        self._line_range = self._number(1)
        self._opcode_base = self._number(1)
        self._arguments = [self._number(1) for _ in range(1, self._opcode_base)]
        if not self._line_range or program > self.end:
            raise _BrokenError
        files = self._tables_5() if version == 5 else self._tables()
        self._at = program
        while self._at < self.end:
            self._sequence(files)

    # Numbers and strings.

    def _number(self, size: int) -> int:
        if self._at + size > len(self._data):
            raise _BrokenError
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "little")

    def _leb(self, signed: bool = False) -> int:
        value = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value - (1 << shift) if signed and byte & 0x40 else value
            if shift > 70:
                raise _BrokenError

    def _text(self) -> str:
        end = self._data.find(b"\0", self._at, self.end)
        if end < 0:
            raise _BrokenError
        text = self._data[self._at : min(end, self._at + _MOST_NAME_BYTES)]
        self._at = end + 1
        return one_line(text.decode("utf-8", "replace"))

    def _text_in(self, form: int, offset: int) -> str:
        data = self._strings[form]
        end = data.find(b"\0", offset, offset + _MOST_NAME_BYTES)
        return one_line(data[offset : end if end >= 0 else offset + _MOST_NAME_BYTES].decode("utf-8", "replace"))

    def _count_name(self) -> None:
        self.names += 1
        if self.names > self._most_names:
            raise _BrokenError

    # Tables of files.

    def _tables(self) -> list[str]:
        """The file names by number, of versions 2 to 4: numbers start with 1."""
        directories = [""]  # the compiler's working directory, which is said elsewhere
        while name := self._text():
            self._count_name()
            directories.append(name)
        files = [""]
        while name := self._text():
            self._count_name()
            directory = self._leb()
            self._leb()  # time
            self._leb()  # size
            files.append(_joined(directories, directory, name))
        return files

    def _tables_5(self) -> list[str]:
        directories = [name for name, _ in self._entries()]
        return [_joined(directories, directory, name) for name, directory in self._entries()]

    def _entries(self) -> list[tuple[str, int]]:
        """Names, each with the number of its directory."""
        formats = [(self._leb(), self._leb()) for _ in range(self._number(1))]
        found = []
        for _ in range(self._leb()):
            self._count_name()
            name, directory = "", 0
            for content, form in formats:
                value = self._form(form)
                if content == _PATH and isinstance(value, str):
                    name = value
                elif content == _DIRECTORY_INDEX and isinstance(value, int):
                    directory = value
            found.append((name, directory))
        return found

    def _form(self, form: int) -> str | int:
        if form == _STRING:
            return self._text()
        if form in self._strings:
            return self._text_in(form, self._number(4))
        if form == _UDATA:
            return self._leb()
        if form == _BLOCK:
            self._at += self._leb()
            return 0
        if form in _FIXED_SIZES:
            return self._number(_FIXED_SIZES[form])
        raise _BrokenError

    # The program.

    def _sequence(self, files: list[str]) -> None:
        """Run up to the end of a sequence, and keep it."""
        address, file, line = 0, 1, 1
        made = _Sequence(files)
        base, line_base, line_range, smallest = self._opcode_base, self._line_base, self._line_range, self._smallest
        data, end = self._data, self.end
        while self._at < end:
            opcode = data[self._at]
            self._at += 1
            if opcode >= base:
                advance, line_advance = divmod(opcode - base, line_range)
                address += advance * smallest
                line += line_base + line_advance
                made.add(address, file, line)
            elif opcode == 0:
                size = self._leb()
                following = self._at + size
                if not size or following > end:
                    raise _BrokenError
                extended = self._number(1)
                if extended == _END_SEQUENCE:
                    self._at = following
                    made.add(address, file, line)
                    if len(made.addresses) > 1 and made.addresses[-1] - made.start < _MOST_SIZE:
                        self.sequences.append(made)
                    return
                if extended == _SET_ADDRESS:
                    address = self._number(min(size - 1, 8))
                self._at = following
            elif opcode == _COPY:
                made.add(address, file, line)
            elif opcode == _ADVANCE_PC:
                address += self._leb() * smallest
            elif opcode == _ADVANCE_LINE:
                line += self._leb(signed=True)
            elif opcode == _SET_FILE:
                file = self._leb()
            elif opcode == _CONST_ADD_PC:
                address += (255 - base) // line_range * smallest
            elif opcode == _FIXED_ADVANCE_PC:
                address += self._number(2)
            else:
                for _ in range(self._arguments[opcode - 1]):
                    self._leb()


def _joined(directories: list[str], number: int, name: str) -> str:
    directory = directories[number] if number < len(directories) else ""
    return name if not directory or name.startswith("/") else f"{directory}/{name}"
