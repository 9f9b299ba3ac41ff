"""Every format that `mcu-harness report` writes, by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mcu_harness.results.records import Results, Verdict
from mcu_harness.results.report import (
    benchmarks,
    coverage_files,
    csv,
    flame_graph,
    github,
    gitlab,
    junit,
    markdown,
    openmetrics,
    pr_comment,
    terminal,
    variants_text,
)


@dataclass(frozen=True, slots=True)
class Format:
    """A format is either one text, of results and what they are compared with, or files of its own.

    `files(results, output)` writes to the place `output` and returns the paths.
    """

    about: str
    text: Callable[[Results, Results | None], str] | None = None
    files: Callable[[Results, Path], list[Path]] | None = None


def _one(make: Callable[[Results], str]) -> Callable[[Results, Results | None], str]:
    return lambda results, _: make(results)


def _terminal(results: Results) -> str:
    failed = [terminal.failure_text(run) for run in results.runs if run.verdict is not Verdict.PASS]
    table = [terminal.summary_table(results), "", *terminal.notes(results)]
    return "\n\n".join([*failed, "\n".join(table)]) + "\n"


def _top(variable: str) -> Path | None:
    """The checkout's top, as the CI service says."""
    return Path(os.environ[variable]) if os.environ.get(variable) else None


def _annotations(results: Results) -> str:
    return "".join(f"{line}\n" for line in github.annotation_lines(results, _top("GITHUB_WORKSPACE")))


def _html(results: Results, output: Path) -> list[Path]:
    from mcu_harness.results.report.html import html_file  # plotting is an extra, and heavy

    return html_file.write_html(results, output)


def _html_boards(results: Results, output: Path) -> list[Path]:
    from mcu_harness.results.report.html import html_file

    return html_file.write_board_pages(results, output)


def _html_variants(results: Results, output: Path) -> list[Path]:
    from mcu_harness.results.report.html import html_file

    html_file.check_available()
    from mcu_harness.results.report.html import variants_page

    return variants_page.write_variants_page(results, output)


FORMATS: dict[str, Format] = {
    "terminal": Format("the summary table and what failed", _one(_terminal)),
    "markdown": Format("a Markdown report per board, in a directory", files=markdown.write_board_reports),
    "html": Format("one self-contained page for all boards (extra html; 5 MB and more)", files=_html),
    "html-boards": Format("a self-contained page per board, in a directory (5 MB each)", files=_html_boards),
    "pr-comment": Format("Markdown for a pull request: what got worse, what got better", pr_comment.to_text),
    "github": Format("GitHub annotations, to be printed in a job", _one(_annotations)),
    "gitlab": Format(
        "GitLab code-quality JSON", _one(lambda results: gitlab.code_quality(results, _top("CI_PROJECT_DIR")))
    ),
    "openmetrics": Format("OpenMetrics text: GitLab metrics report, Prometheus", _one(openmetrics.to_text)),
    "junit": Format("JUnit XML with figures as properties", _one(junit.to_text)),
    "lcov": Format("coverage as an lcov tracefile, for genhtml and editors", _one(coverage_files.lcov)),
    "cobertura": Format("coverage as Cobertura XML, for GitLab, Jenkins and gcovr", _one(coverage_files.cobertura)),
    "csv": Format("a row per run", _one(csv.runs)),
    "csv-layers": Format("a row per layer of every run", _one(csv.layers)),
    "csv-memory": Format("a row per layer and what it read and wrote, of runs with a memory trace", _one(csv.accesses)),
    "variants": Format("models of one scenario beside each other, as Markdown", _one(variants_text.markdown)),
    "variants-html": Format("the same as a page with plots (extra html; small)", files=_html_variants),
    "variants-csv": Format("a row per variant and board", _one(variants_text.to_csv)),
    "variants-json": Format("variants with who dominates whom, and their layers", _one(variants_text.to_json)),
    "speedscope": Format("call trees for speedscope.app", _one(flame_graph.speedscope)),
    "collapsed": Format("collapsed stacks for flame graph tools", _one(flame_graph.collapsed)),
    "github-action-benchmark": Format("for the tool customSmallerIsBetter", _one(benchmarks.github_action_benchmark)),
    "bencher": Format("Bencher Metric Format", _one(benchmarks.bencher)),
}
