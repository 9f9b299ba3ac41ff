"""The command `build`: firmware to flash, or to take into a project of one's own."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.shared import PASS, add_options, needed_boards
from mcu_harness.app.options import BUILD
from mcu_harness.base.errors import ScenarioError
from mcu_harness.scenario.kernels import KERNEL_CHOICES


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = (
        "Write the generated C with its kernels, the ELF, a HEX file to flash, and a README of how to call it."
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
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
    from mcu_harness.hardware.board_file import find_board
    from mcu_harness.image.toolchain import find_toolchain
    from mcu_harness.model.int8_model import int8_model
    from mcu_harness.results.report import placement_section
    from mcu_harness.scenario.quantize import QuantizeSpec

    chosen = settings(command_source(arguments))
    boards = needed_boards(chosen.boards, arguments.model)
    if len(boards) > 1 or chosen.toolchains:
        raise ScenarioError("firmware is built for one board with one compiler", hint="give each of them once")
    board, toolchain = find_board(boards[0]), find_toolchain(chosen.options.toolchain)
    kernels = chosen.options.kernels or KERNEL_CHOICES[0]
    model = int8_model(arguments.model, QuantizeSpec(arguments.calibration)).model
    options = replace(chosen.options, kernels=kernels)
    show = progress(arguments.model.name)
    try:
        placement, placed = placement_for(model, boards[0], options, show)
    finally:
        show("")
    given = {"kernels": kernels, "cmsis_nn": options.cmsis_nn, "name": arguments.model.name, "placement": placement}
    exported = export_firmware(model, board, toolchain, arguments.output, **given)
    if placed:
        print("\n".join(placement_section.lines_of(placed)))
    print(
        f"wrote {len(exported.files)} files to {exported.directory}; how to flash or call it: {exported.directory}/README.md"
    )
    return PASS
