"""The command `build`: firmware to flash, or to take into a project of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path

from mcu_harness.scenario.kernels import KERNEL_CHOICES

PASS = 0
Commands = argparse._SubParsersAction  # what `add_subparsers` returns has no public name


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser(
        "build",
        help="write firmware for a model: C sources, ELF and HEX",
        description="Write the generated C with its kernels, the ELF, a HEX file to flash, and a README of how to call it.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument("--board", required=True, metavar="B", help="a board name or board .toml")
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="typical inputs, .npy or .npz, that a float model is quantised with",
    )
    parser.add_argument("--toolchain", default="auto", metavar="T", help="auto, gnu or zig")
    parser.add_argument(
        "--kernels",
        default=KERNEL_CHOICES[0],
        choices=KERNEL_CHOICES,
        help=f"which kernels compute it (default: {KERNEL_CHOICES[0]})",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a directory to make")
    parser.set_defaults(command=_build)


def _build(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.firmware_export import export_firmware
    from mcu_harness.hardware.board_file import find_board
    from mcu_harness.image.toolchain import find_toolchain
    from mcu_harness.model.convert.canonical import canonical_model
    from mcu_harness.scenario.quantize import QuantizeSpec

    board, toolchain = find_board(arguments.board), find_toolchain(arguments.toolchain)
    model = canonical_model(arguments.model, QuantizeSpec(arguments.calibration)).model
    exported = export_firmware(model, board, toolchain, arguments.output, arguments.kernels, name=arguments.model.name)
    print(
        f"wrote {len(exported.files)} files to {exported.directory}; how to flash or call it: {exported.directory}/README.md"
    )
    return PASS
