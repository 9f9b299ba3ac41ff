"""`mcu-harness convert`: a float model, in whichever format training left it, as an int8 .tflite file to keep."""

from __future__ import annotations

import argparse
from pathlib import Path

from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.shared import check_places
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.files import write_bytes
from mcu_harness.base.text import one_line
from mcu_harness.scenario.quantize import METHODS, SCHEMES, QuantizeSpec


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.add_argument(
        "model", type=Path, metavar="MODEL", help=".tflite, .onnx, .pt2 or .keras file, SavedModel, or file.py:function"
    )
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="typical inputs, .npy or .npz, in the layout of the model"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="write the .tflite there")
    parser.add_argument("--count", type=int, metavar="N", help="how many of the samples to take (default: all)")
    parser.add_argument("--method", default="minmax", choices=METHODS, help="how ranges come from the samples")
    parser.add_argument(
        "--scheme",
        default="int8",
        choices=SCHEMES,
        help="16x8: activations of 16 bits, weights of 8; int4: weights of 4 bits (default: int8)",
    )
    parser.add_argument("--per-tensor", action="store_true", help="one scale a filter, in place of one a channel")
    parser.set_defaults(command=_convert)


def _convert(arguments: argparse.Namespace) -> int:
    from mcu_harness.model.int8_model import int8_model
    from mcu_harness.model.samples import model_graph

    if arguments.count is not None and arguments.count < 1:
        raise HarnessError(f"--count {arguments.count}: must be 1 or more")
    check_places([arguments.output])
    spec = QuantizeSpec(
        arguments.calibration, arguments.count, arguments.method, not arguments.per_tensor, scheme=arguments.scheme
    )
    show = progress(str(arguments.model))
    conversion = int8_model(arguments.model, spec, show)
    show("")
    graph = model_graph(conversion.model)  # what cannot be built is refused before anything is written
    write_bytes(arguments.output, conversion.model.read_bytes())
    if not conversion.source:
        print(one_line(f"{arguments.model} is int8 already: copied"))
    for note in conversion.notes:
        print(one_line(f"note: {note}"))
    for what, indices, layouts in (
        ("input", graph.inputs, conversion.inputs),
        ("output", graph.outputs, conversion.outputs),
    ):
        for number, index in enumerate(indices):
            tensor, layout = graph.tensors[index], layouts[number] if layouts else None
            was = f", {layout.shape} in the {conversion.source}" if layout and layout.order else ""
            print(f"{what} {number}: {tensor.dtype} {tensor.shape}{was}")
    if conversion.tools:
        print(f"made with {', '.join(conversion.tools)}")
    print(one_line(f"wrote {arguments.output}: {graph.file_bytes} bytes, {len(graph.layers)} layers, {graph.macs} MAC"))
    return 0
