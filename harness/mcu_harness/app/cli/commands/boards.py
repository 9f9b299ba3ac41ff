"""The command `boards`: which there are, and what one of them is like."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mcu_harness.app.cli.commands.shared import PASS, check_places
from mcu_harness.base.text import one_line


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.add_argument("names", nargs="*", metavar="BOARD", help="describe these, by name or as a .toml")
    parser.add_argument("--json", action="store_true", help="as JSON")
    new = parser.add_argument_group("a board of your own")
    new.add_argument("--new", metavar="NAME", help="write NAME.toml, a board file with comments, to fill in")
    new.add_argument("--core", default="", help="its core")
    new.add_argument("--clock", default="80 MHz", metavar="FREQUENCY", help="its clock (default: 80 MHz)")
    new.add_argument("--flash", default="512 KiB", metavar="SIZE", help="its flash (default: 512 KiB)")
    new.add_argument("--ram", default="128 KiB", metavar="SIZE", help="its RAM (default: 128 KiB)")
    new.add_argument("--output", type=Path, metavar="FILE", help="write it there; the file is called as the board")
    parser.set_defaults(command=_boards)


def _boards(arguments: argparse.Namespace) -> int:
    from mcu_harness.app import boards_table
    from mcu_harness.hardware.board_file import board_names, find_board

    if arguments.new:
        return _new(arguments)
    boards = [find_board(name) for name in arguments.names or board_names()]
    if arguments.json:
        sys.stdout.write(boards_table.boards_json(boards))
    elif arguments.names:
        print("\n\n".join(map(boards_table.board_text, boards)))
    else:
        print(boards_table.boards_table(boards))
    return PASS


def _new(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.board_template import board_template
    from mcu_harness.base.errors import BoardError
    from mcu_harness.base.files import write_text

    path = arguments.output or Path(f"{arguments.new}.toml")
    text = board_template(arguments.new, arguments.core, arguments.clock, arguments.flash, arguments.ram)
    if path.exists():
        raise BoardError(f"{path} is there already", hint="choose another name, or remove it")
    if path.stem != arguments.new or path.suffix != ".toml":
        raise BoardError(f"{path}: a board's file is called as the board", hint=f"name it {arguments.new}.toml")
    check_places([path])
    write_text(path, text)
    print(one_line(f"wrote {path}: fill it in, then `mcu-harness boards {path}` shows how it is read"))
    return PASS
