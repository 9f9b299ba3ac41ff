"""The command `doctor`: what is installed, what is missing, how to get it."""

from __future__ import annotations

import argparse

from mcu_harness.app.cli.commands.shared import ERROR, PASS
from mcu_harness.base.text import for_terminal


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.set_defaults(command=_doctor)


def _doctor(_: argparse.Namespace) -> int:
    from mcu_harness.app.doctor import examine

    lines, usable = examine()
    print(*map(for_terminal, lines), sep="\n")
    return PASS if usable else ERROR
