"""What CI services read: GitHub, GitLab, JUnit, pull-request comments."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.base.errors import ResultsError
from mcu_harness.results.coverage_records import BranchCoverage, Coverage, FileCoverage, FunctionCoverage, LineCoverage
from mcu_harness.results.records import BaselineCheck, Contributor, FigureChange, Finding, Results, RunResult, Verdict
from mcu_harness.results.report import github, gitlab, junit, pr_comment
from mcu_harness.results.report.formats import FORMATS
from sample_results import FAILING, HOSTILE, PASSING, RESULTS

xmlschema = pytest.importorskip("xmlschema")
SCHEMA = Path(__file__).parents[2] / "data" / "junit_xunit2.xsd"
COMMAND = re.compile(r"::(error|warning|notice) ((?:[a-z]+=[^,:]*,?)+)::(.*)")


def undone(value: str) -> str:
    """Workflow command text as GitHub shows it."""
    for escaped, plain in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        value = value.replace(escaped, plain)
    return value


def scenario(folder: Path) -> Path:
    path = folder / "tiny.toml"
    path.write_text(
        'model = "tiny.tflite"\nboards = []\n\n[budgets]\nflash = "5 KiB"\n\n[budgets.board_b]\nflash = "5 KiB"\n'
    )
    return path


def moved(run: RunResult, figure: str, before: float, after: float) -> RunResult:
    change = FigureChange(figure, before, after, (Contributor("layer 00 CONV_2D", after - before),))
    check = BaselineCheck("b.json", Verdict.PASS, causes=("kernels",), changes=(change,))
    return replace(run, baseline=check)


def test_annotation_names_file_line_case_and_parts(tmp_path: Path) -> None:
    run = replace(FAILING, scenario_path=str(scenario(tmp_path)))
    (line,) = github.annotation_lines(Results((PASSING, run)), tmp_path)
    match = COMMAND.fullmatch(line)
    assert match is not None and match[1] == "error"
    properties = dict(part.split("=", 1) for part in match[2].split(","))
    assert (properties["file"], properties["line"]) == ("tiny.toml", "8")
    assert undone(properties["title"]) == "tiny on board_b: budget.flash"
    assert "20.0 %" in undone(match[3]) and "symbol_0" in undone(match[3])


@pytest.mark.parametrize("text", ["100%", "a\nb", "a\r\nb", "x,y:z", "%0A", "::error::x", "%25"])
def test_annotation_keeps_every_character_and_is_one_line(text: str) -> None:
    finding = Finding(f"budget.{text}", Verdict.FAIL, text, "do")
    (line,) = github.annotation_lines(Results((replace(PASSING, findings=(finding,)),)))
    assert "\n" not in line and "\r" not in line
    match = COMMAND.fullmatch(line)
    assert match is not None
    assert undone(match[2].removeprefix("title=")) == f"tiny on board_a: budget.{text}"
    assert undone(match[3]) == f"{text}\ndo"


def test_what_github_would_drop_is_counted() -> None:
    runs = tuple(replace(FAILING, board=f"board_{i}") for i in range(25))
    lines = github.annotation_lines(Results(runs))
    assert len(lines) == 11 and lines[-1].startswith("::notice ") and "15 more" in lines[-1]


def test_step_summary_is_appended_where_github_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "summary"
    target.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(target))
    assert len(github.publish(RESULTS)) == 1
    github.check_summary()
    github.write_summary(RESULTS)
    assert target.read_text().startswith("before\n<!-- mcu-harness -->\n### mcu-harness: 1 failed, 1 passed")


def test_code_quality_has_what_gitlab_requires(tmp_path: Path) -> None:
    run = replace(FAILING, scenario_path=str(scenario(tmp_path)))
    (issue,) = json.loads(gitlab.code_quality(Results((PASSING, run)), tmp_path))
    assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
    assert issue["location"] == {"path": "tiny.toml", "lines": {"begin": 8}}


def test_fingerprint_stays_with_the_finding_and_not_with_its_figures() -> None:
    def prints(*runs: RunResult) -> list[str]:
        return [issue["fingerprint"] for issue in json.loads(gitlab.code_quality(Results(runs)))]

    (first,) = prints(FAILING)
    (finding,) = FAILING.findings
    assert prints(replace(FAILING, findings=(replace(finding, message="other", measured=7000),))) == [first]
    assert prints(replace(FAILING, board="other")) != [first]
    assert len(set(prints(FAILING, replace(FAILING, board="x"), replace(FAILING, findings=(finding, finding))))) == 3


def test_junit_is_valid_and_carries_figures_and_failures() -> None:
    hostile = replace(FAILING, scenario="a\x00b", findings=(replace(FAILING.findings[0], message=f"\x1b[1m{HOSTILE}"),))
    text = junit.to_text(Results((PASSING, hostile, replace(PASSING, verdict=Verdict.NOT_COMPARABLE))))
    xmlschema.XMLSchema(str(SCHEMA)).validate(text)
    assert 'tests="3" failures="1" errors="0" skipped="1"' in text
    assert '<property name="mcu_flash_bytes" value="6144" />' in text
    assert "mcu_stack_hwm_bytes" not in text, "what was not measured is left out"


def test_schema_refuses_what_is_not_junit() -> None:
    schema = xmlschema.XMLSchema(str(SCHEMA))
    good = junit.to_text(RESULTS)
    assert schema.is_valid(good)
    assert not schema.is_valid(good.replace("<testcase ", "<case ").replace("</testcase>", "</case>"))
    assert not schema.is_valid(good.replace('tests="2"', 'tests="two"'))
    assert not schema.is_valid(good.replace("<property name=", "<property nam="))


def test_comment_says_what_got_worse_and_better_and_why() -> None:
    runs = (moved(PASSING, "cycles", 1000, 1100), moved(FAILING, "flash_bytes", 6400, 6144))
    text = pr_comment.to_text(Results(runs)).replace("\\", "")
    worse, better = text.index("| Worse "), text.index("| Better ")
    assert worse < text.index("1,000 -> 1,100 (+10.00 %)") < better < text.index("6,400 -> 6,144 B (-4.00 %)")
    assert "The kernels changed." in text and "layer 00 CONV" in text
    assert "1 failed, 1 passed" in text and "over the budget" in text


def test_comment_compares_with_older_results_when_given() -> None:
    cycles = replace(PASSING.measurements["cycles"], value=30_000)
    later = replace(PASSING, measurements={**PASSING.measurements, "cycles": cycles})
    text = pr_comment.to_text(Results((later,)), Results((PASSING,))).replace("\\", "")
    assert "26,514 -> 30,000 (+13.15 %)" in text
    assert "No figure moved in 1 compared run." in pr_comment.to_text(Results((PASSING,)), Results((PASSING,)))


def test_comment_is_at_most_a_screen_however_much_moved() -> None:
    runs = [
        replace(moved(FAILING, figure, 1000, 1000 + step), scenario=f"s{i}", board=f"b{i % 7}")
        for i in range(60)
        for figure, step in (("cycles", 10 + i), ("flash_bytes", -10 - i), ("ram_bytes", i))
        if step
    ]
    text = pr_comment.to_text(Results(tuple(runs)))
    assert len(text.splitlines()) <= 40
    assert "more" in text


def test_boards_of_one_change_share_a_row() -> None:
    runs = tuple(replace(moved(PASSING, "cycles", 1000, 1100 + i), board=f"b{i}") for i in range(12))
    rows = [line for line in pr_comment.to_text(Results(runs)).splitlines() if line.startswith("| tiny")]
    assert len(rows) == 1 and "b11 and 11 more boards" in rows[0].replace("\\", "")


def test_untrusted_names_are_inert_in_the_comment() -> None:
    run = moved(replace(FAILING, scenario=HOSTILE, model=HOSTILE, board=HOSTILE), "cycles", 1, 2)
    text = pr_comment.to_text(Results((run,)))
    assert "<script" not in text.replace("\\<", "") and "\n# boo" not in text


OF_COVERAGE = ("lcov", "cobertura")


@pytest.mark.parametrize("name", OF_COVERAGE)
def test_formats_of_coverage_take_hostile_names_and_say_when_there_is_none(name: str) -> None:
    make = FORMATS[name].text
    assert make is not None
    lines = (LineCoverage(1, 2), LineCoverage(2, 0))
    function = FunctionCoverage(HOSTILE, 1, 0)
    file = FileCoverage(f"src/{HOSTILE}", lines, (BranchCoverage(1, 0, 2, 0),), (function,))
    text = make(Results((replace(PASSING, coverage=Coverage((file,))),)), None)
    if name == "lcov":
        assert "DA:2,0" in text.splitlines()
        assert not any(line.startswith("# boo") for line in text.splitlines())
    else:
        (found,) = ET.fromstring(text).iter("class")
        assert found.attrib["filename"] == f"src/{HOSTILE}".replace("\n", "?")
    for results in (Results(()), RESULTS):
        with pytest.raises(ResultsError, match="--coverage"):
            make(results, None)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.text and name not in OF_COVERAGE])
def test_every_text_format_takes_hostile_results_and_none_at_all(name: str) -> None:
    make = FORMATS[name].text
    assert make is not None
    hostile = replace(FAILING, scenario=HOSTILE, model=HOSTILE, board=HOSTILE, console="\x00\x1b[31m")
    for results in (Results(()), Results((PASSING, hostile)), RESULTS):
        assert make(results, None) == make(results, None)
