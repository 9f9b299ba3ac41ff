"""What the commands that run something have in common: the exit status, options from the table, where output goes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from mcu_harness.app.options import options_of
from mcu_harness.base.errors import HarnessError, ScenarioError
from mcu_harness.base.files import check_file, kept_in, write_text
from mcu_harness.base.text import one_line

PASS, FAIL, ERROR = 0, 1, 2
STANDARD_OUTPUT = "-"


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


def check_places(files: Iterable[Path | str | None]) -> None:
    """Raise HarnessError for the first of `files` that cannot be written, before there is anything to write.

    None and "" are outputs that nobody asked for, "-" is standard output.
    """
    for file in files:
        if file and str(file) != STANDARD_OUTPUT:
            check_file(Path(file))


def tell_errors(errors: Iterable[HarnessError]) -> bool:
    """Print what went wrong with outputs; whether anything did."""
    told = [print(f"mcu-harness: error: {error}", file=sys.stderr) for error in errors]
    return bool(told)


def write_outputs(
    text: str,
    json: tuple[str | None, Callable[[], str]],
    files: Iterable[tuple[Path | None, Callable[[Path], Iterable[Path] | None]]],
) -> bool:
    """Print `text` for people and write JSON and `files`, each to its place, where it has one; whether all could be written.

    A file's function writes to the place that it is given, and returns what it wrote where that is something else. What goes wrong
    with one keeps no other from being written, and is told at the end.
    """
    place, errors = json[0] or "", list[HarnessError]()
    if place:
        with kept_in(errors):
            write_json(json[1](), place)
    with text_out_of_the_way(place):
        print(text, end="" if text.endswith("\n") else "\n")
        for file, write in files:
            if file is not None:
                with kept_in(errors):
                    for written in write(file) or (file,):
                        print(one_line(f"wrote {written}"))
    return not tell_errors(errors)


def write_json(text: str, where: str) -> None:
    """Write to the file `where`, or to standard output for "-"; call it outside of `text_out_of_the_way`."""
    if where == STANDARD_OUTPUT:
        sys.stdout.write(text)
    else:
        write_text(Path(where), text)
