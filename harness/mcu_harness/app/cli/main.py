"""The command line: arguments -> one object -> library calls. Exit status 0 pass, 1 fail, 2 usage or set-up error."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mcu_harness import __version__
from mcu_harness.app.cli.commands import (
    boards,
    build,
    convert,
    doctor,
    fit,
    footprint,
    profile,
    renode,
    results,
    run,
    search,
    shrink,
    validate,
    variants,
)
from mcu_harness.app.cli.commands.shared import ERROR, Commands
from mcu_harness.app.cli.streams import patient_streams
from mcu_harness.base.errors import HarnessError

# In the order in which `--help` lists them.
_COMMANDS: tuple[Callable[[Commands[argparse.ArgumentParser]], None], ...] = (
    run.add,
    fit.add,
    variants.add,
    search.add,
    shrink.add,
    build.add,
    convert.add,
    footprint.add,
    profile.add,
    results.add,
    boards.add,
    doctor.add,
    validate.add,
    renode.add,
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
    arguments = _parser().parse_args(argv)
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
    """A parser whose commands report what they do not know with their own usage, not with that of the whole."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        found, unknown = super().parse_known_args(args, namespace)
        if unknown and self._subparsers is None:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mcu-harness",
        description="Know before you flash: int8 neural networks on emulated Arm Cortex-M boards.",
    )
    parser.add_argument("--version", action="version", version=f"mcu-harness {__version__}")
    commands: Commands[Any] = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in _COMMANDS:
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
