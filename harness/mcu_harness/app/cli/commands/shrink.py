"""The command `shrink`: a smaller model made without training, what was changed, and what it saves in truth."""

from __future__ import annotations

import argparse
from pathlib import Path

from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.shared import PASS, add_options, check_places
from mcu_harness.app.options import SHRINK
from mcu_harness.base.text import for_terminal, one_line
from mcu_harness.model.convert.shrink.methods import METHODS


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    listed = "; ".join(f"{method.name}: {method.about}" for method in METHODS.values())
    parser.description = f"Methods, one after the other. {listed}. With --board, both models are built and run there."
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="a float model: .onnx, .pt2, file.py:function, or as --method takes it",
    )
    parser.add_argument(
        "--method", action="append", default=[], metavar="NAME", help=", ".join(METHODS) + " (repeatable)"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="a float .onnx, or an int8 .tflite")
    parser.add_argument(
        "--share", type=float, default=0.5, metavar="S", help="prune: the share of channels to take out (default: 0.5)"
    )
    parser.add_argument(
        "--energy",
        type=float,
        default=0.95,
        metavar="E",
        help="low-rank: the share of squared singular values to keep (default: 0.95)",
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="typical inputs, .npy or .npz, that models are quantised and compared with",
    )
    parser.add_argument(
        "--dataset", type=Path, metavar="FILE", help="with --board: an .npz file with `inputs` and `labels`"
    )
    add_options(parser, SHRINK)
    parser.set_defaults(command=_shrink)


def _shrink(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.model.shrunk import shrunk_model
    from mcu_harness.results.report.text import decibels
    from mcu_harness.scenario.quantize import QuantizeSpec

    chosen = settings(command_source(arguments))
    check_places([arguments.output])
    show = progress(str(arguments.model))
    try:
        made = shrunk_model(
            arguments.model, arguments.method, arguments.output, QuantizeSpec(arguments.calibration), show,
            share=arguments.share, energy=arguments.energy,
        )  # fmt: skip
    finally:
        show("")
    print(*map(for_terminal, made.said), sep="\n")
    for what, pair in (("parameters", made.parameters), ("MACs", made.macs)):
        if pair is not None:
            share = f" ({(pair[1] - pair[0]) / pair[0]:+.1%})" if pair[0] and pair[0] != pair[1] else ", the same"
            print(f"{what}: {pair[0]:,} -> {pair[1]:,}{share}")
    if made.samples:
        on = f"{made.samples} {'calibration samples' if made.real else 'random samples'}"
        apart = "equal" if made.sqnr_db is None else f"apart by an SQNR of {decibels(made.sqnr_db)}"
        print(f"float outputs on {on}: {apart}, the largest in the same place for {made.agreement:.0%}")
    print(one_line(f"wrote {arguments.output}"))
    if chosen.boards:
        _compare(arguments, chosen.boards)
    elif made.parameters is not None:
        print("what it saves on a chip: add --board NAME")
    return PASS


def _compare(arguments: argparse.Namespace, boards: tuple[str, ...]) -> None:
    """Print both models beside each other on `boards`."""
    from mcu_harness.app.board_trials import try_cases
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.results.report import variants_text
    from mcu_harness.results.variant_comparison import comparisons
    from mcu_harness.scenario.cases import cases_of
    from mcu_harness.scenario.quantize import QuantizeSpec
    from mcu_harness.scenario.scenario import InputSpec, scenario_for_variants
    from mcu_harness.scenario.variants import Variant

    variants = (Variant("before", arguments.model.absolute()), Variant("after", arguments.output.absolute()))
    inputs = InputSpec()
    if arguments.dataset:
        inputs = InputSpec(arguments.dataset.absolute(), count=None, emulated=4)
    quantize = QuantizeSpec(arguments.calibration, made_up=arguments.calibration is None)
    scenario = scenario_for_variants("shrink", variants, boards, inputs, quantize)
    session = Session()
    try:
        options = settings(command_source(arguments)).options
        try_cases(cases_of(scenario), options, session, progress)
    finally:
        session.close()
    print("", variants_text.terminal(comparisons(session.results)), sep="\n", end="")
    if arguments.calibration is None:
        print(
            "quantised with random samples, since there is no --calibration: costs are right, SQNR and accuracy mean nothing"
        )
