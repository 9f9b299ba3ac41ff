"""Coverage from executed blocks, against gcov on the same program compiled for the host, and as other tools read it."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_runs import run_case
from live_boards import Kept, live_board
from live_firmware import shell
from mcu_harness.app.cli.main import main
from mcu_harness.app.options import Options
from mcu_harness.app.session import Session
from mcu_harness.base.errors import ScenarioError
from mcu_harness.results.coverage_records import Coverage, FileCoverage, LineCoverage, Share, lines_of, merged
from mcu_harness.results.records import Results, RunResult, Verdict
from mcu_harness.results.report import coverage_files, coverage_text
from mcu_harness.scenario.cases import cases_of
from mcu_harness.scenario.firmware_tables import FirmwareSpec
from mcu_harness.scenario.limits import Budget
from mcu_harness.scenario.scenario import load_scenario, scenario_for_firmware
from user_firmware import build, tool

pytestmark = pytest.mark.gnu

BOARD = "stm32f4_discovery"
# What ran and what did not: both ways of branches, loops of no turns, switches, early returns, functions never called.
PROGRAM = """
volatile int input = 7, output;

static int never(int x) {
    return x * 3;
}

static int kind(int x) {
    switch (x) {
    case 1:
        return 10;
    case 2:
        return 20;
    case 7:
        x += 1;
        break;
    default:
        return 0;
    }
    return x;
}

static int loop(int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
        if (i % 2) {
            sum += i;
        } else {
            sum -= 1;
        }
    }
    while (n < 0) {
        sum = never(n);
        n++;
    }
    return sum;
}

static int early(int x) {
    if (x > 100) {
        return never(x);
    }
    if (x < 100)
        return 1;
    return 2;
}

int main(void) {
    output = kind(input);
    output += loop(6);
    output += loop(0);
    output += early(input);
    if (output == 12345)
        output = never(1);
    return 0;
}
"""


def covered(elf: Path, **budgets: Budget) -> RunResult:
    spec = FirmwareSpec(image=str(elf))
    scenario = replace(scenario_for_firmware(elf, (BOARD,), spec), budgets=budgets)
    session = Session()
    try:
        (case,) = cases_of(scenario)
        return session.run(case, Options(emulator="unicorn", coverage=not budgets), gated=False)
    finally:
        session.close()


def file_of(coverage: Coverage | None, name: str) -> FileCoverage:
    assert coverage is not None
    (found,) = [file for file in coverage.files if file.path.endswith(name)]
    return found


def by_line(file: FileCoverage) -> dict[int, bool]:
    return {line.line: line.count > 0 for line in file.lines}


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("program"), PROGRAM, flags=["-O0"], name="program")


@pytest.fixture(scope="module")
def result(elf: Path) -> RunResult:
    return covered(elf)


def gcov(folder: Path) -> dict[str, object]:
    """What gcov says of the same program on the host."""
    compiler = shutil.which("gcc")
    if compiler is None or shutil.which("gcov") is None:
        pytest.skip("no gcc and gcov for the host")
    (folder / "program.c").write_text(PROGRAM)
    for command in (
        [compiler, "-O0", "-g", "--coverage", "program.c", "-o", "program"],
        ["./program"],
        ["gcov", "--json-format", "--branch-probabilities"],
    ):
        if command[0] == "gcov":
            command += [path.name for path in folder.glob("*.gcda")]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (path,) = folder.glob("*.gcov.json.gz")
    (file,) = json.loads(gzip.decompress(path.read_bytes()))["files"]
    return dict(file)


def test_lines_and_functions_are_those_of_gcov(result: RunResult, tmp_path: Path) -> None:
    there = gcov(tmp_path)
    here = file_of(result.coverage, "program.c")
    expected = {line["line_number"]: line["count"] > 0 for line in there["lines"]}
    found = by_line(here)
    # gcov counts no line for what only ends a block; of the lines that both know, all agree.
    both = expected.keys() & found.keys()
    assert {line: found[line] for line in both} == {line: expected[line] for line in both}
    assert len(both) > 30
    text = [line.strip() for line in PROGRAM.splitlines()]
    assert all(text[line - 1] in ("break;", "}") for line in found.keys() - expected.keys())
    assert all(text[line - 1].startswith(("case", "default")) for line in expected.keys() - found.keys())  # no code
    functions = {function["name"]: function["execution_count"] for function in there["functions"]}
    assert {function.name: function.count for function in here.functions} == functions


def test_counts_of_lines_are_those_of_gcov(result: RunResult, tmp_path: Path) -> None:
    there = {line["line_number"]: line["count"] for line in gcov(tmp_path)["lines"]}
    here = {line.line: line.count for line in file_of(result.coverage, "program.c").lines}
    text = PROGRAM.splitlines()
    simple = [
        n for n in there if n in here and not text[n - 1].strip().startswith(("for", "while", "if", "switch", "}"))
    ]
    assert len(simple) > 20
    assert {n: here[n] for n in simple} == {n: there[n] for n in simple}


def test_branches_say_which_way_was_never_taken(result: RunResult) -> None:
    file = file_of(result.coverage, "program.c")
    text = PROGRAM.splitlines()
    ways = {text[branch.line - 1].strip(): (branch.taken, branch.not_taken) for branch in file.branches}
    assert min(ways["if (i % 2) {"]) == 3  # six turns, half of them
    assert sorted(ways["for (int i = 0; i < n; i++) {"]) == [2, 6]
    assert sorted(ways["while (n < 0) {"]) == [0, 2]
    assert sorted(ways["if (x > 100) {"]) == [0, 1]
    assert sorted(ways["if (output == 12345)"]) == [0, 1]


def test_the_figure_has_a_budget_that_names_files(elf: Path, result: RunResult) -> None:
    share = result.value("coverage_lines")
    assert share is not None
    assert 0.5 < share < 1
    broken = covered(elf, coverage_lines=Budget("coverage_lines", share + 0.001))
    assert broken.verdict is Verdict.FAIL
    (finding,) = [f for f in broken.findings if f.code == "budget.coverage_lines"]
    assert any("program.c" in contributor.name for contributor in finding.contributors)
    assert covered(elf, coverage_lines=Budget("coverage_lines", share)).verdict is Verdict.PASS


def test_without_debug_information_nothing_is_claimed(tmp_path: Path) -> None:
    elf = build(tmp_path, PROGRAM, name="program")
    tool("strip", tmp_path, "--strip-debug", elf.name)
    result = covered(elf)
    assert result.value("coverage_lines") is None
    assert "-g" in result.measurements["coverage_lines"].origin


def test_nothing_is_said_where_nobody_asked(elf: Path) -> None:
    spec = FirmwareSpec(image=str(elf))
    result = run_case(scenario_for_firmware(elf, (BOARD,), spec))
    assert result.coverage is None
    assert "coverage_lines" not in result.measurements


def with_table(elf: Path, coverage: str) -> RunResult:
    path = elf.parent / "some.toml"
    path.write_text(
        f'boards = ["{BOARD}"]\n[firmware]\nimage = "{elf.name}"\n[profile.regions]\nkinds = ["kind"]\nidle = ["never"]\n'
        f"[coverage]\n{coverage}"
    )
    return run_case(load_scenario(path))


def test_a_scenario_says_which_files_are_to_be_covered(elf: Path, result: RunResult) -> None:
    assert result.coverage is not None and len(result.coverage.files) >= 2
    only = with_table(elf, 'sources = ["program.c"]\n')
    assert only.coverage is not None
    assert [file.path.rsplit("/")[-1] for file in only.coverage.files] == ["program.c"]
    assert only.value("coverage_lines") == lines_of(only.coverage.files).fraction
    rest = with_table(elf, 'exclude = ["prog*.c"]\n')
    assert rest.coverage is not None and "program.c" not in str(rest.coverage.files)
    assert len(rest.coverage.files) == len(result.coverage.files) - 1
    none = with_table(elf, 'sources = ["src"]\n')
    assert none.value("coverage_lines") is None
    assert (
        "no file of the image is one of [coverage] sources = ['src']; it has "
        in none.measurements["coverage_lines"].origin
    )
    said = "\n".join(coverage_text.lines(Results((only,))))
    assert "some: layers that no input reached: idle" in said
    with pytest.raises(ScenarioError, match="an empty pattern matches no file"):
        with_table(elf, 'sources = [""]\n')


# Formats.


def test_lcov_has_every_line_function_and_branch(result: RunResult) -> None:
    text = coverage_files.lcov(Results((result,)))
    record = next(part for part in text.split("end_of_record\n") if "SF:" in part and "program.c" in part)
    file = file_of(result.coverage, "program.c")
    lines = record.splitlines()
    assert [line for line in lines if line.startswith("DA:")] == [f"DA:{one.line},{one.count}" for one in file.lines]
    assert "FNDA:0,never" in lines
    assert f"LF:{len(file.lines)}" in lines
    assert f"LH:{sum(1 for one in file.lines if one.count)}" in lines
    assert len([line for line in lines if line.startswith("BRDA:")]) == 2 * len(file.branches)


def test_cobertura_is_well_formed_and_adds_up(result: RunResult) -> None:
    root = ET.fromstring(coverage_files.cobertura(Results((result,))))
    assert result.coverage is not None
    assert float(root.attrib["line-rate"]) == pytest.approx(result.coverage.lines.fraction, abs=1e-4)
    (program,) = [one for one in root.iter("class") if one.attrib["name"] == "program.c"]
    hits = {int(line.attrib["number"]): int(line.attrib["hits"]) for line in program.findall("lines/line")}
    assert hits == {line.line: line.count for line in file_of(result.coverage, "program.c").lines}
    assert any(line.attrib.get("condition-coverage") == "50% (1/2)" for line in program.findall("lines/line"))


def test_gcovr_reads_it_and_makes_pages(elf: Path, result: RunResult, tmp_path: Path) -> None:
    gcovr = pytest.importorskip("gcovr", reason="gcovr makes the pages, where it is installed")
    assert gcovr
    (tmp_path / "coverage.xml").write_text(coverage_files.cobertura(Results((result,))))
    written = ["--html-details", str(tmp_path / "index.html"), "--json-summary", str(tmp_path / "out.json")]
    done = subprocess.run(
        [sys.executable, "-m", "gcovr", "--cobertura-add-tracefile", str(tmp_path / "coverage.xml"), *written],
        cwd=elf.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = {Path(file["filename"]).name: file for file in json.loads((tmp_path / "out.json").read_text())["files"]}
    ours = file_of(result.coverage, "program.c")
    assert files["program.c"]["line_total"] == len(ours.lines)
    assert files["program.c"]["line_covered"] == sum(1 for line in ours.lines if line.count)
    assert "program.c" in (tmp_path / "index.html").read_text()


def test_the_command_line_writes_and_reports_it(elf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["profile", str(elf), "--board", BOARD, "--coverage", "--report-dir", str(out)]) == 0
    assert "DA:" in (out / "coverage.lcov").read_text()
    assert "<coverage " in (out / "coverage.xml").read_text()
    capsys.readouterr()
    assert main(["report", str(out / "results.json"), "--format", "lcov"]) == 0
    assert capsys.readouterr().out == (out / "coverage.lcov").read_text()


# Several runs together.


def test_coverage_of_several_runs_is_what_ran_in_any() -> None:
    one = Coverage((FileCoverage("a.c", (LineCoverage(1, 2), LineCoverage(2, 0)), (), ()),))
    other = Coverage(
        (FileCoverage("a.c", (LineCoverage(2, 5), LineCoverage(3, 0)), (), ()), FileCoverage("b.c", (), (), ()))
    )
    both = merged([one, other])
    assert both.files[0].lines == (LineCoverage(1, 2), LineCoverage(2, 5), LineCoverage(3, 0))
    assert both.lines == Share(2, 3)
    assert merged([]).lines.fraction is None


def test_a_live_board_covers_what_its_tests_did(tmp_path: Path) -> None:
    elf, kept = shell(tmp_path), Kept()
    with live_board(elf, kept=kept) as board:
        board.expect("ready")
        board.keep_coverage()
        board.send("infer\n")
        board.expect("done")
        board.keep_coverage()
    before, after = (run.coverage for run in kept.results)
    assert before is not None
    assert after is not None
    assert {f.name for _, f in before.never_entered} - {f.name for _, f in after.never_entered} >= {"infer", "step"}
    assert "crash" in {f.name for _, f in after.never_entered}
    text = "\n".join(coverage_text.lines(Results((kept.results[1],))))
    assert "shell.c: " in text
    assert "never entered: " in text
