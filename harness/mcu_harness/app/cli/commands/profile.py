"""`mcu-harness profile`: any firmware, as it is, on boards."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.what_if import add_what_if
from mcu_harness.base.errors import ScenarioError

if TYPE_CHECKING:
    from mcu_harness.scenario.firmware_tables import FirmwareSpec, Region

PASS, FAIL = 0, 1
Commands = argparse._SubParsersAction  # what `add_subparsers` returns has no public name


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command's parser; it sets `command` to its function."""
    profile = commands.add_parser(
        "profile",
        help="run any firmware (.elf, .hex, .bin) on boards and say what it costs",
        description="Run firmware as it is on emulated boards: nothing is added to it. Without --begin, everything "
        "from reset to the end is counted. Places are symbols, or addresses as 0x08000124.",
    )
    profile.add_argument("firmware", type=Path, metavar="FIRMWARE", help="a linked .elf, a .hex or a .bin")
    profile.add_argument(
        "--board", action="append", default=[], metavar="B", help="a board name or board .toml (repeatable)"
    )
    profile.add_argument("--begin", default="", metavar="PLACE", help="count from here each time it is reached")
    profile.add_argument(
        "--end", default="", metavar="PLACE", help="and up to here (default: until the function at --begin returns)"
    )
    profile.add_argument("--stop", default="", metavar="PLACE", help="the program is over when it gets here")
    profile.add_argument("--stop-after", type=_count, metavar="N", help="it is over after so many instructions (50M)")
    profile.add_argument(
        "--load-address", type=_address, metavar="ADDRESS", help=".bin: where it goes (default: start of code memory)"
    )
    profile.add_argument(
        "--region",
        action="append",
        default=[],
        metavar="NAME=SYMBOL,...",
        help="show these functions, and what they call, as one layer; * stands for anything, FILE:NAME is a static "
        "function (repeatable)",
    )
    profile.add_argument("--each-call", action="store_true", help="a layer for each call of a region's functions")
    profile.add_argument(
        "--layers", default="", metavar="RUNTIME", help="show the operators of a known runtime as layers: tflm"
    )
    add_what_if(profile)
    profile.add_argument("--emulator", default="auto", metavar="E", help="auto, unicorn or renode")
    memory_trace(profile)
    coverage(profile)
    profile.add_argument("--json", type=Path, metavar="FILE", help="write results.json there")
    profile.add_argument("--report-dir", type=Path, metavar="DIR", help="write results.json and Markdown reports there")
    profile.add_argument("-v", "--verbose", action="count", default=0, help="more of everything; twice: provenance")
    profile.set_defaults(command=_profile)


def coverage(parser: argparse.ArgumentParser) -> None:
    """Add the option for coverage, which `run` has as well."""
    parser.add_argument(
        "--coverage", action="store_true", help="say which lines, branches and functions of the firmware's source ran"
    )


def memory_trace(parser: argparse.ArgumentParser) -> None:
    """Add the option for a memory trace, which `run` has as well."""
    parser.add_argument(
        "--memory-trace",
        action="store_true",
        help="trace memory, at a fifth of the speed: what reads and writes what, and reads of what was never written",
    )


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
    from mcu_harness.app.options import Options
    from mcu_harness.app.session import Session
    from mcu_harness.results import results_file as results_json
    from mcu_harness.results.report.terminal import profile_text
    from mcu_harness.scenario.cases import cases_of
    from mcu_harness.scenario.scenario import scenario_for_firmware

    if not arguments.board:
        raise ScenarioError(
            f"{arguments.firmware}: which board?", hint="add --board NAME (repeatable); `mcu-harness boards` lists them"
        )
    scenario = scenario_for_firmware(arguments.firmware, tuple(arguments.board), _spec(arguments))
    options = Options(
        emulator=arguments.emulator,
        memory_trace=arguments.memory_trace,
        coverage=arguments.coverage,
        what_if=tuple(arguments.what_if),
    )
    session = Session()
    try:
        for case in cases_of(scenario):
            show = progress(f"{case.scenario.name} on {case.board.name}")
            result = session.run(case, options, show, gated=False)
            show("")
            print(profile_text(result, arguments.verbose), end="\n\n")
    finally:
        session.close()
    if arguments.json:
        results_json.save(session.results, arguments.json)
    written = session.write(arguments.report_dir) if arguments.report_dir else []
    print(*session.summary_lines(), *(f"wrote {path}" for path in written), sep="\n")
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
        regions=tuple(_region(text) for text in arguments.region),
        each_call=arguments.each_call,
        layers=arguments.layers,
    )


def _region(text: str) -> Region:
    from mcu_harness.scenario.firmware_tables import Region

    name, _, symbols = text.partition("=")
    patterns = tuple(symbol.strip() for symbol in symbols.split(",") if symbol.strip())
    if not name.strip() or not patterns:
        raise ScenarioError(f"cannot read the region {text!r}", hint="write for example conv=arm_convolve*,arm_nn_mat*")
    return Region(name.strip(), patterns)
