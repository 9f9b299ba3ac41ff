"""The command `boards`: which there are, and what one of them is like."""

from __future__ import annotations

import argparse
import sys

from mcu_harness.app.cli.commands.shared import PASS, Commands


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("boards", help="list the boards, or describe some")
    parser.add_argument("names", nargs="*", metavar="BOARD", help="describe these, by name or as a .toml")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(command=_boards)


def _boards(arguments: argparse.Namespace) -> int:
    from mcu_harness.app import boards_table
    from mcu_harness.hardware.board_file import board_names, find_board

    boards = [find_board(name) for name in arguments.names or board_names()]
    if arguments.json:
        sys.stdout.write(boards_table.boards_json(boards))
    elif arguments.names:
        print("\n\n".join(map(boards_table.board_text, boards)))
    else:
        print(boards_table.boards_table(boards))
    return PASS
