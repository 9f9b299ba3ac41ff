"""GitLab: a code-quality report, shown beside the changed lines of a merge request, and a metrics report.

Formats: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format and
https://docs.gitlab.com/ci/testing/metrics_reports/ (OpenMetrics text, see `openmetrics`).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mcu_harness.results.records import Finding, Results, RunResult, Verdict
from mcu_harness.results.report import text
from mcu_harness.results.report.finding_location import place_of

_SEVERITY = {
    Verdict.FAIL: "critical",
    Verdict.NOT_COMPARABLE: "major",
    Verdict.NOT_MEASURED: "major",
    Verdict.PASS: "info",
}


def code_quality(results: Results, root: Path | None = None) -> str:
    """All findings as code-quality JSON; paths are from `root`, the checkout's top."""
    issues = []
    for run in results.runs:
        seen: dict[str, int] = {}
        for finding in run.findings:
            number = seen[finding.code] = seen.get(finding.code, 0) + 1
            path, line = place_of(run, finding, root)
            issues.append(
                {
                    "description": _description(run, finding),
                    "check_name": f"mcu-harness.{finding.code}",
                    "fingerprint": _fingerprint(run, finding, number),
                    "severity": _SEVERITY[finding.verdict],
                    "location": {"path": path or run.model, "lines": {"begin": line}},
                }
            )
    return json.dumps(issues, indent=1, ensure_ascii=False) + "\n"


def _description(run: RunResult, finding: Finding) -> str:
    parts = [text.contributor_text(item, finding) for item in finding.contributors[:3]]
    because = f" ({'; '.join(parts)})" if parts else ""
    return f"{run.case_name} on {run.board}: {finding.message}{because}. {finding.advice}"


def _fingerprint(run: RunResult, finding: Finding, number: int) -> str:
    """The same for the same finding of the same case, whatever its figures: GitLab tells new from known by it.

    Flags are left out, so that a change of flags does not make every finding new.
    """
    case = (run.scenario, run.model, run.board, run.toolchain.name, run.emulator.name)
    parts = (*case, finding.code, str(number), *([run.test] if run.test else []))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()
