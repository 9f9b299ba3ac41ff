"""Commands over results files: report, compare, merge, history."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mcu_harness.app.cli.commands.shared import FAIL, PASS, check_places
from mcu_harness.base.errors import HarnessError
from mcu_harness.base.text import counted, one_line

if TYPE_CHECKING:
    from mcu_harness.results.records import Results


def add_report(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `report`."""
    from mcu_harness.results.report.formats import FORMATS

    parser.add_argument(
        "results", type=Path, nargs="?", metavar="RESULTS.json", help="what a run wrote with --json or --report-dir"
    )
    parser.add_argument(
        "--format",
        default="terminal",
        metavar="NAME",
        help=f"{', '.join(FORMATS)} (default: terminal); `--format help` says what each is",
    )
    parser.add_argument("--baseline", type=Path, metavar="OLD.json", help="pr-comment: what to compare with")
    parser.add_argument("--output", type=Path, metavar="PATH", help="write it there; markdown: a directory")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="terminal: layer tables, too")
    parser.set_defaults(command=_report)


def add_compare(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `compare`."""
    for name in ("before", "after"):
        parser.add_argument(name, type=Path, metavar=name.upper(), help="a results.json, or a directory of baselines")
    parser.add_argument(
        "--fail",
        action="append",
        default=[],
        metavar="FIGURE:AMOUNT",
        help="as in cycles:2%% or flash:+256 (repeatable)",
    )
    parser.add_argument(
        "--allow-gone", action="store_true", help="with --fail: cases that are not there any more are no failure"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the comparison there")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="all cases and all parts that moved")
    parser.set_defaults(command=_compare)


def add_merge(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `merge`."""
    parser.add_argument("parts", nargs="+", type=Path, metavar="RESULTS.json")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="ALL.json")
    parser.set_defaults(command=_merge)


def add_history(parser: argparse.ArgumentParser) -> None:
    """Fill the parser of `history`."""
    parser.add_argument(
        "what", nargs="*", type=Path, metavar="WHAT", help="results files, oldest first, or one directory of baselines"
    )
    parser.add_argument("--commits", type=int, default=100, metavar="N", help="how far back in git (default: 100)")
    parser.add_argument("--format", choices=("terminal", "csv", "svg", "html"), default="terminal")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there")
    parser.add_argument("-v", "--verbose", action="count", default=0, help="every point")
    parser.set_defaults(command=_history)


def _report(arguments: argparse.Namespace) -> int:
    from mcu_harness.base.files import write_text
    from mcu_harness.base.toml_reader import did_you_mean
    from mcu_harness.results import results_file as results_json
    from mcu_harness.results.report.formats import FORMATS

    if arguments.format == "help":
        print(*(f"{name:24} {form.about}" for name, form in FORMATS.items()), sep="\n")
        return PASS
    if arguments.format not in FORMATS:
        raise HarnessError(
            f"no format is called {arguments.format!r}", hint=did_you_mean(arguments.format, tuple(FORMATS))
        )
    if arguments.results is None:
        raise HarnessError("report of what?", hint="give the RESULTS.json that a run wrote with --json or --report-dir")
    form = FORMATS[arguments.format]
    results = results_json.load(arguments.results)
    if form.files is not None:
        for path in form.files(results, arguments.output or arguments.results.parent):
            print(one_line(f"wrote {path}"))
        return PASS
    assert form.text is not None
    if arguments.format == "terminal" and arguments.output is None:
        return _show(results, arguments.verbose)
    before = results_json.load(arguments.baseline) if arguments.baseline else None
    made = form.text(results, before)
    if arguments.output is None:
        sys.stdout.write(made)
    else:
        write_text(arguments.output, made)
        print(one_line(f"wrote {arguments.output}"))
    return PASS


def _show(results: Results, verbosity: int) -> int:
    from mcu_harness.results.records import Verdict
    from mcu_harness.results.report import terminal

    for run in results.runs:
        if run.verdict is not Verdict.PASS or verbosity:
            print(terminal.failure_text(run, verbosity), end="\n\n")
    print(terminal.summary_table(results), "", *terminal.notes(results), sep="\n")
    return PASS if results.verdict is Verdict.PASS else FAIL


def _compare(arguments: argparse.Namespace) -> int:
    from mcu_harness.base.files import write_text
    from mcu_harness.results.matching import pair, read_snapshots
    from mcu_harness.results.report import comparison_text
    from mcu_harness.scenario.tolerance import parse_tolerance

    check_places([arguments.json])
    tolerances = [parse_tolerance(text) for text in arguments.fail]
    pairs = pair(read_snapshots(arguments.before), read_snapshots(arguments.after))
    findings = comparison_text.judge(pairs, tolerances, arguments.allow_gone)
    sys.stdout.write(comparison_text.to_text(pairs, findings, arguments.verbose))
    if arguments.json:
        write_text(arguments.json, comparison_text.to_json(pairs, findings))
    return FAIL if findings else PASS


def _merge(arguments: argparse.Namespace) -> int:
    from mcu_harness.results import results_file as results_json
    from mcu_harness.results.merge import merge

    check_places([arguments.output])
    parts = [(path, results_json.load(path)) for path in arguments.parts]
    results = merge(parts)
    results_json.save(results, arguments.output)
    given = sum(len(part.runs) for _, part in parts)
    twice = f" ({counted(given - len(results.runs), 'run')} given twice)" if given > len(results.runs) else ""
    print(one_line(f"wrote {arguments.output}: {counted(len(results.runs), 'run')}{twice}"))
    return PASS


def _history(arguments: argparse.Namespace) -> int:
    from mcu_harness.base.files import write_text
    from mcu_harness.results import history
    from mcu_harness.results.report import trend
    from mcu_harness.scenario.scenario import BASELINES

    check_places([arguments.output])
    what = arguments.what or [Path("scenarios") / BASELINES]
    if len(what) == 1 and not what[0].is_file():
        series = history.from_git(what[0], arguments.commits)
    else:
        series = history.from_files(what)
    if arguments.format == "html":
        from mcu_harness.results.report.html import html_file

        made = html_file.trend_text(series)
    elif arguments.format == "terminal":
        made = trend.table(series, arguments.verbose)
    else:
        made = trend.to_csv(series) if arguments.format == "csv" else trend.to_svg(series)
    if arguments.output is None:
        sys.stdout.write(made)
    else:
        write_text(arguments.output, made)
        print(one_line(f"wrote {arguments.output}"))
    return PASS
