"""The command line: arguments -> one object -> library calls. Exit status 0 pass, 1 fail, 2 usage or set-up error."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness import __version__
from harness.errors import HarnessError

PASS, FAIL, ERROR = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of `mcu-harness`."""
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
    except BrokenPipeError:  # `mcu-harness boards | head`
        sys.stderr.close()
        return PASS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mcu-harness",
        description="Know before you flash: int8 neural networks on emulated Arm Cortex-M boards.",
    )
    parser.add_argument("--version", action="version", version=f"mcu-harness {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="build a model for boards, run it, judge it")
    run.add_argument(
        "what", nargs="+", type=Path, metavar="MODEL_OR_SCENARIO", help="a .tflite model or a scenario .toml"
    )
    run.add_argument(
        "--board", action="append", default=[], metavar="B", help="a board name or board .toml (repeatable)"
    )
    run.add_argument("--emulator", default="auto", metavar="E", help="auto, unicorn or renode")
    run.add_argument("--toolchain", default="auto", metavar="T", help="auto, gnu or zig")
    run.add_argument("--json", type=Path, metavar="FILE", help="write results.json there")
    run.add_argument("--report-dir", type=Path, metavar="DIR", help="write results.json and Markdown reports there")
    run.add_argument(
        "-v", "--verbose", action="count", default=0, help="show the layer table; twice: for passing runs too"
    )
    run.set_defaults(command=_run)

    boards = commands.add_parser("boards", help="list the boards")
    boards.set_defaults(command=_boards)

    doctor = commands.add_parser("doctor", help="what is installed, what is missing, how to get it")
    doctor.set_defaults(command=_doctor)

    report = commands.add_parser("report", help="show a results.json again, or as another format")
    report.add_argument("results", type=Path, metavar="RESULTS.json")
    report.add_argument("--format", choices=("terminal", "markdown"), default="terminal")
    report.add_argument("--output", type=Path, metavar="DIR", help="markdown: write a report per board there")
    report.add_argument("-v", "--verbose", action="count", default=0)
    report.set_defaults(command=_report)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from harness.cases import Options, cases_of
    from harness.records import Verdict
    from harness.report import json as results_json
    from harness.report.terminal import failure_text, layer_table
    from harness.session import Session

    boards = tuple(arguments.board)
    scenarios = [_scenario(path, boards) for path in arguments.what]
    cases = [case for scenario in scenarios for case in cases_of(scenario, boards)]
    options = Options(emulator=arguments.emulator, toolchain=arguments.toolchain)
    session = Session()
    try:
        for number, case in enumerate(cases, start=1):
            show = _progress(f"[{number}/{len(cases)}] {case.scenario.name} on {case.board.name}")
            result = session.run(case, options, show)
            show("")
            if result.verdict is not Verdict.PASS:
                print(failure_text(result, arguments.verbose), end="\n\n")
            elif arguments.verbose:
                print(f"{result.scenario} on {result.board}", layer_table(result), sep="\n", end="\n\n")
    finally:
        session.close()
    print(*session.summary_lines(), sep="\n")
    if arguments.json:
        results_json.save(session.results, arguments.json)
    if arguments.report_dir:
        for path in session.write(arguments.report_dir):
            print(f"wrote {path}")
    return PASS if session.results.verdict is Verdict.PASS else FAIL


def _scenario(path: Path, boards: tuple[str, ...]):  # type: ignore[no-untyped-def]
    from harness.scenario import load_scenario, scenario_for_model

    if path.suffix == ".toml":
        return load_scenario(path)
    if not boards:
        raise HarnessError(
            f"{path}: which board?", hint="add --board NAME (repeatable); `mcu-harness boards` lists them"
        )
    return scenario_for_model(path, boards)


def _progress(label: str) -> Callable[[str], None]:
    """One line on a terminal, rewritten as the run goes on; nothing where stderr is a file."""

    def show(step: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{label}: {step}" if step else "\r\x1b[K")
            sys.stderr.flush()

    return show


def _boards(_: argparse.Namespace) -> int:
    from harness.report.boards import boards_table

    print(boards_table())
    return PASS


def _doctor(_: argparse.Namespace) -> int:
    from harness.doctor import examine

    lines, usable = examine()
    print(*lines, sep="\n")
    return PASS if usable else ERROR


def _report(arguments: argparse.Namespace) -> int:
    from harness.records import Verdict
    from harness.report import json as results_json
    from harness.report import markdown, terminal

    results = results_json.load(arguments.results)
    if arguments.format == "markdown":
        directory = arguments.output or arguments.results.parent
        for path in markdown.write_board_reports(results, directory):
            print(f"wrote {path}")
        return PASS
    for run in results.runs:
        if run.verdict is not Verdict.PASS or arguments.verbose:
            print(terminal.failure_text(run, arguments.verbose), end="\n\n")
    print(terminal.summary_table(results), "", *terminal.notes(results), sep="\n")
    return PASS if results.verdict is Verdict.PASS else FAIL


if __name__ == "__main__":
    sys.exit(main())
