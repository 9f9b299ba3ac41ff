"""The command line: arguments -> one object -> library calls. Exit status 0 pass, 1 fail, 2 usage or set-up error."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from mcu_harness import __version__
from mcu_harness.app.cli.commands import build, convert, footprint, profile, results, validate
from mcu_harness.app.cli.commands.profile import coverage, memory_trace
from mcu_harness.app.cli.commands.progress import progress
from mcu_harness.app.cli.commands.what_if import add_what_if
from mcu_harness.app.cli.streams import patient_streams
from mcu_harness.app.options import kernel_choice
from mcu_harness.base.errors import HarnessError
from mcu_harness.model.importers.table import model_suffixes
from mcu_harness.scenario.kernels import KERNEL_CHOICES

PASS, FAIL, ERROR = 0, 1, 2
_KERNELS = f"which kernels compute models: {' or '.join(KERNEL_CHOICES)} (default: what the scenario says)"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mcu-harness`."""
    try:
        with patient_streams():
            return _command(argv)
    except OSError as error:  # a place that went away while it was used
        if sys.stderr is not None:
            print(f"mcu-harness: error: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return ERROR


def _command(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except HarnessError as error:
        print(f"mcu-harness: error: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print("mcu-harness: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mcu-harness",
        description="Know before you flash: int8 neural networks on emulated Arm Cortex-M boards.",
    )
    parser.add_argument("--version", action="version", version=f"mcu-harness {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="build a model for boards, run it, judge it")
    run.add_argument(
        "what",
        nargs="+",
        type=Path,
        metavar="MODEL_OR_SCENARIO",
        help=f"a model ({model_suffixes()}; with --calibration .onnx, .pt2, .keras, SavedModel, file.py:function) or a scenario .toml",
    )
    run.add_argument(
        "--board", action="append", default=[], metavar="B", help="a board name or board .toml (repeatable)"
    )
    run.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="typical inputs, .npy or .npz, that float models are quantised with (a scenario says its own)",
    )
    run.add_argument("--emulator", default="auto", metavar="E", help="auto, unicorn or renode")
    run.add_argument(
        "--toolchain", action="append", default=[], metavar="T", help="auto, gnu or zig (repeatable: with each of them)"
    )
    run.add_argument("--kernels", default="", metavar="K", help=_KERNELS)
    memory_trace(run)
    coverage(run)
    run.add_argument("--json", type=Path, metavar="FILE", help="write results.json there")
    run.add_argument("--report-dir", type=Path, metavar="DIR", help="write results.json and Markdown reports there")
    run.add_argument("--columns", default="", metavar="NAMES", help="columns of the table, separated by commas")
    run.add_argument(
        "--compare-fail",
        action="append",
        default=[],
        metavar="FIGURE:AMOUNT",
        help="fail when a figure grows over its baseline by more, as in cycles:2%% or flash:+256 (repeatable)",
    )
    add_what_if(run)
    run.add_argument("--baseline-dir", type=Path, metavar="DIR", help="where baselines lie (default: see the scenario)")
    run.add_argument("--update-baseline", action="store_true", help="accept the present figures as baselines")
    run.add_argument("--github", action="store_true", help="write GitHub annotations and the step summary")
    run.add_argument("-v", "--verbose", action="count", default=0, help="layer tables; twice: functions, provenance")
    run.set_defaults(command=_run)

    boards = commands.add_parser("boards", help="list the boards")
    boards.set_defaults(command=_boards)

    doctor = commands.add_parser("doctor", help="what is installed, what is missing, how to get it")
    doctor.set_defaults(command=_doctor)

    fit = commands.add_parser("fit", help="try a model on many boards; say which is the smallest that will do")
    fit.add_argument(
        "what",
        nargs="+",
        type=Path,
        metavar="MODEL_OR_SCENARIO",
        help=f"a model ({model_suffixes()}) or a scenario .toml",
    )
    fit.add_argument("--boards", default="", metavar="A,B", help="board names or files (default: all that there are)")
    fit.add_argument(
        "--budget", action="append", default=[], metavar="KEY=LIMIT", help="flash=64KiB, latency=20ms, ... (repeatable)"
    )
    fit.add_argument("--emulator", default="auto", metavar="E", help="auto, unicorn or renode")
    fit.add_argument("--toolchain", default="auto", metavar="T", help="auto, gnu or zig")
    fit.add_argument("--kernels", default="", metavar="K", help=_KERNELS)
    fit.add_argument("--json", type=Path, metavar="FILE", help="write the ranking there")
    fit.add_argument("--html", type=Path, metavar="FILE", help="write the report, with the ranking first, there")
    fit.add_argument("--results", type=Path, metavar="FILE", help="write results.json, as `run --json` does, there")
    fit.set_defaults(command=_fit)

    build.add(commands)
    convert.add(commands)
    footprint.add(commands)
    profile.add(commands)
    results.add(commands)
    validate.add(commands)

    renode = commands.add_parser("renode", help="get Renode, the emulator of whole boards")
    actions = renode.add_subparsers(title="actions", required=True, metavar="ACTION")
    install = actions.add_parser("install", help="download it with renode-run, and use it from then on")
    install.add_argument("--version", metavar="V", help="which version (default: the newest supported one)")
    install.set_defaults(command=_renode_install)
    path = actions.add_parser("path", help="print the path of the Renode that is used")
    path.set_defaults(command=_renode_path)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.options import Options
    from mcu_harness.app.session import Session
    from mcu_harness.results import results_file as results_json
    from mcu_harness.results.records import Verdict
    from mcu_harness.results.regression_gate import gate_of_command
    from mcu_harness.results.report import columns, github, what_if_section
    from mcu_harness.results.report.terminal import costs_text, failure_text
    from mcu_harness.scenario.cases import cases_of

    boards, toolchains = tuple(arguments.board), tuple(arguments.toolchain)
    several = toolchains if len(toolchains) > 1 else ()
    scenarios = [_scenario(path, boards, arguments.calibration) for path in arguments.what]
    cases = [case for scenario in scenarios for case in cases_of(scenario, boards, several)]
    options = Options(
        emulator=arguments.emulator,
        toolchain=toolchains[0] if toolchains else "auto",
        memory_trace=arguments.memory_trace,
        coverage=arguments.coverage,
        kernels=kernel_choice(arguments.kernels),
        what_if=tuple(arguments.what_if),
    )
    gate = gate_of_command(
        arguments.compare_fail, arguments.update_baseline, arguments.baseline_dir, toolchains=toolchains
    )
    session = Session(gate, columns.parse(arguments.columns))
    if not boards:  # else not all cases of the scenarios are known
        session.expect(cases)
    try:
        for number, case in enumerate(cases, start=1):
            show = progress(f"[{number}/{len(cases)}] {case.scenario.name} on {case.board.name}")
            result = session.run(case, options, show)
            show("")
            if result.verdict is not Verdict.PASS:
                print(failure_text(result, arguments.verbose), end="\n\n")
            elif arguments.verbose:
                print(f"{result.scenario} on {result.board}", costs_text(result), sep="\n", end="\n\n")
            if result.what_ifs:
                print(*what_if_section.lines(result), sep="\n", end="\n\n")
    finally:
        session.close()
    if arguments.json:  # first, since whoever reads the table may hang up
        results_json.save(session.results, arguments.json)
    written = session.write(arguments.report_dir) if arguments.report_dir else []
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print(*session.summary_lines(width), *(f"wrote {path}" for path in written), sep="\n")
    if arguments.github:
        print(*github.publish(session.results), sep="\n")
    return PASS if session.passed else FAIL


def _fit(arguments: argparse.Namespace) -> int:
    from mcu_harness.app.board_trials import fit_cases, parse_limits, try_boards
    from mcu_harness.app.options import Options
    from mcu_harness.app.session import Session
    from mcu_harness.base.files import write_text
    from mcu_harness.results import results_file as results_json
    from mcu_harness.results.board_matrix import matrix
    from mcu_harness.results.report import board_matrix_text
    from mcu_harness.results.report.html import html_file

    boards = tuple(name.strip() for name in arguments.boards.split(",") if name.strip())
    cases = fit_cases(arguments.what, boards, parse_limits(arguments.budget))
    if arguments.html:
        html_file.check_available()  # before the work, not after it
    labels = {id(case): f"[{n}/{len(cases)}] {case.model_name} on {case.board.name}" for n, case in enumerate(cases, 1)}
    session = Session()
    try:
        options = Options(arguments.emulator, arguments.toolchain, kernels=kernel_choice(arguments.kernels))
        try_boards(cases, options, session, lambda case: progress(labels[id(case)]))
    finally:
        session.close()
    found = matrix(session.results)
    print(board_matrix_text.fit_text(found))
    if arguments.json:
        write_text(arguments.json, board_matrix_text.fit_json(found))
    if arguments.results:
        results_json.save(session.results, arguments.results)
    if arguments.html:
        for path in html_file.write_html(session.results, arguments.html, first="fit"):
            print(f"wrote {path}")
    return PASS if all(found.smallest(case) for case in found.cases) else FAIL


def _scenario(path: Path, boards: tuple[str, ...], calibration: Path | None):  # type: ignore[no-untyped-def]
    from mcu_harness.scenario.quantize import QuantizeSpec
    from mcu_harness.scenario.scenario import load_scenario, scenario_for_model

    if path.suffix == ".toml":
        return load_scenario(path)
    if not boards:
        raise HarnessError(
            f"{path}: which board?", hint="add --board NAME (repeatable); `mcu-harness boards` lists them"
        )
    return replace(scenario_for_model(path, boards), quantize=QuantizeSpec(calibration))


def _boards(_: argparse.Namespace) -> int:
    from mcu_harness.app.boards_table import boards_table

    print(boards_table())
    return PASS


def _doctor(_: argparse.Namespace) -> int:
    from mcu_harness.app.doctor import examine

    lines, usable = examine()
    print(*lines, sep="\n")
    return PASS if usable else ERROR


def _renode_path(_: argparse.Namespace) -> int:
    from mcu_harness.emulator.renode.find import find_renode

    print(find_renode().path)
    return PASS


def _renode_install(arguments: argparse.Namespace) -> int:
    from mcu_harness.emulator.renode import install, versions

    found = install.install(arguments.version or versions.INSTALLED_BY_DEFAULT)
    print(f"Renode {found.version} is installed: {found.path}")
    return PASS


if __name__ == "__main__":
    sys.exit(main())
