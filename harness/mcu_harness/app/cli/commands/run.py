"""The command `run`: build models for boards, run them, judge them."""

from __future__ import annotations

import argparse
import shutil
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.shared import (
    ERROR,
    FAIL,
    PASS,
    STANDARD_OUTPUT,
    add_options,
    check_places,
    needed_boards,
    tell_errors,
    text_out_of_the_way,
    write_json,
)
from mcu_harness.app.options import RUN
from mcu_harness.base.text import for_terminal, one_line
from mcu_harness.model.importers.model_kinds import model_suffixes

if TYPE_CHECKING:
    from mcu_harness.app.cases_in_processes import Measure
    from mcu_harness.app.selection import UnusableBoard
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import Settings
    from mcu_harness.base.errors import HarnessError
    from mcu_harness.scenario.cases import Case
    from mcu_harness.scenario.scenario import Scenario


def add(parser: argparse.ArgumentParser) -> None:
    """Fill the command's parser."""
    parser.add_argument(
        "what",
        nargs="+",
        type=Path,
        metavar="MODEL_OR_SCENARIO",
        help=f"a model ({model_suffixes()}; with --calibration .onnx, .pt2, .keras, SavedModel, file.py:function), a "
        "scenario .toml, or a directory or pattern of scenarios",
    )
    add_options(parser, RUN)
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="typical inputs, .npy or .npz, that float models are quantised with (a scenario says its own)",
    )
    parser.add_argument(
        "-j",
        "--jobs",
        default="1",
        metavar="N",
        help="run cases in so many processes at a time (auto: as many as there are processors); results are the same",
    )
    parser.add_argument("-v", "--verbose", action="count", default=0, help="layer tables; twice: functions, provenance")
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.cases_in_processes import measured, parse_jobs
    from mcu_harness.app.selection import selected
    from mcu_harness.app.session import Session
    from mcu_harness.app.settings import command_source, settings
    from mcu_harness.base.files import kept_in
    from mcu_harness.results import results_file
    from mcu_harness.scenario.cases import Case, with_limits
    from mcu_harness.scenario.discovery import expand
    from mcu_harness.scenario.limits import parse_limits

    jobs = parse_jobs(arguments.jobs)
    chosen = settings(command_source(arguments))
    limits = parse_limits(arguments.budget)
    scenarios = [_scenario(path, chosen.boards, arguments.calibration) for path in expand(arguments.what)]
    cases = [
        case
        for scenario in scenarios
        for case in selected(with_limits(scenario, limits), chosen.boards, chosen.toolchains)
    ]
    json = arguments.json or ""
    check_places([json])
    chosen.check_places()
    session = Session(chosen.gate, chosen.columns)
    usable = [case for case in cases if isinstance(case, Case)]
    if not chosen.boards and len(usable) == len(cases):  # else not all cases of the scenarios are known
        session.expect(usable)
    chosen.gate.check_places(usable)
    if chosen.options.what_if:
        _check_questions(chosen.options.what_if, usable)
    errors: list[HarnessError] = []
    with text_out_of_the_way(json):
        try:
            with measured(usable, chosen.options, jobs) if min(jobs, len(usable)) > 1 else nullcontext() as measure:
                _run_all(cases, session, chosen, arguments, measure)
        finally:
            session.close()
    if json:  # first, since whoever reads the table may hang up
        with kept_in(errors):
            write_json(results_file.to_text(session.results), json)
    with text_out_of_the_way(json):
        _summary(session, chosen, arguments.quiet, is_piped=json == STANDARD_OUTPUT, errors=errors)
    if tell_errors(errors) or not session.all_set_up:
        return ERROR
    return PASS if session.passed else FAIL


def _check_questions(questions: tuple[str, ...], cases: list[Case]) -> None:
    """Raise the HarnessError of `questions` that mean something on none of the boards; other boards' cases tell their own."""
    from mcu_harness.analysis.what_if.spec import parse
    from mcu_harness.base.files import kept_in

    errors: list[HarnessError] = []
    boards = {case.board.name: case.board for case in cases}.values()
    for board in boards:
        with kept_in(errors):
            parse(questions, board)
    if errors and len(errors) == len(boards):
        raise errors[0]


def _run_all(
    cases: list[Case | UnusableBoard],
    session: Session,
    chosen: Settings,
    arguments: argparse.Namespace,
    measure: Measure | None,
) -> None:
    from mcu_harness.app.selection import UnusableBoard
    from mcu_harness.base.errors import HarnessError
    from mcu_harness.results.records import Verdict
    from mcu_harness.results.report import what_if_section
    from mcu_harness.results.report.terminal import costs_text, failure_text

    for number, case in enumerate(cases, start=1):
        if isinstance(case, UnusableBoard):
            session.add_unusable(case)
            _complain(f"{case.scenario.name} on {case.name}", case.error)
            continue
        name = f"{case.scenario.name} on {case.board.name}"
        show = progress(f"[{number}/{len(cases)}] {name}")
        try:
            if measure is not None:
                show("running")
            result = session.run(case, chosen.options, show, measure=measure)
        except HarnessError as error:  # of this case: the others are not concerned
            show("")
            _complain(name, error)
            continue
        show("")
        if result.verdict is not Verdict.PASS:
            print(failure_text(result, arguments.verbose), end="\n\n")
        elif arguments.verbose:
            print(one_line(f"{result.scenario} on {result.board}"), costs_text(result), sep="\n", end="\n\n")
        if result.what_ifs:
            print(*what_if_section.lines(result), sep="\n", end="\n\n")


def _complain(case: str, error: HarnessError) -> None:
    """Tell that a case could not be set up, where the command's own errors are told."""
    print(for_terminal(f"mcu-harness: error: {case}: {error}"), end="\n\n", file=sys.stderr)


def _summary(session: Session, chosen: Settings, quiet: bool, is_piped: bool, errors: list[HarnessError]) -> None:
    """Print the table, and write the reports; what cannot be written is added to `errors`."""
    from mcu_harness.base.files import kept_in
    from mcu_harness.results.report import github
    from mcu_harness.results.report.colour import has_colour

    written = session.write(chosen.report_dir, errors) if chosen.report_dir else []
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() and not is_piped else None
    coloured = width is not None and has_colour(sys.stdout)
    print(
        *session.summary_lines(width, quiet=quiet, coloured=coloured, notes=chosen.notes),
        *(one_line(f"wrote {path}") for path in written),
        sep="\n",
    )
    if chosen.github:
        print(*github.publish(session.results), sep="\n")
        with kept_in(errors):
            github.write_summary(session.results)


def _scenario(path: Path, boards: tuple[str, ...], calibration: Path | None) -> Scenario:
    from mcu_harness.scenario.quantize import QuantizeSpec
    from mcu_harness.scenario.scenario import load_scenario, scenario_for_model

    if path.suffix == ".toml":
        return load_scenario(path)
    return replace(scenario_for_model(path, needed_boards(boards, path)), quantize=QuantizeSpec(calibration))
