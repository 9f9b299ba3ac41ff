"""Images as Intel HEX, which every flashing tool takes."""

from __future__ import annotations

from mcu_harness.image.program import Program

_RECORD_BYTES = 16
_DATA, _END, _LINEAR, _START_LINEAR = 0, 1, 4, 5


def hex_text(program: Program) -> str:
    """What `program` has in non-volatile memory, at its load addresses, with its entry (Intel, revision A, 1988)."""
    lines, upper = [], -1
    for segment in sorted(program.segments, key=lambda segment: segment.load_address):
        for offset in range(0, len(segment.data), _RECORD_BYTES):
            address = segment.load_address + offset
            # A record does not cross a 64 KiB border: its address has 16 bits.
            data = segment.data[offset : offset + _RECORD_BYTES]
            room = 0x10000 - (address & 0xFFFF)
            for at, piece in ((address, data[:room]), (address + room, data[room:])):
                if not piece:
                    continue
                if at >> 16 != upper:
                    upper = at >> 16
                    lines.append(_record(0, _LINEAR, upper.to_bytes(2, "big")))
                lines.append(_record(at & 0xFFFF, _DATA, piece))
    lines.append(_record(0, _START_LINEAR, program.entry.to_bytes(4, "big")))
    lines.append(_record(0, _END, b""))
    return "\n".join(lines) + "\n"


def _record(address: int, kind: int, data: bytes) -> str:
    content = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return f":{(content + bytes([-sum(content) & 0xFF])).hex().upper()}"
