"""GitHub Actions: an annotation per finding and a step summary.

Formats: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands (annotations are lines
on stdout, `%`, CR and LF escaped in the message, `:` and `,` too in properties; the summary is Markdown appended to
the file that GITHUB_STEP_SUMMARY names, at most 1 MiB a step). GitHub shows ten errors and ten warnings a step.
"""

from __future__ import annotations

import os
from pathlib import Path

from mcu_harness.base.errors import HarnessError
from mcu_harness.base.text import for_command_message, for_command_property
from mcu_harness.results.records import Finding, Results, RunResult, Verdict
from mcu_harness.results.report import pr_comment, text
from mcu_harness.results.report.finding_location import place_of

_MOST_ERRORS = 10
_SUMMARY_LIMIT_BYTES = 1 << 20
_SUMMARY = "GITHUB_STEP_SUMMARY"


def annotation_lines(results: Results, root: Path | None = None) -> list[str]:
    """Workflow commands for all findings that are no pass, failures first; what GitHub would drop is counted last."""
    errors, warnings = [], []
    for run in results.runs:
        for finding in run.findings:
            if finding.verdict is Verdict.FAIL:
                errors.append(_command("error", run, finding, root))
            elif finding.verdict is not Verdict.PASS:
                warnings.append(_command("warning", run, finding, root))
    shown = [*errors[:_MOST_ERRORS], *warnings[:_MOST_ERRORS]]
    rest = len(errors) + len(warnings) - len(shown)
    return [*shown, f"::notice title=mcu-harness::{rest} more findings are in the step summary"] if rest else shown


def _command(level: str, run: RunResult, finding: Finding, root: Path | None) -> str:
    path, line = place_of(run, finding, root)
    title = f"{run.case_name} on {run.board}: {finding.code}"
    where = f"file={for_command_property(path)},line={line}," if path else ""
    lines = [finding.message, *finding.details]
    if finding.contributors:
        parts = [text.contributor_text(item, finding) for item in finding.contributors[:3]]
        lines.append(("moved: " if finding.baseline is not None else "largest: ") + "; ".join(parts))
    lines.append(finding.advice)
    return f"::{level} {where}title={for_command_property(title)}::{for_command_message(chr(10).join(lines))}"


def publish(results: Results) -> list[str]:
    """The lines to print in a job on GitHub."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    return annotation_lines(results, Path(workspace) if workspace else None)


def write_summary(results: Results) -> None:
    """Append the step summary where GitHub wants it; raises HarnessError."""
    target = os.environ.get(_SUMMARY)
    if not target:
        return
    summary = pr_comment.to_text(results).encode("utf-8", errors="backslashreplace")
    try:
        with Path(target).open("ab") as stream:
            if stream.tell() + len(summary) <= _SUMMARY_LIMIT_BYTES:
                stream.write(summary)
    except OSError as error:
        raise _no_summary(target, error) from error


def check_summary() -> None:
    """Raise HarnessError where the step summary cannot be appended to, before there is one."""
    target = os.environ.get(_SUMMARY)
    if not target:
        return
    existed = Path(target).exists()
    try:
        Path(target).open("ab").close()
        if not existed:
            Path(target).unlink()
    except OSError as error:
        raise _no_summary(target, error) from error


def _no_summary(target: str, error: OSError) -> HarnessError:
    return HarnessError(
        f"{target}: the step summary cannot be written: {error.strerror}",
        hint=f"{_SUMMARY} names the file; without it there is no summary",
    )
