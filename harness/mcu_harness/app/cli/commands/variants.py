"""The command `variants`: models that do the same work, beside each other."""

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
    write_outputs,
)
from mcu_harness.app.options import VARIANTS

if TYPE_CHECKING:
    from mcu_harness.results.records import Results
    from mcu_harness.scenario.scenario import Scenario

_EMULATED = 4


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = (
        "Models in any mix of formats, or one scenario with [[variants]]. Accuracy is over the whole data set; "
        "the emulator runs the first samples, whose outputs have to be right to the bit."
    )
    parser.add_argument(
        "what",
        nargs="+",
        metavar="MODEL_OR_SCENARIO",
        help="models (.tflite, .onnx, .pt2, .keras, SavedModel, file.py:function), as name=model where the file's name does "
        "not do, or one scenario .toml",
    )
    add_options(parser, VARIANTS)
    parser.add_argument(
        "--dataset", type=Path, metavar="FILE", help="an .npz file with `inputs` and, for accuracy, `labels`"
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="typical inputs, .npy or .npz, that float models are quantised with",
    )
    parser.add_argument(
        "--emulated",
        type=int,
        default=_EMULATED,
        metavar="N",
        help=f"samples that the emulator runs (default: {_EMULATED})",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the page with plots there (extra html)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the comparison there as Markdown")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row per variant and board there")
    parser.add_argument("--results", type=Path, metavar="FILE", help="write results.json, as `run --json` does, there")
    parser.set_defaults(command=_variants)


def _variants(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.board_trials import try_cases
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.base.errors import ScenarioError
    from mcu_harness.base.files import write_text
    from mcu_harness.results import results_file
    from mcu_harness.results.report import variants_text
    from mcu_harness.results.report.html import html_file
    from mcu_harness.results.variant_comparison import comparisons
    from mcu_harness.scenario.cases import cases_of, with_limits
    from mcu_harness.scenario.limits import parse_limits

    chosen = settings(command_source(arguments))
    if chosen.toolchains:
        raise ScenarioError("variants are compared with one compiler", hint="give --toolchain once")
    if arguments.html:
        html_file.check_available()  # before the work, not after it
    pages = [html_file.place(arguments.html)] if arguments.html else []
    check_places([arguments.json, arguments.markdown, arguments.csv, arguments.results, *pages])
    scenario = with_limits(_scenario(arguments, chosen.boards), parse_limits(arguments.budget))
    cases = cases_of(scenario, chosen.boards)
    session = Session()
    try:
        try_cases(cases, chosen.options, session, progress)
    finally:
        session.close()
    results = session.results
    written = write_outputs(
        variants_text.terminal(comparisons(results)),
        (arguments.json, lambda: variants_text.to_json(results)),
        [
            (arguments.markdown, lambda path: write_text(path, variants_text.markdown(results))),
            (arguments.csv, lambda path: write_text(path, variants_text.to_csv(results))),
            (arguments.results, lambda path: results_file.save(results, path)),
            (arguments.html, lambda path: _page(results, path)),
        ],
    )
    if not written or not session.all_set_up:
        return ERROR
    return PASS if session.passed else FAIL


def _page(results: Results, place: Path) -> list[Path]:
    from mcu_harness.results.report.html.variants_page import write_variants_page  # needs the extra html

    return write_variants_page(results, place)


def _scenario(arguments: argparse.Namespace, boards: tuple[str, ...]) -> Scenario:
    """The scenario that was named, or what models, data set and calibration make together; raises ScenarioError."""
    from mcu_harness.base.errors import ScenarioError
    from mcu_harness.base.files import why_no_file
    from mcu_harness.base.text import one_line
    from mcu_harness.scenario.quantize import QuantizeSpec
    from mcu_harness.scenario.scenario import InputSpec, load_scenario, scenario_for_variants
    from mcu_harness.scenario.variants import named_variants

    first = Path(arguments.what[0])
    if first.suffix == ".toml":
        scenario = load_scenario(first)
        if len(arguments.what) > 1 or arguments.dataset or arguments.calibration:
            raise ScenarioError(f"{first}: a scenario says its own models and data", hint="give the scenario alone")
        if len(scenario.models) < 2 or scenario.firmware:
            raise ScenarioError(f"{first}: one model alone", hint="name others under [[variants]]")
        return scenario
    variants = named_variants(arguments.what)
    if len(variants) < 2:
        raise ScenarioError(
            f"{first}: one model alone", hint="give two models or more, or a scenario with [[variants]]"
        )
    if arguments.emulated < 1:
        raise ScenarioError(f"--emulated {arguments.emulated}: must be 1 or more")
    for file in filter(None, (arguments.dataset, arguments.calibration)):
        if problem := why_no_file(file):
            raise ScenarioError(f"{file}: {problem}")
    inputs, name = InputSpec(count=arguments.emulated), variants[0].name
    if arguments.dataset:
        inputs = InputSpec(arguments.dataset.absolute(), count=None, emulated=arguments.emulated)
        name = one_line(arguments.dataset.stem)
    return scenario_for_variants(
        name, variants, needed_boards(boards, first), inputs, QuantizeSpec(arguments.calibration)
    )
