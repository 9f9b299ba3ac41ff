"""The console of a live board and its other UARTs: all that was said on them, and when, and what a test waits for."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from dataclasses import dataclass

from mcu_harness.base.text import one_line

_MOST_PATTERN_BYTES = 1 << 12  # how much of the latest output a pattern is looked for in, at each byte
# What makes a pattern match more when more text comes: an open end, a choice, or anything up to an end that may come again.
_CAN_GROW = re.compile(r"(?<!\\)(?:[*+?}]\)*\Z|\||\.[*+](?!\)*(?:\\n|\n)\)*\Z))")
_MOST_LINE_BYTES = 1 << 10  # of a line of the transcript: what is longer goes on in the next
_ENCODING = ("utf-8", "surrogateescape")  # text and bytes are told from each other without loss


Data = builtins.bytes  # the class below has a property of that name


@dataclass(frozen=True, slots=True)
class Said:
    """`data` went to the firmware (`sent`) or came from it; `at` is when, in cycles."""

    at: int
    sent: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Position:
    """How much was said at some time: bytes heard, those of them that were matched, and the transcript."""

    heard: int
    taken: int
    said: tuple[Said, ...]


class Pattern:
    """What `expect` was given: text or bytes, as a regular expression."""

    def __init__(self, pattern: str | bytes | re.Pattern[str] | re.Pattern[bytes]) -> None:
        compiled = re.compile(pattern)
        self.source = compiled.pattern
        self._text: re.Pattern[str] | None = compiled if isinstance(compiled.pattern, str) else None
        self._bytes: re.Pattern[bytes] | None = compiled if isinstance(compiled.pattern, bytes) else None
        source = self.source if isinstance(self.source, str) else self.source.decode("latin-1")
        self.can_grow = bool(_CAN_GROW.search(source))

    def search(self, data: bytes) -> tuple[re.Match[str] | re.Match[bytes], int] | None:
        """The match in `data`, and how many of its bytes lie before the match's end."""
        if self._bytes is not None:
            found = self._bytes.search(data)
            return (found, found.end()) if found else None
        assert self._text is not None
        text = data.decode(*_ENCODING)
        match = self._text.search(text)
        return (match, len(text[: match.end()].encode(*_ENCODING))) if match else None


class Console:
    """Everything said so far. What `expect` has matched is not looked at again."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self._heard = bytearray()
        self._taken = 0
        self._wanted: Pattern | None = None
        self._any = False

    @property
    def bytes(self) -> Data:
        """All that the firmware wrote."""
        return Data(self._heard)

    @property
    def text(self) -> str:
        """The same as text; bytes that are no UTF-8 are "\\ufffd"."""
        return self._heard.decode("utf-8", "replace")

    @property
    def pending(self) -> Data:
        """What came since the last match."""
        return Data(self._heard[self._taken :])

    def heard(self, data: Data, now: int) -> bool:
        """The firmware wrote `data`; returns whether somebody waits for just that."""
        self._note(Said(now, False, data))
        self._heard += data
        if self._any:
            return True
        if self._wanted is None:
            return False
        latest = self._heard[max(self._taken, len(self._heard) - _MOST_PATTERN_BYTES) :]
        return self._wanted.search(Data(latest)) is not None

    def sent(self, data: Data, now: int) -> None:
        self._note(Said(now, True, data))

    def want(self, pattern: Pattern | None, any_byte: bool = False) -> None:
        """From now on wait for `pattern`, or for any byte; None for nothing."""
        self._wanted, self._any = pattern, any_byte

    def match(self, pattern: Pattern) -> tuple[re.Match[str] | re.Match[Data], bool] | None:
        """The match of `pattern` in what is pending, and whether more text could make it longer."""
        pending = self.pending
        found = pattern.search(pending)
        return (found[0], pattern.can_grow and found[1] == len(pending)) if found else None

    def take(self, pattern: Pattern) -> None:
        """What is matched is done with."""
        found = pattern.search(self.pending)
        self._taken += found[1] if found else 0

    def rewind(self, position: Position) -> None:
        """Forget what was said after `position`."""
        del self._heard[position.heard :]
        self._taken = position.taken
        self.said = list(position.said)

    @property
    def position(self) -> Position:
        """How much was said so far."""
        return Position(len(self._heard), self._taken, tuple(self.said))

    def _note(self, said: Said) -> None:
        last = self.said[-1] if self.said else None
        is_open = last is not None and not last.data.endswith(b"\n") and len(last.data) < _MOST_LINE_BYTES
        if last is not None and is_open and last.sent == said.sent:
            self.said[-1] = Said(last.at, last.sent, last.data + said.data)
        else:
            self.said.append(said)


class Consoles:
    """The console of a board, called "" here and `name` by the chip's maker, and its other UARTs, by their names."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._consoles: dict[str, Console] = {"": Console()}

    def __getitem__(self, uart: str) -> Console:
        return self._consoles.setdefault(uart, Console())

    @property
    def position(self) -> dict[str, Position]:
        """How much was said so far on each."""
        return {uart: console.position for uart, console in self._consoles.items()}

    def rewind(self, positions: Mapping[str, Position]) -> None:
        """Forget what was said after that."""
        for uart, console in self._consoles.items():
            console.rewind(positions.get(uart, Position(0, 0, ())))

    def said_since(self, time: int) -> list[tuple[str, Said]]:
        """What was said from `time` on, in cycles, with the UART's name; "" where only the console was used."""
        heard = {uart: console.said for uart, console in self._consoles.items() if console.said}
        alone = not any(heard)
        said = [("" if alone else uart or self._name, one) for uart, all_said in heard.items() for one in all_said]
        return sorted((one for one in said if one[1].at >= time), key=lambda one: one[1].at)

    def transcript(self, clock_hz: int, most: int = 200) -> list[str]:
        """Lines "   1.250 ms  > text" (sent) and "< text", each with the time of its first byte.

        Where others than the console were used, each line says of which UART it is.
        """
        said = _without_late_line_ends(self.said_since(0))
        lines = []
        for uart, one in said[-most:]:
            text = one_line(one.data.decode("utf-8", "backslashreplace").rstrip("\r\n"))
            of = f"{uart} " if uart else ""
            lines.append(f"{one.at / clock_hz * 1e3:12.3f} ms  {of}{'>' if one.sent else '<'} {text}")
        left_out = len(said) - most
        return [f"({left_out} lines before)", *lines] if left_out > 0 else lines


def _without_late_line_ends(said: list[tuple[str, Said]]) -> list[tuple[str, Said]]:
    """`said` without the end of a line of the firmware that something was sent in: it is not a line of its own."""
    found: list[tuple[str, Said]] = []
    is_open: set[str] = set()
    for uart, one in said:
        data = one.data
        if not one.sent:
            if uart in is_open:
                data = data.removeprefix(b"\r").removeprefix(b"\n")
            (is_open.discard if one.data.endswith(b"\n") else is_open.add)(uart)
        if data:
            found.append((uart, Said(one.at, one.sent, data)))
    return found
