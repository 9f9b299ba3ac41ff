"""Firmware without an ELF file around it: Intel HEX, and plain bytes with the address that they are loaded to."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mcu_harness.base.errors import ElfError
from mcu_harness.base.files import read_bounded
from mcu_harness.image.program import Program, Section, Segment, read_program

_MAX_FILE_BYTES = 256 << 20
_ADDRESS_SPACE = 1 << 32
# Record types of the Intel hexadecimal object file format (Intel, revision A, 1988).
_DATA, _END, _SEGMENT, _START_SEGMENT, _LINEAR, _START_LINEAR = range(6)

_ELF_SUFFIXES = (".elf", ".axf")


def read_image(path: Path, load_address: int) -> Program:
    """Read an ELF, an Intel HEX file, or anything else as bytes for `load_address`; what it is, its contents say.

    Raises ElfError. Images that are no ELF have no symbols, and all of them counts as code.
    """
    data = _read(path)
    if data[:4] == b"\x7fELF":
        return read_program(path)
    if is_hex(data):
        return _program(path, data, _hex_chunks(path, data))
    if path.suffix.lower() in _ELF_SUFFIXES:  # only by contents is an ELF told from a .bin, and this is called one
        raise ElfError(f"{path}: not an ELF file", hint="give the linked .elf (or .axf, .out) that the build wrote")
    if not data:
        raise ElfError(f"{path}: the file is empty", hint="build or download it again")
    if load_address + len(data) > _ADDRESS_SPACE:
        raise ElfError(f"{path}: {len(data)} bytes at {load_address:#010x} reach beyond the 4 GiB address space")
    return _program(path, data, {load_address: data})


def is_hex(data: bytes) -> bool:
    """Whether `data` begins like an Intel HEX file: a colon and the ten hexadecimal digits of the shortest record."""
    start = data.lstrip()[:11]
    return len(start) == 11 and start[:1] == b":" and all(chr(c) in "0123456789abcdefABCDEF" for c in start[1:])


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise ElfError(f"{path}: {size} bytes; images above {_MAX_FILE_BYTES >> 20} MiB are not read")
        return read_bounded(path, _MAX_FILE_BYTES)
    except OSError as cause:
        raise ElfError(
            f"{path}: cannot be read: {cause.strerror}", hint="give the image that the build writes: .elf, .hex or .bin"
        ) from cause


def _hex_chunks(path: Path, data: bytes) -> dict[int, bytes]:
    """Bytes by address, neighbours joined."""
    memory: dict[int, bytearray] = {}
    base = 0
    reached: tuple[int, bytearray] | None = None  # where the last chunk ends, and the chunk
    for number, line in enumerate(data.split(), start=1):
        record = _hex_record(path, number, line)
        kind, payload = record[3], record[4:-1]
        if kind == _END:
            break
        if kind == _SEGMENT:
            base = int.from_bytes(payload, "big") << 4
        elif kind == _LINEAR:
            base = int.from_bytes(payload, "big") << 16
        elif kind == _DATA:
            address = base + int.from_bytes(record[1:3], "big")
            if address + len(payload) > _ADDRESS_SPACE:
                raise ElfError(f"{path}: line {number}: reaches beyond the 4 GiB address space")
            if reached is None or reached[0] != address:
                reached = address, memory.setdefault(address, bytearray())
                if reached[1]:
                    raise ElfError(f"{path}: line {number}: writes {address:#010x} a second time")
            reached[1].extend(payload)
            reached = address + len(payload), reached[1]
        elif kind not in (_START_SEGMENT, _START_LINEAR):
            raise ElfError(f"{path}: line {number}: unknown record type {kind}")
    else:
        raise ElfError(f"{path}: truncated: no end record", hint="build or download it again")
    if not memory:
        raise ElfError(f"{path}: no data in it", hint="build or download it again")
    return _joined(path, memory)


def _hex_record(path: Path, number: int, line: bytes) -> bytes:
    """A record as bytes, checked."""
    try:
        record = bytes.fromhex(line[1:].decode("ascii"))
    except ValueError:
        record = b""
    if line[:1] != b":" or len(record) < 5 or len(record) != record[0] + 5:
        raise ElfError(f"{path}: line {number}: not an Intel HEX record", hint="build or download it again")
    if sum(record) & 0xFF:
        raise ElfError(f"{path}: line {number}: wrong check sum", hint="build or download it again")
    return record


def _joined(path: Path, memory: dict[int, bytearray]) -> dict[int, bytes]:
    joined: list[tuple[int, bytearray]] = []
    for address, data in sorted(memory.items()):
        end = joined[-1][0] + len(joined[-1][1]) if joined else -1
        if address < end:
            raise ElfError(f"{path}: writes {address:#010x} a second time")
        if address == end:
            joined[-1][1].extend(data)
        else:
            joined.append((address, data))
    return {address: bytes(data) for address, data in joined}


def _program(path: Path, file: bytes, chunks: dict[int, bytes]) -> Program:
    segments, sections, ranges = [], [], []
    for address, data in sorted(chunks.items()):
        size = len(data)
        segments.append(Segment(address, address, data, size, executable=True, writable=False))
        sections.append(Section(f"(image {address:#010x})", address, address, size, True, True, False))
        ranges.append((address, address + size))
    return Program(
        path=path,
        entry=0,
        segments=tuple(segments),
        sections=tuple(sections),
        symbols=(),
        code_ranges=tuple(ranges),
        digest=hashlib.sha256(file).hexdigest(),
    )
