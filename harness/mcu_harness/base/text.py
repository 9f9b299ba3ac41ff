"""Text that comes from files or goes to people: made printable, checked, shortened; and one function for each place it goes to.

Names of models, symbols, regions, keys and paths, and what compilers and firmware say, are text of others: nothing of it may
move a terminal's cursor, end a table's cell, be markup, or be taken for a command by what reads it.
"""

from __future__ import annotations

import re
from pathlib import Path

# What CI services take for commands in the output of a job: GitHub and Azure at the start of a line ("::error::", "##[error]",
# "##vso[task...]"), TeamCity anywhere ("##teamcity[...]").
_LINE_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_COMMAND = re.compile(r"##(?=\w*\[)")
# XML 1.0 knows no way to write these.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the latter as wide as an ideograph


def is_plain_name(name: str) -> bool:
    """Whether `name` can be part of a file name and of a table as it is: letters, digits, "_", "-", "+" and "."."""
    return bool(name) and name[0] != "." and all(c.isalnum() or c in "_-.+" for c in name)


def counted(number: int, noun: str) -> str:
    """ "1 run", "2 runs": for nouns whose plural ends in "s"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def one_line(text: str) -> str:
    """`text` with whatever is no printable character (control characters, marks of direction, halves of characters) as "?".

    For names that come from files: they must not move a terminal's cursor, break a table, or fail to be encoded.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def printable(text: str) -> str:
    """As `one_line`, with line ends and tabs as they are."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def for_terminal(text: str) -> str:
    """`text`, of any number of lines, for a terminal or the output of a CI job: it moves no cursor and commands no service."""
    return without_commands(printable(text))


def without_commands(text: str) -> str:
    """`text` with a "?" in the place of a character of what a CI service takes for a command in the output of a job."""
    return _COMMAND.sub("#?", _LINE_COMMAND.sub(r"\1?", text))


def for_markdown(text: str) -> str:
    """`text` as Markdown shows it verbatim, in a table's cell too: no markup, no HTML."""
    shown = re.sub(r"([\\`*_{}\[\]<>|#~])", r"\\\1", one_line(text.replace("\n", " ")))
    return shown.replace("&", "&amp;")


def for_markdown_code(text: str) -> str:
    """A name as inline code of Markdown, in a table's cell too."""
    return "`" + one_line(text.replace("\n", " ")).replace("`", "'").replace("|", "¦") + "`"


def for_csv(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, whatever a model or symbol is called."""
    shown = one_line(text)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def for_command_message(text: str) -> str:
    """The message of a workflow command of GitHub, which is one line with its line ends as %0D and %0A."""
    return "%0D".join(printable(part).replace("%", "%25").replace("\n", "%0A") for part in text.split("\r"))


def for_command_property(text: str) -> str:
    """A property of a workflow command of GitHub (`title=...`)."""
    return for_command_message(text).replace(":", "%3A").replace(",", "%2C")


def for_xml(text: str) -> str:
    """`text` with what XML cannot hold as U+FFFD; markup is escaped by who writes the XML."""
    return _NOT_IN_XML.sub("\ufffd", text)


def for_openmetrics(text: str) -> str:
    """The value of a label, or a help text, of OpenMetrics."""
    return printable(text).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def shown(path: Path) -> str:
    """`path` for people and reports: from the working directory where it lies below it, with forward slashes."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (ValueError, OSError):
        return path.as_posix()
