"""What the commands that run something have in common: the exit status, options from the table, where output goes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from mcu_harness.app.options import options_of
from mcu_harness.base.errors import ScenarioError

PASS, FAIL, ERROR = 0, 1, 2
STANDARD_OUTPUT = "-"
Commands = argparse._SubParsersAction  # what `add_subparsers` returns has no public name


def add_options(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options that `command` has according to the table."""
    for option in options_of(command):
        flags = [*([option.short] if option.short else []), option.command_flag]
        parser.add_argument(*flags, **option.command_arguments)
        if option.name == "board":  # as `fit` had it once
            parser.add_argument("--boards", dest="board", action="append", help=argparse.SUPPRESS)


def needed_boards(boards: tuple[str, ...], what: Path) -> tuple[str, ...]:
    """`boards`; raises ScenarioError where none was given."""
    if not boards:
        raise ScenarioError(
            f"{what}: which board?", hint="add --board NAME (repeatable); `mcu-harness boards` lists them"
        )
    return boards


@contextmanager
def text_out_of_the_way(json: str) -> Iterator[None]:
    """While JSON has the standard output, text for people goes to standard error."""
    if json != STANDARD_OUTPUT:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def write_json(text: str, where: str) -> None:
    """Write to the file `where`, or to standard output for "-"; call it outside of `text_out_of_the_way`."""
    from mcu_harness.base.files import write_text

    if where == STANDARD_OUTPUT:
        sys.stdout.write(text)
    else:
        write_text(Path(where), text)
