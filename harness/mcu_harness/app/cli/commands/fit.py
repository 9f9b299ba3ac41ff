"""The command `fit`: models on many boards, and the smallest that will do."""

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
    write_outputs,
)
from mcu_harness.app.options import FIT
from mcu_harness.base.errors import ScenarioError
from mcu_harness.model.importers.model_kinds import model_suffixes


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.description = "Without --board, all boards that come with the harness are tried."
    parser.add_argument(
        "what",
        nargs="+",
        type=Path,
        metavar="MODEL_OR_SCENARIO",
        help=f"a model ({model_suffixes()}), a scenario .toml, or a directory or pattern of scenarios",
    )
    add_options(parser, FIT)
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report, with the ranking first, there")
    parser.add_argument("--results", type=Path, metavar="FILE", help="write results.json, as `run --json` does, there")
    parser.set_defaults(command=_fit)


def _fit(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.board_trials import fit_cases, try_boards
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.results import results_file
    from mcu_harness.results.board_matrix import matrix
    from mcu_harness.results.report import board_matrix_text
    from mcu_harness.results.report.html import html_file
    from mcu_harness.scenario.discovery import expand
    from mcu_harness.scenario.limits import parse_limits

    chosen = settings(command_source(arguments))
    if chosen.toolchains:
        raise ScenarioError("boards are compared with one compiler", hint="give --toolchain once")
    cases = fit_cases(expand(arguments.what), chosen.boards, parse_limits(arguments.budget))
    if arguments.html:
        html_file.check_available()  # before the work, not after it
    check_places([arguments.json, arguments.results, html_file.place(arguments.html) if arguments.html else None])
    session = Session()
    try:
        try_boards(cases, chosen.options, session, progress)
    finally:
        session.close()
    found, results = matrix(session.results), session.results
    written = write_outputs(
        board_matrix_text.fit_text(found),
        (arguments.json, lambda: board_matrix_text.fit_json(found)),
        [
            (arguments.results, lambda path: results_file.save(results, path)),
            (arguments.html, lambda path: html_file.write_html(results, path, first="fit")),
        ],
    )
    if not written:
        return ERROR
    return PASS if all(found.smallest(case) for case in found.cases) else FAIL
