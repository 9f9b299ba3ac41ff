"""The command `versus`: what is generated here beside firmware from elsewhere, for the same model on the same board."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.cli.commands.profile import region
from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.shared import (
    ERROR,
    FAIL,
    PASS,
    add_options,
    check_places,
    needed_boards,
    write_outputs,
)
from mcu_harness.app.options import VERSUS
from mcu_harness.base.errors import ScenarioError
from mcu_harness.base.text import one_line
from mcu_harness.scenario.kernels import CMSIS_NN

if TYPE_CHECKING:
    from mcu_harness.scenario.scenario import Scenario

# What is built here is called, by the kernels that it is made with.
_OWN = {"fast": "mcu-harness", "portable": "mcu-harness, portable", CMSIS_NN: "CMSIS-NN"}
_WITHOUT_KERNELS = ("fast", "portable")


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = (
        "Build MODEL with several kernels, run each and every other firmware on the same emulated board, and show what each "
        "takes, with its ratio to the first. What firmware from elsewhere computes is not checked."
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument(
        "theirs", nargs="*", metavar="THEIRS", help="linked firmware (.elf) for the same model, as name=file to name it"
    )
    parser.add_argument(
        "--kernels",
        default="",
        metavar="KERNELS,...",
        help="what MODEL is built with, once for each, the first one first: "
        f"{', '.join(_OWN)} (default: {','.join(_WITHOUT_KERNELS)}, and {CMSIS_NN} with --cmsis-nn)",
    )
    parser.add_argument(
        "--begin", default="", metavar="PLACE", help="where an inference begins in theirs: a symbol or an address"
    )
    parser.add_argument("--end", default="", metavar="PLACE", help="and where it ends (default: where --begin returns)")
    parser.add_argument(
        "--layers", default="", metavar="RUNTIME", help="the operators of a known runtime are their layers: tflm"
    )
    parser.add_argument(
        "--region",
        action="append",
        default=[],
        metavar="NAME=SYMBOL,...",
        help="a layer of theirs: functions and what they call (repeatable, in the order of the layers)",
    )
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="typical inputs that a float model is quantised with"
    )
    add_options(parser, VERSUS)
    parser.add_argument("--results", type=Path, metavar="FILE", help="write results.json, as `run --json` does, there")
    parser.set_defaults(command=_versus)


def _versus(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.results import results_file
    from mcu_harness.results.report import versus_text
    from mcu_harness.results.versus import Contender, Versus
    from mcu_harness.scenario.cases import cases_of

    chosen = settings(command_source(arguments, without=("kernels",)))
    if chosen.toolchains:
        raise ScenarioError("one compiler builds what is compared", hint="give --toolchain once")
    check_places([arguments.json, arguments.results])
    boards = needed_boards(chosen.boards, arguments.model)
    scenarios = _scenarios(arguments, boards, _kernels(arguments.kernels, arguments.cmsis_nn))
    session = Session()
    found: list[Versus] = []
    try:
        for board in boards:
            runs = {}
            # Theirs first: what cannot be run there ends the command before anything is built.
            for name, scenario in reversed(scenarios.items()):
                (case,) = cases_of(scenario, (board,))
                show = progress(f"{name} on {case.board.name}")
                runs[name] = session.run(case, chosen.options, show, gated=False)
                show("")
            found.append(Versus(case.board.name, tuple(Contender(name, runs[name]) for name in scenarios)))
    finally:
        session.close()
    written = write_outputs(
        versus_text.terminal(found, _notes(arguments)),
        (arguments.json, lambda: versus_text.to_json(found)),
        [(arguments.results, lambda path: results_file.save(session.results, path))],
    )
    if not written:
        return ERROR
    return PASS if session.passed else FAIL


def _kernels(given: str, cmsis_nn: object) -> tuple[str, ...]:
    """What the model is built with, in the order of the rows; raises ScenarioError for what there is not."""
    from mcu_harness.app.settings import kernel_choice

    chosen = tuple(dict.fromkeys(kernel_choice(each.strip()) for each in given.split(",") if each.strip()))
    return chosen or (*_WITHOUT_KERNELS, *([CMSIS_NN] if cmsis_nn else []))


def _notes(arguments: argparse.Namespace) -> list[str]:
    if not arguments.theirs:
        return ["Ratios are to the first row; figures are per inference."]
    note = (
        "Ratios are to the first row; figures are per inference. What firmware from elsewhere computes was not checked."
    )
    if arguments.begin or arguments.layers:
        return [note]
    return [
        note,
        "Without --begin, theirs is counted from reset to its end, with all that it does besides an inference.",
    ]


def _scenarios(arguments: argparse.Namespace, boards: tuple[str, ...], kernels: tuple[str, ...]) -> dict[str, Scenario]:
    """What is compared, by name, ours first; raises ScenarioError for what is not there, and for a name twice."""
    from mcu_harness.scenario.firmware_tables import FirmwareSpec
    from mcu_harness.scenario.quantize import QuantizeSpec
    from mcu_harness.scenario.scenario import scenario_for_firmware, scenario_for_model

    model = replace(scenario_for_model(arguments.model, boards), quantize=QuantizeSpec(arguments.calibration))
    found = {_OWN[each]: replace(model, name=_OWN[each], kernels=each) for each in kernels}
    if len(found) + len(arguments.theirs) < 2:
        raise ScenarioError(
            "there is nothing to compare with", hint="name other firmware, or several kernels: --kernels fast,portable"
        )
    for given in arguments.theirs:
        name, file = _named(given)
        if name in found:
            raise ScenarioError(f"two firmwares are called {name!r}", hint="name one, as in other=file.elf")
        spec = FirmwareSpec(
            image=str(file.absolute()),
            begin=arguments.begin,
            end=arguments.end,
            layers=arguments.layers,
            regions=tuple(map(region, arguments.region)),
        )
        found[name] = replace(scenario_for_firmware(file, boards, spec), name=name)
    return found


def _named(given: str) -> tuple[str, Path]:
    """Name and file of "name=file", or a file that is called as it is."""
    name, equals, file = given.partition("=")
    if equals and name.strip() and not Path(given).exists():
        return one_line(name.strip()), Path(file)
    return one_line(Path(given).stem), Path(given)
