"""Spoilt bytes, text and JSON, decided by a `random.Random` alone."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

# Ends of ranges, and one beyond.
_WORDS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFE)
_NUMBERS = ("-1", "0", "1e999", "nan", "inf", "-inf", "1e30", "1e-30", "9223372036854775808", "1" + "0" * 400, "0x1_0000_0000",
            "true", "'x'", "[]", "{}", "4294967295", "2147483648", "1_000_000_000_000")  # fmt: skip
TEXTS = ("", "\x00", "\x1b[2J", "a\nb", "../../x", "/dev/zero", "%s%n", "<script>", "::error::x", "é" * 300, "\u202e", "|", "`",
         "x" * 100_000, "1e30 s", "-1 B", "inf", "nan %", "10000000000 GiB", "{board}", "/", ".", "=1")  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    0.5,
    1e308,
    1 << 62,
    1 << 63,
    10**30,
    "",
    "\x1b[2J",
    "\ud800",
    "x" * 10_000,
    [],
    {},
    [[]],
)
_RAW = ("NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 5000, '"\\ud800"', "[" * 100_000, "null", "-0", "{}")


def spoil_bytes(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to eight changes: bits, words at the ends of ranges, pieces left out, doubled or moved, an early end."""
    made = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        if not made:
            break
        at = chance.randrange(len(made))
        size = chance.choice((1, 2, 4, 8, 64))
        match chance.randrange(8):
            case 0:
                made[at] ^= 1 << chance.randrange(8)
            case 1:
                made[at] = chance.randrange(256)
            case 2 | 3:
                at &= ~3
                made[at : at + 4] = chance.choice(_WORDS).to_bytes(4, "little")
            case 4:
                at &= ~1
                made[at : at + 2] = (chance.choice(_WORDS) & 0xFFFF).to_bytes(2, "little")
            case 5:
                del made[at : at + size]
            case 6:
                other = chance.randrange(len(made))
                made[at : at + size] = made[other : other + size]
            case 7:
                del made[at if chance.random() < 0.3 else len(made) :]
    return bytes(made)


def spoil_text(text: str, chance: random.Random) -> bytes:
    """Lines of `text` left out, doubled or cut, and its numbers and strings replaced by others."""
    lines = text.splitlines()
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if not lines:
            break
        nth = chance.randrange(len(lines))
        match chance.randrange(7):
            case 0:
                del lines[nth]
            case 1:
                lines.insert(nth, lines[chance.randrange(len(lines))])
            case 2:
                lines[nth] = lines[nth][: chance.randrange(len(lines[nth]) + 1)]
            case 3 | 4:
                lines[nth] = _replaced(lines[nth], r"-?\b\d[\w.]*", chance.choice(_NUMBERS), chance)
            case 5:
                written = json.dumps(chance.choice(TEXTS), ensure_ascii=chance.random() < 0.5)
                lines[nth] = _replaced(lines[nth], r'"[^"]*"', written, chance)
            case 6:
                lines[nth] = _replaced(
                    lines[nth], r"[\w]+", chance.choice(("x", "a.b", '"q r"', "model", "name")), chance
                )
    made = "\n".join(lines) + "\n"
    made = made.replace("\\u202e", "\u202e")
    return spoil_bytes(made.encode(), chance) if chance.random() < 0.1 else made.encode("utf-8", "surrogatepass")


def spoil_json(text: str, chance: random.Random) -> bytes:
    """A value somewhere in a document replaced, left out, doubled or moved; or its bytes spoilt."""
    if chance.random() < 0.15:
        return spoil_bytes(text.encode(), chance)
    plain = json.loads(text)
    mark = None
    for _ in range(chance.choice((1, 1, 2))):
        holder, key = _place(plain, chance)
        if holder is None:
            continue
        match chance.randrange(5):
            case 0 | 1:
                holder[key] = copy.deepcopy(chance.choice(_VALUES))
            case 2:
                holder[key] = mark = "@@mark@@"
            case 3:
                del holder[key]
            case 4:
                other, name = _place(plain, chance)
                if other is not None:
                    holder[key] = copy.deepcopy(other[name])
    made = json.dumps(plain, indent=1)
    if mark:
        made = made.replace(f'"{mark}"', chance.choice(_RAW), 1)
    return made.encode("utf-8", "surrogatepass")


def _place(plain: Any, chance: random.Random) -> tuple[Any, Any]:
    """A container in `plain` and a key of it; None for none. Every depth is as likely as any other."""
    holder, key, found = None, None, []
    while isinstance(plain, (dict, list)) and plain:
        holder, key = plain, chance.choice(list(plain) if isinstance(plain, dict) else range(len(plain)))
        found.append((holder, key))
        plain = holder[key]
    return chance.choice(found) if found else (None, None)


def _replaced(line: str, pattern: str, by: str, chance: random.Random) -> str:
    places = list(re.finditer(pattern, line))
    if not places:
        return line
    place = chance.choice(places)
    return line[: place.start()] + by + line[place.end() :]
