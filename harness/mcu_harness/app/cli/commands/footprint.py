"""The command `footprint`: flash and RAM of an image, without a board and without a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from mcu_harness.app.cli.commands.shared import ERROR, FAIL, PASS, check_places, tell_errors
from mcu_harness.base.errors import HarnessError

_MOST_ROWS = 15


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = (
        "Where an image's bytes are: regions of a linker script or a board, symbols with their source files, "
        "and what is in flash twice. Exit status 1 when something is over its size or budget."
    )
    parser.add_argument("image", type=Path, metavar="ELF", help="a linked image")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--script", type=Path, metavar="FILE", help="memories from a linker script: GNU ld, or an .icf")
    where.add_argument("--board", metavar="B", help="memories of a board")
    parser.add_argument(
        "--defsym",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a symbol that the script needs (repeatable)",
    )
    parser.add_argument(
        "--budget",
        action="append",
        default=[],
        metavar="REGION=SIZE",
        help="FLASH=200KiB, flash=..., ram=... (repeatable)",
    )
    parser.add_argument("--compare", type=Path, metavar="ELF", help="an earlier image to compare with")
    parser.add_argument(
        "--rows", type=int, default=_MOST_ROWS, metavar="N", help=f"of each table (default: {_MOST_ROWS})"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a comment for a pull request there")
    parser.set_defaults(command=_footprint)


def _footprint(arguments: argparse.Namespace) -> int:
    from mcu_harness.analysis.image_footprint import changed_symbols, check_region_budgets, image_footprint
    from mcu_harness.app.footprint_text import difference_text, json_text, markdown_text, terminal_text
    from mcu_harness.base.files import kept_in, write_text
    from mcu_harness.image.program import read_program

    check_places([arguments.json, arguments.markdown])
    memories = _memories(arguments)
    rows = max(arguments.rows, 1)
    image = image_footprint(read_program(arguments.image), memories)
    known = [*(region.region for region in image.regions), "flash", "ram"]
    findings = check_region_budgets(image, dict(_budget(text, known) for text in arguments.budget))
    before = image_footprint(read_program(arguments.compare), memories) if arguments.compare else None
    changes = changed_symbols(before, image) if before else []
    print(terminal_text(image, findings, rows))
    if before:
        print("", difference_text(changes, before, image, rows), sep="\n")
    errors: list[HarnessError] = []
    if arguments.json:
        with kept_in(errors):
            write_text(arguments.json, json_text(image, changes))
    if arguments.markdown:
        with kept_in(errors):
            write_text(arguments.markdown, markdown_text(image, findings, before, changes, rows))
    if tell_errors(errors):
        return ERROR
    return FAIL if findings else PASS


def _memories(arguments: argparse.Namespace):  # type: ignore[no-untyped-def]
    from mcu_harness.hardware.board_file import find_board
    from mcu_harness.image.memory_regions import ADDRESS_MAP, parse_symbols, read_memory_regions

    if arguments.script:
        return read_memory_regions(arguments.script, parse_symbols(arguments.defsym))
    return find_board(arguments.board) if arguments.board else ADDRESS_MAP


def _budget(text: str, known: list[str]) -> tuple[str, float]:
    from mcu_harness.base import units
    from mcu_harness.base.toml_reader import did_you_mean

    name, equals, size = text.partition("=")
    if equals and name not in known:  # a linker script's FLASH is a board's flash
        name = next((region for region in known if region.lower() == name.lower()), name)
    if not equals or name not in known:
        known = list(dict.fromkeys(known))
        hint = did_you_mean(name, tuple(known)) if equals else "write REGION=SIZE, such as flash=200KiB"
        raise HarnessError(f"--budget {text!r}: no such region", hint=hint)
    return name, units.parse_limit(size, "bytes")
