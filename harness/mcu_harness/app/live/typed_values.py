"""Values of the types that the debug information has: numbers, text, lists, and structures as dicts."""

from __future__ import annotations

import struct

from mcu_harness.app.live.values import Value
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.toml_reader import did_you_mean
from mcu_harness.image.data_types import DataType, Kind, Member

_FLOATS = {4: "<f", 8: "<d"}


class DebugType:
    """A type of the debug information as `values.PlainType` is one of ours."""

    def __init__(self, type: DataType) -> None:
        self.type = type
        self.name = type.name
        self.size = type.size

    def decode(self, data: bytes) -> Value:
        return _decoded(self.type, data)

    def encode(self, value: Value, before: bytes) -> bytes:
        """The bytes of `value`; of a structure, members that are not in it stay as they are `before`.

        Raises HarnessError for what does not fit.
        """
        return _encoded(self.type, value, before, self.name)


def _decoded(type: DataType, data: bytes) -> Value:
    if type.kind is Kind.STRUCTURE:
        return {member.name: _member(member, data) for member in type.members}
    if type.kind is Kind.ARRAY and type.element is not None:
        if type.element.kind is Kind.CHARACTER:
            return data[: type.size].partition(b"\0")[0].decode("utf-8", "replace")
        size = type.element.size
        return [_decoded(type.element, data[nth * size :][:size]) for nth in range(type.count)]
    if type.kind is Kind.FLOAT and type.size in _FLOATS:
        return float(struct.unpack(_FLOATS[type.size], data[: type.size])[0])
    return _scalar(type, int.from_bytes(data[: type.size], "little", signed=_is_signed(type)))


def _scalar(type: DataType, number: int) -> Value:
    if type.kind is Kind.ENUM:
        return type.names.get(number, number)
    return bool(number) if type.kind is Kind.BOOL else number


def _is_signed(type: DataType) -> bool:
    return type.kind is Kind.SIGNED or (type.kind is Kind.ENUM and min(type.names, default=0) < 0)


def _member(member: Member, data: bytes) -> Value:
    if not member.bits:
        return _decoded(member.type, data[member.offset :][: member.type.size])
    word = int.from_bytes(data[member.offset :][:8], "little") >> member.first_bit & (1 << member.bits) - 1
    if _is_signed(member.type) and word >> member.bits - 1:
        word -= 1 << member.bits
    return _scalar(member.type, word)


def _encoded(type: DataType, value: Value, before: bytes, where: str) -> bytes:
    if type.kind is Kind.STRUCTURE:
        return _structure(type, value, before, where)
    if type.kind is Kind.ARRAY and type.element is not None:
        return _array(type, type.element, value, before, where)
    if type.kind is Kind.FLOAT and type.size in _FLOATS and isinstance(value, (int, float)):
        return struct.pack(_FLOATS[type.size], value)
    try:
        return _number(type, value, where).to_bytes(type.size, "little", signed=_is_signed(type))
    except OverflowError:
        raise HarnessError(f"{where}: {value!r} does not fit into {type.name} ({type.size} B)") from None


def _structure(type: DataType, value: Value, before: bytes, where: str) -> bytes:
    if not isinstance(value, dict):
        raise HarnessError(f"{where}: expected a dict of members, got {value!r}")
    data = bytearray(before[: type.size])
    members = {member.name: member for member in type.members}
    for name, part in value.items():
        if name not in members:
            raise HarnessError(f"{where} has no member {name!r}", hint=did_you_mean(name, tuple(members)))
        member, place = members[name], f"{where}.{name}"
        if member.bits:
            _put_bits(data, member, _number(member.type, part, place), place)
        else:
            old = bytes(data[member.offset :][: member.type.size])
            data[member.offset : member.offset + member.type.size] = _encoded(member.type, part, old, place)
    return bytes(data)


def _put_bits(data: bytearray, member: Member, number: int, where: str) -> None:
    low = -(1 << member.bits - 1) if _is_signed(member.type) else 0
    if not low <= number < low + (1 << member.bits):
        raise HarnessError(f"{where}: {number} does not fit into {member.bits} bits")
    size = min(8, len(data) - member.offset)
    mask = (1 << member.bits) - 1 << member.first_bit
    word = int.from_bytes(data[member.offset :][:size], "little") & ~mask | number << member.first_bit & mask
    data[member.offset : member.offset + size] = word.to_bytes(size, "little")


def _array(type: DataType, element: DataType, value: Value, before: bytes, where: str) -> bytes:
    if element.kind is Kind.CHARACTER and isinstance(value, (str, bytes)):
        data = value.encode() if isinstance(value, str) else value
        if len(data) > type.size:
            raise HarnessError(f"{where}: {value!r} has {len(data)} B, and {type.name} has room for {type.size}")
        return data.ljust(type.size, b"\0")
    if not isinstance(value, (list, tuple)) or len(value) != type.count:
        raise HarnessError(f"{where}: expected a list of {type.count}, got {value!r}")
    size = element.size
    return b"".join(
        _encoded(element, one, before[nth * size :][:size], f"{where}[{nth}]") for nth, one in enumerate(value)
    )


def _number(type: DataType, value: Value, where: str) -> int:
    if isinstance(value, int):
        return int(value)
    if type.kind is Kind.ENUM and isinstance(value, str):
        for number, name in type.names.items():
            if name == value:
                return number
        raise HarnessError(
            f"{where} has no {value!r}" if where == type.name else f"{where}: {type.name} has no {value!r}",
            hint=did_you_mean(value, tuple(type.names.values())),
        )
    if type.kind is Kind.CHARACTER and isinstance(value, str) and len(value.encode()) == 1:
        return value.encode()[0]
    raise HarnessError(f"{where}: expected {type.name}, got {value!r}")
