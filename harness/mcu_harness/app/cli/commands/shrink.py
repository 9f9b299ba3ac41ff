"""The command `shrink`: a smaller model made without training, what was changed, and what it saves in truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.shared import PASS, add_options, check_places
from mcu_harness.app.options import SHRINK
from mcu_harness.base.errors import ModelError
from mcu_harness.base.files import why_no_file
from mcu_harness.base.text import for_terminal, one_line
from mcu_harness.model.convert.shrink.methods import METHODS

if TYPE_CHECKING:
    from mcu_harness.model.faithfulness import Faithfulness


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    listed = "; ".join(f"{method.name}: {method.about}" for method in METHODS.values())
    parser.description = f"Methods, one after the other. {listed}. With --board, both models are built and run there."
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="a float model: .onnx, .pt2, file.py:function, or whatever --method takes",
    )
    parser.add_argument(
        "--method", action="append", default=[], metavar="NAME", help=", ".join(METHODS) + " (repeatable)"
    )
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="a float .onnx, or a quantised .tflite"
    )
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
        "--dataset", type=Path, metavar="FILE", help="an .npz file with `inputs` and, for accuracy, `labels`"
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
    if arguments.dataset and (problem := why_no_file(arguments.dataset)):
        raise ModelError(
            f"{arguments.dataset}: {problem}", hint="an .npz file with `inputs` and, for accuracy, `labels`"
        )
    show = progress(str(arguments.model))
    try:
        made = shrunk_model(
            arguments.model, arguments.method, arguments.output, QuantizeSpec(arguments.calibration), show,
            dataset=arguments.dataset, share=arguments.share, energy=arguments.energy,
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
    if made.quantised is not None:
        print(for_terminal(f"quantised outputs: {_quality(made.quantised)}"))
    print(one_line(f"wrote {arguments.output}"))
    if chosen.boards:
        _compare(arguments, chosen.boards)
    elif made.parameters is not None:
        print("what it saves on a chip: add --board NAME")
    return PASS


def _quality(found: Faithfulness | str) -> str:
    """What quantisation cost, in a sentence: SQNR, and accuracy or what it needs."""
    from mcu_harness.results.report.text import decibels

    if isinstance(found, str):
        return f"not compared with float: {found}"
    apart = "equal" if found.sqnr_db is None else f"SQNR {decibels(found.sqnr_db)}"
    if found.accuracy is None or found.original_accuracy is None:
        accuracy = "no accuracy, which needs labels: --dataset FILE.npz with `inputs` and `labels`"
    else:
        accuracy = f"accuracy {found.accuracy:.2%} after {found.original_accuracy:.2%} in float"
    return f"{apart} on {found.samples} {found.source}, {accuracy}"


def _compare(arguments: argparse.Namespace, boards: tuple[str, ...]) -> None:
    """Print both models beside each other on `boards`. What is only quantised is made again, and compared with its float model."""
    from mcu_harness.app.board_trials import try_cases
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.model.shrunk import quantised_by
    from mcu_harness.results.report import variants_text
    from mcu_harness.results.variant_comparison import comparisons
    from mcu_harness.scenario.cases import cases_of
    from mcu_harness.scenario.quantize import QuantizeSpec
    from mcu_harness.scenario.scenario import InputSpec, scenario_for_variants
    from mcu_harness.scenario.variants import Variant

    quantize = QuantizeSpec(arguments.calibration, made_up=arguments.calibration is None)
    after = Variant("after", arguments.output.absolute())
    if not any(METHODS[name].structural for name in arguments.method):
        after = Variant("after", arguments.model.absolute(), quantised_by(arguments.method, quantize))
    variants = (Variant("before", arguments.model.absolute()), after)
    inputs = InputSpec()
    if arguments.dataset:
        inputs = InputSpec(arguments.dataset.absolute(), count=None, emulated=4)
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
