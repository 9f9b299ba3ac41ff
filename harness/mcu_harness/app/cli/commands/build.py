"""The command `build`: firmware to flash, or to take into a project of one's own."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.shared import PASS, add_options, needed_boards
from mcu_harness.app.options import BUILD
from mcu_harness.base.errors import ScenarioError

if TYPE_CHECKING:
    from mcu_harness.scenario.cases import Case


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = (
        "Write the generated C with its kernels, the ELF, a HEX file to flash, and a README of how to call it."
    )
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL_OR_SCENARIO",
        help="a model file, or a scenario .toml: its model, board, calibration, kernels and C for custom operators",
    )
    add_options(parser, BUILD)
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="typical inputs, .npy or .npz, that a float model is quantised with",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a directory to make")
    parser.set_defaults(command=_build)


def _build(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.firmware_export import export_firmware
    from mcu_harness.app.placing import placement_for
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.image.toolchain import find_toolchain
    from mcu_harness.model.int8_model import int8_model
    from mcu_harness.results.report import placement_section

    chosen = settings(command_source(arguments))
    case = _case(arguments.model, chosen.boards, arguments.calibration)
    if chosen.toolchains:
        raise ScenarioError("firmware is built for one board with one compiler", hint="give each of them once")
    scenario, toolchain = case.scenario, find_toolchain(chosen.options.toolchain)
    options = replace(
        chosen.options,
        kernels=chosen.options.kernels or scenario.kernels,
        cmsis_nn=chosen.options.cmsis_nn or scenario.cmsis_nn,
        placement=chosen.options.placement or scenario.placement,
    )
    model = int8_model(case.model, case.quantize).model
    show = progress(case.model.name)
    try:
        placement, placed = placement_for(replace(case, model=model), options, show)
    finally:
        show("")
    exported = export_firmware(
        model,
        case.board,
        toolchain,
        arguments.output,
        kernels=options.kernels,
        name=case.model.name,
        cmsis_nn=options.cmsis_nn,
        placement=placement,
        custom=scenario.operators,
    )
    if placed:
        print("\n".join(placement_section.lines_of(placed)))
    print(
        f"wrote {len(exported.files)} files to {exported.directory}; how to flash or call it: {exported.directory}/README.md"
    )
    return PASS


def _case(path: Path, boards: tuple[str, ...], calibration: Path | None) -> Case:
    """The model and the board that `path` is about, a model or a scenario; raises ScenarioError unless it is one of each."""
    from mcu_harness.scenario.cases import cases_of
    from mcu_harness.scenario.quantize import QuantizeSpec
    from mcu_harness.scenario.scenario import load_scenario, scenario_for_model

    if path.suffix != ".toml":
        scenario = scenario_for_model(path, needed_boards(boards, path))
        scenario = replace(scenario, quantize=QuantizeSpec(calibration))
    elif calibration:
        raise ScenarioError(
            f"{path}: a scenario says its own calibration", hint="[quantize] calibration in the scenario"
        )
    else:
        scenario = load_scenario(path)
    if scenario.firmware is not None:
        raise ScenarioError(
            f"{path}: is about firmware that is there already", hint="give a model, or a scenario of one"
        )
    cases = cases_of(scenario, boards)
    if len({case.model_name for case in cases}) > 1:
        raise ScenarioError(
            f"{path}: has {len(scenario.models)} models",
            hint="build them one by one: give a model, or a scenario of one",
        )
    if len(cases) > 1:
        raise ScenarioError("firmware is built for one board with one compiler", hint="give --board NAME, once")
    return cases[0]
