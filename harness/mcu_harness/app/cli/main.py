"""The command line: arguments -> one object -> library calls. Exit status 0 pass, 1 fail, 2 usage or set-up error."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mcu_harness import __version__
from mcu_harness.app.cli.streams import patient_streams
from mcu_harness.base.errors import HarnessError

ERROR = 2


class _Row(NamedTuple):
    """A command: its name, what `--help` says of it, and who fills its parser, as module in `commands` and function."""

    name: str
    about: str
    module: str
    function: str = "add"

    def fill(self, parser: argparse.ArgumentParser) -> None:
        module = importlib.import_module(f"mcu_harness.app.cli.commands.{self.module}")
        getattr(module, self.function)(parser)


# In the order in which `--help` lists them. A command's module is imported when its parser is needed, so that `--help`, a wrong
# word and every other command cost nothing of it.
_COMMANDS = (
    _Row("run", "build a model for boards, run it, judge it", "run"),
    _Row("fit", "try a model on many boards; say which is the smallest that will do", "fit"),
    _Row("variants", "compare variants of a model: what each costs and loses, and which are worth having", "variants"),
    _Row("versus", "your own firmware for a model beside what is generated here, on one board", "versus"),
    _Row("search", "find the largest net that fits a board", "search"),
    _Row("shrink", "make a model smaller without training", "shrink"),
    _Row("build", "write firmware for a model: C sources, ELF and HEX", "build"),
    _Row("convert", "make an int8 .tflite of a float model, and say what was changed", "convert"),
    _Row("footprint", "flash and RAM of an ELF by region, symbol and source file; nothing is run", "footprint"),
    _Row("profile", "run any firmware (.elf, .hex, .bin) on boards and say what it costs", "profile"),
    _Row("report", "show a results.json again, or as another format", "results", "add_report"),
    _Row("compare", "what moved between two results, and why", "results", "add_compare"),
    _Row("merge", "results of parts of a session as one file", "results", "add_merge"),
    _Row("history", "figures over time: results files, or the git history of baselines", "results", "add_history"),
    _Row("boards", "list the boards, or describe some", "boards"),
    _Row("doctor", "what is installed, what is missing, how to get it", "doctor"),
    _Row("validate-cycles", "hold the cycle models against published cycles on silicon", "validate"),
    _Row("renode", "get Renode, the emulator of whole boards", "renode"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mcu-harness`."""
    try:
        with patient_streams():
            return _command(argv)
    except OSError as error:  # a place that went away while it was used
        if sys.stderr is not None:
            print(f"mcu-harness: error: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return ERROR


def _command(argv: Sequence[str] | None) -> int:
    arguments = command_parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except HarnessError as error:
        print(f"mcu-harness: error: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("mcu-harness: interrupted", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """A parser that `row` fills when it is first used, and that reports what it does not know with its own usage, not with that of
    the whole."""

    def __init__(self, *args: Any, row: _Row | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._row = row

    def fill(self) -> None:
        """Add the arguments of the command, the first time."""
        if self._row is not None:
            row, self._row = self._row, None
            row.fill(self)

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        self.fill()
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


def command_parser(*, filled: bool = False) -> argparse.ArgumentParser:
    """The parser of `mcu-harness`; with `filled`, for whoever looks at all commands, those of the commands are filled at once."""
    parser = _Parser(
        prog="mcu-harness",
        description="Know before you flash: int8 neural networks on emulated Arm Cortex-M boards.",
    )
    parser.add_argument("--version", action="version", version=f"mcu-harness {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for row in _COMMANDS:
        command = commands.add_parser(row.name, help=row.about, row=row)
        if filled:
            command.fill()
    return parser


if __name__ == "__main__":
    sys.exit(main())
