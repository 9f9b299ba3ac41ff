"""Results of several files: merged, matched and compared, and their course over time."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import HarnessError, ResultsError
from mcu_harness.results import baseline, history
from mcu_harness.results import results_file as results_json
from mcu_harness.results.baseline import Snapshot, snapshot
from mcu_harness.results.matching import match, pair, read_snapshots
from mcu_harness.results.merge import merge
from mcu_harness.results.records import Results, RunResult
from mcu_harness.results.report import trend
from sample_results import FAILING, HOSTILE, PASSING, RESULTS

A, B = Path("a.json"), Path("b.json")


def slower(run: RunResult = PASSING, cycles: float = 30_000) -> RunResult:
    measurement = replace(run.measurements["cycles"], value=cycles)
    return replace(run, measurements={**run.measurements, "cycles": measurement})


def test_parts_become_one_in_the_order_of_cases() -> None:
    assert merge([(A, Results((FAILING,))), (B, Results((PASSING,)))]) == RESULTS


def test_same_run_in_two_parts_counts_once() -> None:
    assert merge([(A, RESULTS), (B, Results((PASSING,)))]) == RESULTS


def test_command_says_what_was_given_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = tmp_path / "part.json"
    results_json.save(Results((PASSING,)), part)
    assert main(["merge", str(part), str(part), "-o", str(tmp_path / "all.json")]) == 0
    assert capsys.readouterr().out.endswith("all.json: 1 run (1 run given twice)\n")


def test_parts_that_disagree_are_an_error_that_names_both_and_the_figure() -> None:
    with pytest.raises(ResultsError, match=r"a\.json and b\.json disagree about tiny .*cycles is 26514.* and 30000"):
        merge([(A, RESULTS), (B, Results((slower(),)))])


@pytest.mark.parametrize("changed", ["toolchain", "emulator"])
def test_other_compiler_or_emulator_is_another_case(changed: str) -> None:
    tool = replace(getattr(PASSING, changed), name="other")
    other = replace(slower(), **{changed: tool})
    assert len(merge([(A, Results((PASSING,))), (B, Results((other,)))]).runs) == 2


CASE = snapshot(PASSING)


def cases(*names: str) -> list[Snapshot]:
    """Snapshots from "scenario model board toolchain"."""
    keys = ("scenario", "model", "board", "toolchain")
    return [replace(CASE, **dict(zip(keys, name.split(), strict=True))) for name in names]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["s m b gnu", "s m c gnu"], ["s m c gnu", "s m b gnu"], [(1, 0), (0, 1)]),
        (["s old b gnu"], ["s new b gnu"], [(0, 0)]),
        (["s m b gnu"], ["s m b zig"], [(0, 0)]),
        (["s m b gnu", "s m b zig"], ["s m b zig"], [(1, 0)]),
        (["old old b gnu"], ["new new b gnu"], [(0, 0)]),
        (["s m b gnu", "t n b gnu"], ["u o b gnu", "t n b gnu"], [(1, 1)]),
        (["s m1 b gnu", "s m2 b gnu"], ["s m3 b gnu", "s m4 b gnu"], []),
    ],
)
def test_cases_meet_by_the_strictest_key_that_is_unique(
    before: list[str], after: list[str], expected: list[tuple[int, int]]
) -> None:
    assert match(cases(*before), cases(*after)) == expected


def test_cases_of_one_side_only_are_told() -> None:
    found = pair(cases("s m b gnu", "s m c gnu"), cases("s m b gnu", "t m d gnu"))
    assert ([c.board for c in found.gone], [c.board for c in found.new]) == (["c"], ["d"])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (["s m b gnu"], ["s m b gnu"] * 3, [(0, 0), (0, 1), (0, 2)]),
        (["s m b gnu"] * 2, ["s m b gnu"], [(0, 0), (1, 0)]),
        (["s m b gnu"] * 2, ["s m b gnu"] * 2, []),
        (["s m b gnu", "s m b gnu", "s m c gnu"], ["s m c gnu", "s m b gnu"], [(2, 0), (0, 1), (1, 1)]),
    ],
)
def test_a_case_that_one_side_has_once_meets_all_of_the_other(
    before: list[str], after: list[str], expected: list[tuple[int, int]]
) -> None:
    assert match(cases(*before), cases(*after)) == expected


def test_tests_of_one_model_and_board_meet_by_their_names() -> None:
    one, other = (replace(CASE, source=f"test_x.py::test_{name}") for name in "ab")
    assert match([one, other], [other, one]) == [(1, 0), (0, 1)]
    assert match([one, other], [other]) == [(1, 0)]
    # Results from before sources were kept, and files that were moved.
    assert match([CASE], [one]) == [(0, 0)]


def test_a_case_that_both_sides_have_several_times_is_named_and_paired_with_nothing() -> None:
    found = pair(
        cases("s m b gnu", "s m b gnu", "t m c gnu"), cases("s m b gnu", "s m b gnu", "t m c gnu", "n m b gnu")
    )
    assert [p.after.scenario for p in found.both] == ["t"]
    assert [(len(a.before), len(a.after), a.after[0].scenario) for a in found.ambiguous] == [(2, 2, "s")]
    assert (found.gone, [case.scenario for case in found.new]) == ((), ["n"])


def test_snapshots_come_from_results_baselines_and_directories(tmp_path: Path) -> None:
    results_json.save(RESULTS, tmp_path / "results.json")
    baseline.save(CASE, tmp_path / "accepted" / "tiny@board_a.json")
    assert [case.board for case in read_snapshots(tmp_path / "results.json")] == ["board_a", "board_b"]
    assert (
        read_snapshots(tmp_path / "accepted") == read_snapshots(tmp_path / "accepted" / "tiny@board_a.json") == [CASE]
    )
    for wrong in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(ResultsError):
            read_snapshots(wrong)


def command(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_compare_command_shows_all_cases_and_fails_by_tolerance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after, out = (tmp_path / f"{name}.json" for name in ("before", "after", "out"))
    results_json.save(RESULTS, before)
    results_json.save(Results((slower(), FAILING)), after)
    assert command("compare", before, after) == 0
    text = capsys.readouterr().out
    assert "+13.15 %" in text and "board_b" in text and "cycles 26,514 -> 30,000 (+3,486, +13.15 %)" in text
    assert command("compare", before, after, "--fail", "cycles:20%", "--fail", "flash:+0") == 0
    assert command("compare", before, after, "--fail", "cycles:2%", "--json", out) == 1
    assert "exceeds its baseline by more than 2%" in capsys.readouterr().out
    changes = [change for case in json.loads(out.read_text())["cases"] for change in case["changes"]]
    assert [(change["figure"], change["fails"]) for change in changes] == [("cycles", True)]
    assert command("compare", before, after, "--fail", "cycles") == 2
    assert command("compare", before, tmp_path / "none.json") == 2


def test_a_case_that_is_gone_fails_a_comparison_that_holds_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would take its gate along; without --fail it is told and no more."""
    before, after = (tmp_path / f"{name}.json" for name in ("before", "after"))
    results_json.save(RESULTS, before)
    results_json.save(Results((PASSING,)), after)
    assert command("compare", before, after) == 0
    assert command("compare", before, after, "--fail", "cycles:0%", "--allow-gone") == 0
    capsys.readouterr()
    assert command("compare", before, after, "--fail", "cycles:0%") == 1
    text = capsys.readouterr().out
    assert "on board_b: fail: the case is gone" in text and "--allow-gone" in text
    assert command("compare", after, before, "--fail", "cycles:0%") == 0  # what is new is named
    assert "board_b  new" in re.sub(" +", "  ", capsys.readouterr().out)


def test_merge_command_writes_one_file(tmp_path: Path) -> None:
    for name, run in (("a", PASSING), ("b", FAILING), ("c", slower())):
        results_json.save(Results((run,)), tmp_path / f"{name}.json")
    assert command("merge", tmp_path / "b.json", tmp_path / "a.json", "-o", tmp_path / "all.json") == 0
    assert results_json.load(tmp_path / "all.json") == RESULTS
    assert command("merge", tmp_path / "a.json", tmp_path / "c.json", "-o", tmp_path / "no.json") == 2
    assert not (tmp_path / "no.json").exists()


def test_history_over_results_files_in_the_order_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, cycles in (("a", 100.0), ("b", 120.0), ("c", 90.0)):
        results_json.save(Results((slower(cycles=cycles),)), tmp_path / f"{name}.json")
    (series,) = history.from_files([tmp_path / f"{name}.json" for name in "abc"])
    assert series.values("cycles") == [100, 120, 90]
    assert command("history", *(tmp_path / f"{name}.json" for name in "abc")) == 0
    assert "90 -10.00 % ▃█▁" in capsys.readouterr().out


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def test_history_over_git_follows_the_commits_that_changed_a_baseline(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    folder = tmp_path / "scenarios" / "base lines"
    for cycles in (100.0, 120.0, None, 90.0):
        if cycles is None:
            (folder / "tiny@board_a.json").write_text("<<<<<<< conflict")
        else:
            baseline.save(snapshot(slower(cycles=cycles)), folder / "tiny@board_a.json")
        baseline.save(snapshot(slower(FAILING)), folder / "tiny@board_b.json")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", HOSTILE)
    first, second = history.from_git(folder, 100)
    assert (first.board, first.values("cycles")) == ("board_a", [100, 120, 90])
    assert (second.board, second.values("cycles")) == ("board_b", [30_000])
    assert [len(series.points) for series in history.from_git(folder, 1)] == [1]


def test_history_outside_of_git_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="git log failed"):
        history.from_git(tmp_path, 10)
    with pytest.raises(HarnessError, match="no such directory"):
        history.from_git(tmp_path / "none", 10)


def test_plot_is_well_formed_and_names_are_inert(tmp_path: Path) -> None:
    import xml.etree.ElementTree as ET

    runs = [replace(slower(cycles=cycles), scenario=HOSTILE) for cycles in (1.0, 2.0)]
    for i, run in enumerate(runs):
        results_json.save(Results((run,)), tmp_path / f"{i}.json")
    series = history.from_files([tmp_path / "0.json", tmp_path / "1.json"])
    root = ET.fromstring(trend.to_svg(series))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("+100.00 %" in text for text in texts)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert trend.to_csv(series).count("board_a") == 2


def test_page_of_trends_has_a_chart_a_figure_with_dates_and_no_script(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    for cycles in (100.0, 120.0, 90.0):
        run = replace(slower(cycles=cycles), scenario=HOSTILE)
        baseline.save(snapshot(run), tmp_path / "all" / "tiny@board_a.json")
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-qm", "change", "--date", "2026-03-04T05:06:07")
    output = tmp_path / "trend.html"
    assert command("history", "--format", "html", "--output", output, tmp_path / "all") == 0
    text = output.read_text(encoding="utf-8")
    (series,) = history.from_git(tmp_path / "all", 9)
    assert text.count("<svg") == len(series.points[0].figures)
    first = series.points[0]  # of one day, all: the chart tells them by their commits, the table has the date
    assert f">{first.label}</text>" in text and f"<td>{first.when}</td>" in text
    assert "-10.00 % since the first" in text
    assert "<script" not in text and HOSTILE not in text


@pytest.mark.parametrize(
    ("least", "most", "whole", "first", "last"),
    [(0, 0, True, 0, 1), (100, 100, True, 95, 105), (90, 120, True, 90, 120), (0.0101, 0.0102, False, 0.0101, 0.0102)],
)
def test_ticks_are_round_and_enclose_all_values(
    least: float, most: float, whole: bool, first: float, last: float
) -> None:
    from mcu_harness.results.report.html.trend_page import ticks

    found = ticks(least, most, whole=whole)
    assert found[0] <= first + 1e-12 and found[-1] >= last - 1e-12
    assert 2 <= len(found) <= 7
    assert not whole or all(value == int(value) for value in found)


@pytest.mark.parametrize(
    ("days", "shown"),
    [(("2026-01-02", "2026-01-03"), ["2026-01-02", "2026-01-03"]), (("2026-01-02",) * 2, ["first", "second"])],
)
def test_points_of_one_day_are_told_apart_by_their_labels(days: tuple[str, str], shown: list[str]) -> None:
    from mcu_harness.results.history import Point, Series
    from mcu_harness.results.report.html.trend_page import _chart

    points = tuple(Point(label, day, {"cycles": 10.0}) for label, day in zip(("first", "second"), days, strict=True))
    assert [mark.text for mark in _chart(Series("net", "board", "gnu", points), "cycles").dates] == shown


def test_compare_lists_what_moved_by_kind_and_each_kind_adds_up(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    layers = tuple(replace(layer, cycles=(layer.cycles or 0) + 100 * (i + 1)) for i, layer in enumerate(PASSING.layers))
    moved = sum(100 * (i + 1) for i in range(len(layers)))
    cycles = (PASSING.value("cycles") or 0) + moved
    after = replace(slower(cycles=cycles), layers=layers)
    command("compare", results(tmp_path / "a.json", PASSING), results(tmp_path / "b.json", after))
    text = capsys.readouterr().out
    block = text[text.index("by layer:") :].splitlines()[1 : 1 + len(layers)]
    assert sum(float(line.rsplit("(", 1)[1].split(" %")[0]) for line in block) == pytest.approx(100, abs=0.2)
    assert "layer 00" not in text


def results(path: Path, *runs: RunResult) -> Path:
    results_json.save(Results(runs), path)
    return path


@pytest.mark.parametrize("worse", [0, 1, 2])
def test_compare_fails_by_any_of_the_runs_of_a_case(tmp_path: Path, worse: int) -> None:
    before = results(tmp_path / "before.json", PASSING)
    runs = [PASSING] * 3
    assert command("compare", before, results(tmp_path / "same.json", *runs), "--fail", "cycles:2%") == 0
    runs[worse] = slower()
    assert command("compare", before, results(tmp_path / "worse.json", *runs), "--fail", "cycles:2%") == 1


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((PASSING, PASSING), (slower(), slower()), "2 times before and 2 times after"),
        ((PASSING,), (replace(PASSING, scenario="other", model="other", board="board_z"),), "no case in common"),
        ((PASSING,), (), "no case in common"),
        ((), (), "no case in common"),
    ],
)
def test_compare_that_pairs_nothing_does_not_pass(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    before: tuple[RunResult, ...],
    after: tuple[RunResult, ...],
    said: str,
) -> None:
    files = (results(tmp_path / "before.json", *before), results(tmp_path / "after.json", *after))
    assert command("compare", *files, "--fail", "cycles:2%") == 1
    assert said in capsys.readouterr().out
    assert command("compare", *files) == 0


def test_history_counts_the_last_run_of_a_case_and_tells_tests_apart(tmp_path: Path) -> None:
    again = results(tmp_path / "again.json", slower(), PASSING)
    (series,) = history.from_files([again])
    assert [point.figures["cycles"] for point in series.points] == [26_514]
    both = results(tmp_path / "both.json", *(replace(PASSING, test=f"test_x.py::test_{name}") for name in "ab"))
    assert len(history.from_files([both])) == 2


def test_history_runs_nothing_that_a_repository_says(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    folder, owned, program = tmp_path / "baselines", tmp_path / "owned", tmp_path / "program.sh"
    program.write_text(f"#!/bin/sh\ntouch '{owned}'\nexit 1\n")
    program.chmod(0o755)
    baseline.save(snapshot(PASSING), folder / "tiny@board_a.json")
    (tmp_path / ".gitattributes").write_text("*.json diff=bait\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    raw = subprocess.run(
        ["git", "-C", str(tmp_path), "cat-file", "commit", "HEAD"], check=True, capture_output=True
    ).stdout
    head, _, message = raw.partition(b"\n\n")
    signature = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    signed = subprocess.run(
        ["git", "-C", str(tmp_path), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=head + b"\n" + signature + b"\n\n" + message, check=True, capture_output=True,
    )  # fmt: skip
    git(tmp_path, "reset", "-q", "--soft", signed.stdout.decode().strip())
    for key in (
        "gpg.program",
        "core.fsmonitor",
        "core.pager",
        "diff.external",
        "diff.bait.command",
        "diff.bait.textconv",
    ):
        git(tmp_path, "config", key, str(program))
    git(tmp_path, "config", "log.showSignature", "true")
    subprocess.run(["git", "-C", str(tmp_path), "log", "-p"], check=False, capture_output=True)
    assert owned.exists()  # the bait is good
    owned.unlink()
    (series,) = history.from_git(folder, 10)
    assert series.points and not owned.exists()


@pytest.mark.parametrize("content", ["[" * 100_000, '{"format_version": NaN}', "1" * 5000, '"\\ud800"', "\x00"])
def test_history_passes_over_baselines_that_are_none(tmp_path: Path, content: str) -> None:
    git(tmp_path, "init", "-q")
    baseline.save(snapshot(PASSING), tmp_path / "tiny@board_a.json")
    (tmp_path / "bad@board_a.json").write_text(content)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    assert [series.board for series in history.from_git(tmp_path, 10)] == ["board_a"]
