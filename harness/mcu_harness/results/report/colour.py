"""Colour in a terminal, where there is one that has it."""

from __future__ import annotations

import os
from enum import IntEnum
from typing import TextIO


class Colour(IntEnum):
    """Foreground colours, as ECMA-48's SGR numbers them."""

    RED = 31
    GREEN = 32
    YELLOW = 33


def paint(text: str, colour: Colour, wanted: bool = True) -> str:
    """`text` in that colour, as it is where colour is not `wanted`."""
    return f"\x1b[{colour}m{text}\x1b[0m" if wanted and text else text


def has_colour(stream: TextIO) -> bool:
    """Whether `stream` is a terminal that shows colour, and nobody objects (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
