"""[operators.NAME] of a scenario: C of the user's own for a custom operator of the model."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from mcu_harness.base import toml_reader
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.files import read_bounded, why_no_file

MAX_SOURCE_BYTES = 1 << 22
MAX_SCRATCH_BYTES = 1 << 24  # larger than any Cortex-M's RAM
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
_TAKEN = ("mcu_", "main")  # the firmware's own names begin so


@dataclass(frozen=True, slots=True)
class CustomOperator:
    """`name` is the custom code in the model file. `function` of the C file `source` computes it, as firmware/include/mcu_custom.h
    says, with `scratch_bytes` of working memory. `text` is what the file holds."""

    name: str
    source: Path
    function: str
    scratch_bytes: int = 0
    text: str = field(default="", repr=False)


def read_operators(top: toml_reader.Table, directory: Path) -> tuple[CustomOperator, ...]:
    """Every [operators.NAME]; raises ScenarioError with file, line and key."""
    tables = top.table("operators")
    if tables is None:
        return ()
    found = tuple(_operator(tables.needed_table(name), name, directory) for name in tables.names())
    tables.done()
    return found


def _operator(table: toml_reader.Table, name: str, directory: Path) -> CustomOperator:
    path = directory / table.text("source")
    if problem := why_no_file(path):
        raise table.fail("source", f"{problem}: {path}", hint="paths are relative to the scenario file")
    if path.suffix != ".c":
        raise table.fail("source", f"{path.name} is no C file", hint="give one .c file, which may include mcu_custom.h")
    try:
        text = read_bounded(path, MAX_SOURCE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError, HarnessError) as error:
        raise table.fail("source", f"{path.name} cannot be read as text: {error}") from error
    key = "function" if "function" in table else "source"
    function = table.text("function", name)
    if not _IDENTIFIER.match(function) or function.startswith(_TAKEN):
        raise table.fail(
            key if key == "function" else "", f"{function!r} is no name that a C function of yours can have",
            hint='say `function = "..."`: letters, digits and _, not main, and not beginning with mcu_',
        )  # fmt: skip
    if not re.search(rf"\b{function}\s*\(", text):
        raise table.fail(key, f"{path.name} has no function {function}", hint='say which it is: `function = "..."`')
    scratch = table.whole_quantity("scratch", "bytes", 0)
    if scratch > MAX_SCRATCH_BYTES:
        raise table.fail("scratch", f"{scratch} bytes are more than any Cortex-M has (limit {MAX_SCRATCH_BYTES})")
    table.done()
    return CustomOperator(name, path, function, scratch, text)
