"""`mcu-harness profile`: any firmware, as it is, on boards."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.shared import (
    ERROR,
    FAIL,
    PASS,
    add_options,
    check_places,
    needed_boards,
    tell_errors,
    text_out_of_the_way,
    write_json,
)
from mcu_harness.app.options import PROFILE
from mcu_harness.base.errors import ScenarioError
from mcu_harness.base.text import one_line

if TYPE_CHECKING:
    from mcu_harness.base.errors import HarnessError
    from mcu_harness.scenario.firmware_tables import FirmwareSpec, Region


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = (
        "Run firmware as it is on emulated boards: nothing is added to it. Without --begin, everything "
        "from reset to the end is counted. Places are symbols, or addresses as 0x08000124."
    )
    parser.add_argument("firmware", type=Path, metavar="FIRMWARE", help="a linked .elf, a .hex or a .bin")
    parser.add_argument("--begin", default="", metavar="PLACE", help="count from here each time it is reached")
    parser.add_argument(
        "--end", default="", metavar="PLACE", help="and up to here (default: until the function at --begin returns)"
    )
    parser.add_argument("--stop", default="", metavar="PLACE", help="the program is over when it gets here")
    parser.add_argument("--stop-after", type=_count, metavar="N", help="it is over after so many instructions (50M)")
    parser.add_argument(
        "--load-address", type=_address, metavar="ADDRESS", help=".bin: where it goes (default: start of code memory)"
    )
    parser.add_argument(
        "--region",
        action="append",
        default=[],
        metavar="NAME=SYMBOL,...",
        help="show these functions, and what they call, as one layer; * stands for anything, FILE:NAME is a static "
        "function (repeatable)",
    )
    parser.add_argument("--each-call", action="store_true", help="a layer for each call of a region's functions")
    parser.add_argument(
        "--layers", default="", metavar="RUNTIME", help="show the operators of a known runtime as layers: tflm"
    )
    add_options(parser, PROFILE)
    parser.add_argument("-v", "--verbose", action="count", default=0, help="more of everything; twice: provenance")
    parser.set_defaults(command=_profile)


def _count(text: str) -> int:
    from mcu_harness.base.errors import UnitError
    from mcu_harness.base.units import parse_whole

    try:
        return parse_whole(text, "count")
    except UnitError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _address(text: str) -> int:
    try:
        address = int(text, 0)
    except ValueError:
        address = -1
    if not 0 <= address < 1 << 32:
        raise argparse.ArgumentTypeError(f"{text!r} is no address: write 0x08000000")
    return address


def _profile(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.base.files import kept_in
    from mcu_harness.results import results_file
    from mcu_harness.results.records import Verdict
    from mcu_harness.results.report.terminal import profile_text
    from mcu_harness.scenario.cases import cases_of
    from mcu_harness.scenario.scenario import scenario_for_firmware

    chosen = settings(command_source(arguments))
    check_places([arguments.json])
    chosen.check_places()
    boards = needed_boards(chosen.boards, arguments.firmware)
    scenario = scenario_for_firmware(arguments.firmware, boards, _spec(arguments))
    session, json = Session(columns=chosen.columns), arguments.json or ""
    errors: list[HarnessError] = []
    with text_out_of_the_way(json):
        try:
            for case in cases_of(scenario):
                show = progress(f"{case.scenario.name} on {case.board.name}")
                result = session.run(case, chosen.options, show, gated=False)
                show("")
                if result.verdict is not Verdict.PASS or not arguments.quiet:
                    print(profile_text(result, arguments.verbose), end="\n\n")
        finally:
            session.close()
    if json:
        with kept_in(errors):
            write_json(results_file.to_text(session.results), json)
    with text_out_of_the_way(json):
        written = session.write(chosen.report_dir, errors) if chosen.report_dir else []
        lines = session.summary_lines(quiet=arguments.quiet, notes=chosen.notes)
        print(*lines, *(one_line(f"wrote {path}") for path in written), sep="\n")
    if tell_errors(errors):
        return ERROR
    return PASS if session.passed else FAIL


def _spec(arguments: argparse.Namespace) -> FirmwareSpec:
    from mcu_harness.scenario.firmware_tables import FirmwareSpec

    return FirmwareSpec(
        image=str(arguments.firmware.absolute()),
        load_address=arguments.load_address,
        begin=arguments.begin,
        end=arguments.end,
        stop=arguments.stop,
        stop_after=arguments.stop_after,
        regions=tuple(region(text) for text in arguments.region),
        each_call=arguments.each_call,
        layers=arguments.layers,
    )


def region(text: str) -> Region:
    """The region that "NAME=SYMBOL,..." means; raises ScenarioError."""
    from mcu_harness.scenario.firmware_tables import Region

    name, _, symbols = text.partition("=")
    patterns = tuple(symbol.strip() for symbol in symbols.split(",") if symbol.strip())
    if not name.strip() or not patterns:
        raise ScenarioError(f"cannot read the region {text!r}", hint="write for example conv=arm_convolve*,arm_nn_mat*")
    return Region(name.strip(), patterns)
