"""Codes of findings have one home, and decisions are made by category."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import mcu_harness
from mcu_harness.results.board_matrix import Standing, matrix
from mcu_harness.results.finding_codes import Category, Code, baseline_code, budget_code, category_of, key_of
from mcu_harness.results.records import BaselineCheck, FigureChange, Finding, Results, Verdict
from mcu_harness.results.report.baseline_notes import baseline_notes
from mcu_harness.results.report.terminal import failure_text
from sample_results import PASSING

PACKAGE = Path(mcu_harness.__file__).parent


def literals(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def literal_codes_of_findings(path: Path) -> list[str]:
    """Codes that findings are made with as plain text."""
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    findings = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Finding")
    given = [[*call.args[:1], *(word.value for word in call.keywords if word.arg == "code")] for call in findings]
    return [ast.unparse(each) for codes in given for each in codes if isinstance(each, ast.Constant | ast.JoinedStr)]


def test_codes_are_written_nowhere_but_in_their_list() -> None:
    home = PACKAGE / "results" / "finding_codes.py"
    assert "run.timeout" in literals(home)
    others = [path for path in PACKAGE.rglob("*.py") if path != home]
    assert len(others) > 200
    assert {f"{path.name}: {text}" for path in others for text in literals(path) & set(Code)} == set()
    assert [f"{path.name}: {code}" for path in others for code in literal_codes_of_findings(path)] == []


def test_every_code_is_used() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert [code.name for code in Code if f"Code.{code.name}" not in text] == []


@pytest.mark.parametrize("code", Code)
def test_every_code_has_a_category(code: Code) -> None:
    assert category_of(code) is not Category.OTHER
    assert f"{category_of(code)}.{key_of(code)}" == code


def test_codes_of_figures_have_the_key_of_the_figure() -> None:
    assert (budget_code("flash"), key_of(budget_code("flash"))) == ("budget.flash", "flash")
    assert category_of(baseline_code("cycles")) is Category.BASELINE


@pytest.mark.parametrize("code", ["", "budget", "invented.here", "BUDGET.flash", "."])
def test_a_code_of_another_version_is_of_no_category(code: str) -> None:
    assert category_of(code) is (Category.BUDGET if code == "budget" else Category.OTHER)


@pytest.mark.parametrize(
    ("code", "standing"),
    [
        (Code.FIT_FLASH, Standing.TOO_SMALL),
        (Code.RUN_STACK_OVERFLOW, Standing.TOO_SMALL),
        (Code.FAULT_READ, Standing.FAILS),
        (budget_code("flash"), Standing.MISSES),
        (baseline_code("cycles"), Standing.MEETS),
    ],
)
def test_how_a_model_stands_on_a_board_follows_from_the_category(code: str, standing: Standing) -> None:
    run = replace(PASSING, verdict=Verdict.FAIL, findings=(Finding(code, Verdict.FAIL, "what", "do"),))
    (fit,) = matrix(Results((run,))).fits.values()
    assert fit.standing is standing


@pytest.mark.parametrize(("code", "is_shown"), [(Code.RUN_TIMEOUT, True), (budget_code("flash"), False)])
def test_the_console_is_shown_where_the_firmware_did_not_do_its_work(code: str, is_shown: bool) -> None:
    run = replace(PASSING, verdict=Verdict.FAIL, findings=(Finding(code, Verdict.FAIL, "what", "do"),))
    assert ("| mcu-harness: start" in failure_text(run)) is is_shown


def test_of_accepted_baselines_those_that_moved_are_named_first() -> None:
    def accepted(message: str, check: BaselineCheck | None) -> object:
        finding = Finding(Code.BASELINE_ACCEPTED, Verdict.PASS, message, "commit the file")
        return replace(PASSING, findings=(finding,), baseline=check)

    same = BaselineCheck("a.json", Verdict.PASS)
    moved = replace(same, changes=(FigureChange("cycles", 1, 2),))
    runs = (accepted("a -> b is a name", same), accepted("new", None), accepted("grew", moved))
    assert baseline_notes(Results(runs), (), ()) == [  # type: ignore[arg-type]
        "baseline: grew",
        "baseline: a -> b is a name",
        "baseline: new",
    ]
