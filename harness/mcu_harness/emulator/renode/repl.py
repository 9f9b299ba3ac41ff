"""Reading Renode's platform descriptions (.repl): only what must be known to lay a board's own data over them.

Grammar: renode.readthedocs.io, "Describing platforms". An entry starts in the first column
(`name: Type @ place`), its attributes are indented below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_ENTRY = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*:\s*(?P<type>[A-Za-z_][\w.]*)?")
_USING = re.compile(r'using\s+"(?P<path>[^"]+)"')
_NUMBER = r"0[xX][0-9A-Fa-f]+|\d+"
_PLACE = re.compile(rf"\bsysbus\s+(?:new\s+Bus\.BusMultiRegistration\s*\{{\s*address:|<)?\s*({_NUMBER})")
_SIZE = re.compile(rf"^\s+size\s*:\s*({_NUMBER})", re.MULTILINE)
_RANGE_SIZE = re.compile(rf"\bsysbus\s+<\s*(?:{_NUMBER})\s*,\s*\+\s*({_NUMBER})")
_INIT = re.compile(r"^(?P<indent>\s+)init(?P<add>\s+add)?\s*:\s*$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `type` is "" where it adds to an earlier one. `text` is all of it, without comments."""

    name: str
    type: str
    text: str

    @property
    def places(self) -> tuple[int, ...]:
        """Where on the system bus it is registered."""
        return tuple(int(found, 0) for found in _PLACE.findall(self.text))

    @property
    def size(self) -> int:
        """Its `size`, 0 where it has none."""
        found = _SIZE.search(self.text) or _RANGE_SIZE.search(self.text)
        return int(found[1], 0) if found else 0

    @property
    def init(self) -> tuple[str, ...]:
        """The monitor commands of its `init:` block."""
        commands: list[str] = []
        depth = -1
        for line in self.text.splitlines():
            indent = len(line) - len(line.lstrip())
            if started := _INIT.match(line):
                depth = len(started["indent"])
            elif depth >= 0 and line.strip():
                if indent <= depth:
                    depth = -1
                else:
                    commands.append(line.strip())
        return tuple(commands)


def read_entries(path: Path, root: Path) -> list[Entry]:
    """All entries of the description at `path` and of what it uses, in order; `root` is Renode's directory."""
    entries: list[Entry] = []
    for chunk in _chunks(_without_comments(path.read_text("utf-8-sig"))):
        using = _USING.match(chunk)
        if using:
            entries += read_entries(_resolve(using["path"], path, root), root)
            continue
        found = _ENTRY.match(chunk)
        if found:
            entries.append(Entry(found["name"], found["type"] or "", chunk))
    return entries


def _without_comments(text: str) -> str:
    return _COMMENT.sub(lambda found: found[0] if found[0].startswith('"') else "", text.replace("\r\n", "\n"))


def _chunks(text: str) -> Iterator[str]:
    """The text cut before every line that starts in the first column with a word."""
    chunk: list[str] = []
    for line in text.splitlines():
        if chunk and re.match(r"[A-Za-z_]", line):
            yield "\n".join(chunk)
            chunk = []
        chunk.append(line)
    if chunk:
        yield "\n".join(chunk)


def _resolve(used: str, by: Path, root: Path) -> Path:
    """As Renode does: "./" and "../" from the file that uses it, anything else from Renode's directory."""
    return (by.parent if used.startswith((".", "..")) else root) / used


def quoted(text: str) -> str:
    """`text` as a string of the description language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
