"""The command `search`: the largest net that fits a board."""

from __future__ import annotations

import argparse
from pathlib import Path

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
from mcu_harness.app.options import SEARCH
from mcu_harness.app.search.methods import MAXIMISE, METHODS, MOST_TRIALS


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = (
        "Calls a function with arguments until the largest net is found that keeps the budgets. Nets are neither "
        "trained nor calibrated: costs do not depend on it."
    )
    parser.add_argument(
        "function",
        type=Path,
        metavar="FILE.py:FUNCTION",
        help="it returns (torch module, example inputs), a Keras model, or the path of a model file",
    )
    parser.add_argument(
        "--knob",
        action="append",
        default=[],
        metavar="NAME=VALUES",
        help="an argument and what may be tried: width=0.1..1.0, channels=8..64:8 or depth=1,2,4 (repeatable)",
    )
    add_options(parser, SEARCH)
    parser.add_argument(
        "--method",
        default="auto",
        choices=METHODS,
        help="auto: bisect one knob of numbers, else grid, or Optuna for many points",
    )
    parser.add_argument(
        "--trials", type=int, default=MOST_TRIALS, metavar="N", help=f"trials at most (default: {MOST_TRIALS})"
    )
    parser.add_argument(
        "--maximise",
        default=MAXIMISE,
        metavar="FIGURE",
        help=f"of several knobs, what is to be largest (default: {MAXIMISE})",
    )
    parser.add_argument("--results", type=Path, metavar="FILE", help="write results.json of all trials there")
    parser.set_defaults(command=_search)


def _search(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.search import search_text
    from mcu_harness.app.search.knobs import parse_knobs
    from mcu_harness.app.search.search import search
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.results import results_file
    from mcu_harness.scenario.limits import parse_limits

    chosen = settings(command_source(arguments))
    check_places([arguments.json, arguments.results])
    show = progress(str(arguments.function))
    try:
        found = search(
            arguments.function,
            parse_knobs(arguments.knob),
            needed_boards(chosen.boards, arguments.function),
            parse_limits(arguments.budget),
            method=arguments.method,
            trials=arguments.trials,
            maximise=arguments.maximise,
            emulator=chosen.options.emulator,
            toolchain=chosen.options.toolchain,
            kernels=chosen.options.kernels,
            progress=show,
        )
    finally:
        show("")
    written = write_outputs(
        search_text.to_text(found),
        (arguments.json, lambda: search_text.to_json(found)),
        [(arguments.results, lambda path: results_file.save(found.results, path))],
    )
    if not written:
        return ERROR
    return PASS if found.best else FAIL
