"""JUnit XML: figures as properties of a test case, and a file of one's own for results that pytest did not make."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from mcu_harness.base.text import for_xml
from mcu_harness.results.records import Results, RunResult, Verdict
from mcu_harness.results.report import text
from mcu_harness.results.report.terminal import failure_text


def properties(run: RunResult) -> list[tuple[str, object]]:
    """Figures as (name, value); what was not measured is left out, never 0."""
    figures: list[tuple[str, object]] = [
        ("mcu_board", run.board),
        ("mcu_toolchain", text.tool(run.toolchain)),
        ("mcu_emulator", text.tool(run.emulator)),
        ("mcu_verdict", str(run.verdict)),
    ]
    figures += [(f"mcu_{m.name}", m.value) for m in text.ordered(run.measurements) if m.value is not None]
    return figures


def to_text(results: Results) -> str:
    """All runs as one test suite, in the form that pytest calls xunit2."""
    failed = [run for run in results.runs if _is_failure(run)]
    skipped = [run for run in results.runs if run.verdict is Verdict.NOT_COMPARABLE]
    counts = {"tests": len(results.runs), "failures": len(failed), "errors": 0, "skipped": len(skipped)}
    suites = ET.Element("testsuites", name="mcu-harness")
    suite = ET.SubElement(suites, "testsuite", {"name": "mcu-harness", **{key: str(n) for key, n in counts.items()}})
    for run in results.runs:
        case = ET.SubElement(suite, "testcase", classname=for_xml(run.case_name), name=for_xml(run.board))
        listed = ET.SubElement(case, "properties")
        for name, value in properties(run):
            ET.SubElement(listed, "property", name=for_xml(name), value=for_xml(str(value)))
        if _is_failure(run):
            first = next((f.message for f in run.findings if f.verdict is not Verdict.PASS), str(run.verdict))
            ET.SubElement(case, "failure", message=for_xml(first)).text = for_xml(failure_text(run))
        elif run.verdict is Verdict.NOT_COMPARABLE:
            message = "; ".join(f.message for f in run.findings if f.verdict is Verdict.NOT_COMPARABLE)
            ET.SubElement(case, "skipped", message=for_xml(message))
    ET.indent(suites, " ")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _is_failure(run: RunResult) -> bool:
    return run.verdict in (Verdict.FAIL, Verdict.NOT_MEASURED)
