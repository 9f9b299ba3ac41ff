"""Reads the custom options of an operator: a FlexBuffer (https://flatbuffers.dev/flexbuffers/) that is a map of numbers.

The bytes are untrusted: what is not such a map raises Damaged.
"""

from __future__ import annotations

import struct

from mcu_harness.model.flatbuffer import Damaged

_INT, _UINT, _FLOAT, _INDIRECT_INT, _INDIRECT_UINT, _INDIRECT_FLOAT, _MAP, _BOOL = 1, 2, 3, 6, 7, 8, 9, 26
_KIND = {
    _INT: "bhiq",
    _UINT: "BHIQ",
    _BOOL: "BHIQ",
    _FLOAT: " efd",
    _INDIRECT_INT: "bhiq",
    _INDIRECT_UINT: "BHIQ",
    _INDIRECT_FLOAT: " efd",
}
_MOST_ENTRIES = 256


def numbers_of(content: bytes) -> dict[str, float]:
    """The numbers of the map in `content` by name; what else it holds is left out. Raises Damaged."""
    try:
        return _map(content)
    except (struct.error, ValueError, IndexError) as error:
        raise Damaged(f"the custom options are no FlexBuffer map: {error}") from error


def _map(content: bytes) -> dict[str, float]:
    if len(content) < 3:
        raise Damaged("there are no custom options")
    width, packed = content[-1], content[-2]
    if packed >> 2 != _MAP or width not in (1, 2, 4, 8):
        raise Damaged("the custom options are no FlexBuffer map")
    place = len(content) - 2 - width
    values = place - _unsigned(content, place, width)
    step = 1 << (packed & 3)
    count = _unsigned(content, values - step, step)
    if count > _MOST_ENTRIES:
        raise Damaged(f"the custom options have {count} entries")
    keys = values - 3 * step - _unsigned(content, values - 3 * step, step)
    key_step = _unsigned(content, values - 2 * step, step)
    if key_step not in (1, 2, 4, 8):
        raise Damaged("the custom options have keys of no width")
    found = {}
    for number in range(count):
        place = keys + number * key_step
        start = place - _unsigned(content, place, key_step)
        if start < 0:
            raise Damaged("a key of the custom options lies outside of them")
        name = content[start : content.index(b"\0", start)].decode("utf-8", "replace")
        kind = content[values + count * step + number]
        if kind >> 2 in _KIND:
            found[name] = _number(content, values + number * step, step, kind)
    return found


def _number(content: bytes, place: int, step: int, packed: int) -> float:
    kind, width = packed >> 2, step
    if kind in (_INDIRECT_INT, _INDIRECT_UINT, _INDIRECT_FLOAT):
        place, width = place - _unsigned(content, place, step), 1 << (packed & 3)
    code = _KIND[kind][width.bit_length() - 1]
    return float(struct.unpack_from(f"<{code}", content, _inside(place))[0])


def _unsigned(content: bytes, place: int, width: int) -> int:
    return int(struct.unpack_from("<" + "BHIQ"[width.bit_length() - 1], content, _inside(place))[0])


def _inside(place: int) -> int:
    if place < 0:
        raise Damaged("the custom options point outside of themselves")
    return place
