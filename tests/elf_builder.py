"""Writes small ELF files field by field, so that a test can make any mistake in one that it likes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

R, W, X = 4, 2, 1
ALLOC, WRITE, EXEC = 2, 1, 4
FUNC, OBJECT, NOTYPE = 2, 1, 0
LOCAL, GLOBAL = 0, 1
ABSOLUTE = 0xFFF1


@dataclass
class SectionSpec:
    name: str
    address: int
    size: int
    flags: int
    in_file: bool
    kind: int = 1


@dataclass
class SegmentSpec:
    address: int
    load_address: int
    sections: list[SectionSpec]
    flags: int


@dataclass
class ElfBuilder:
    """Segments with sections in them, and symbols. Section contents are the bytes 1, 2, 3, ..."""

    machine: int = 40
    kind: int = 2
    entry: int = 0x0800_0001
    segments: list[SegmentSpec] = field(default_factory=list)
    symbols: list[tuple[str, int, int, int, int, int | None]] = field(default_factory=list)

    def segment(self, address: int, load_address: int | None, flags: int, *sections: SectionSpec) -> None:
        load = address if load_address is None else load_address
        self.segments.append(SegmentSpec(address, load, list(sections), flags))

    def symbol(
        self, name: str, value: int, size: int = 0, kind: int = NOTYPE, bind: int = GLOBAL, section: int | None = None
    ) -> None:
        """`section` is an index; None for the first section that holds `value`, else the first of all."""
        self.symbols.append((name, value, size, kind, bind, section))

    def build(self, *, sections: bool = True, symbols: bool = True) -> bytes:
        """The file's bytes; without `sections` there is no section header table."""
        body = bytearray(52 + 32 * len(self.segments))
        programs, headers, names = [], [struct.pack("<10I", *[0] * 10)], bytearray(b"\0")
        for segment in self.segments:
            while len(body) % 4:
                body.append(0)
            offset = len(body)
            for section in segment.sections:
                start = offset + section.address - segment.address
                if section.in_file:
                    body.extend(bytes(start - len(body)))
                    body.extend(bytes((nth + 1) & 255 for nth in range(section.size)))
                kind = section.kind if section.in_file else 8
                headers.append(
                    self._header(names, section.name, kind, section.flags, section.address, start, section.size)
                )
            filesz = len(body) - offset
            memsz = max((s.address + s.size for s in segment.sections), default=segment.address) - segment.address
            programs.append(
                struct.pack(
                    "<8I",
                    1,
                    offset,
                    segment.address,
                    segment.load_address,
                    filesz,
                    max(memsz, filesz),
                    segment.flags,
                    4,
                )
            )
        if symbols and self.symbols:
            strings, table = bytearray(b"\0"), bytearray(16)
            specs = [section for segment in self.segments for section in segment.sections]
            for name, value, size, kind, bind, index in self.symbols:
                holders = [nth for nth, s in enumerate(specs, 1) if s.address <= value & ~1 < s.address + s.size]
                section = (holders or [1])[0] if index is None else index
                table += struct.pack("<IIIBBH", len(strings), value, size, bind << 4 | kind, 0, section)
                strings += name.encode() + b"\0"
            link = len(headers) + 1
            headers.append(self._header(names, ".symtab", 2, 0, 0, len(body), len(table), link, 16))
            body += table
            headers.append(self._header(names, ".strtab", 3, 0, 0, len(body), len(strings)))
            body += strings
        place = len(names)
        names += b".shstrtab\0"
        headers.append(struct.pack("<10I", place, 3, 0, 0, len(body), len(names), 0, 0, 1, 0))
        body += names
        while len(body) % 4:
            body.append(0)
        shoff = len(body)
        if sections:
            body += b"".join(headers)
        count = len(headers) if sections else 0
        ident = b"\x7fELF\x01\x01\x01" + bytes(9)
        body[:52] = struct.pack(
            "<16sHHIIIIIHHHHHH",
            *(ident, self.kind, self.machine, 1, self.entry, 52, shoff if sections else 0, 0x5000000, 52),
            *(32, len(self.segments), 40 if sections else 0, count, count - 1 if sections else 0),
        )
        for nth, program in enumerate(programs):
            body[52 + 32 * nth : 84 + 32 * nth] = program
        return bytes(body)

    def write(self, path: Path, *, sections: bool = True, symbols: bool = True) -> Path:
        path.write_bytes(self.build(sections=sections, symbols=symbols))
        return path

    def _header(
        self,
        names: bytearray,
        name: str,
        kind: int,
        flags: int,
        address: int,
        offset: int,
        size: int,
        link: int = 0,
        entsize: int = 0,
    ) -> bytes:
        place = len(names)
        names += name.encode() + b"\0"
        return struct.pack("<10I", place, kind, flags, address, offset, size, link, 0, 4, entsize)


def text(address: int, size: int, name: str = ".text") -> SectionSpec:
    return SectionSpec(name, address, size, ALLOC | EXEC, True)


def constants(address: int, size: int, name: str = ".rodata") -> SectionSpec:
    return SectionSpec(name, address, size, ALLOC, True)


def data(address: int, size: int, name: str = ".data") -> SectionSpec:
    return SectionSpec(name, address, size, ALLOC | WRITE, True)


def zeros(address: int, size: int, name: str = ".bss") -> SectionSpec:
    return SectionSpec(name, address, size, ALLOC | WRITE, False)


def ordinary() -> ElfBuilder:
    """Code and constants in flash at 0x08000000, data that is stored behind them, and zeros in RAM at 0x20000000."""
    builder = ElfBuilder()
    builder.segment(0x0800_0000, None, R | X, text(0x0800_0000, 0x40), constants(0x0800_0040, 0x20))
    builder.segment(0x2000_0000, 0x0800_0060, R | W, data(0x2000_0000, 0x10))
    builder.segment(0x2000_0010, None, R | W, zeros(0x2000_0010, 0x100))
    builder.symbol("reset", 0x0800_0001, 0x10, FUNC)
    builder.symbol("mcu_layer_03_conv", 0x0800_0011, 0x20, FUNC)
    builder.symbol("assembled", 0x0800_0031, 0, FUNC)
    builder.symbol("mcu_layer_03_weights", 0x0800_0040, 0x18, OBJECT)
    builder.symbol("counter", 0x2000_0000, 4, OBJECT)
    builder.symbol("arena", 0x2000_0010, 0x80, OBJECT)
    builder.symbol("__stack_top", 0x2000_4000, section=ABSOLUTE)
    return builder
