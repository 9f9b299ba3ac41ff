"""Text that comes from files or goes to people: made printable, checked, shortened."""

from __future__ import annotations

from pathlib import Path


def is_plain_name(name: str) -> bool:
    """Whether `name` can be part of a file name and of a table as it is: letters, digits, "_", "-", "+" and "."."""
    return bool(name) and name[0] != "." and all(c.isalnum() or c in "_-.+" for c in name)


def one_line(text: str) -> str:
    """`text` with whatever is no printable character (control characters, halves of characters) as "?".

    For names that come from files: they must not move a terminal's cursor, break a table, or fail to be encoded.
    """
    return "".join(c if c.isprintable() else "?" for c in text)


def shown(path: Path) -> str:
    """`path` for people and reports: from the working directory where it lies below it, with forward slashes."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.as_posix()
