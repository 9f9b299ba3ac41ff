"""Reports against gold files (`MCU_HARNESS_REGENERATE=1 pytest` writes them anew), and what must never get through."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import HarnessError, ResultsError
from mcu_harness.base.files import write_text
from mcu_harness.results import results_file as results_json
from mcu_harness.results.cost_records import Spared
from mcu_harness.results.finding_codes import Code
from mcu_harness.results.origin import Origin, OriginKind
from mcu_harness.results.records import Finding, Measurement, Results, Tool, Verdict
from mcu_harness.results.report import csv as csv_report
from mcu_harness.results.report import junit, markdown, terminal, what_if_section
from mcu_harness.results.report import text as text_pieces
from mcu_harness.results.report.colour import has_colour
from mcu_harness.results.report.columns import columns_for
from mcu_harness.results.report.formats import FORMATS
from mcu_harness.results.report.html.page import page
from sample_results import FAILING, HOSTILE, LAYERS, PASSING, RESULTS

GOLD = Path(__file__).parents[2] / "gold"


def same_as_gold(name: str, text: str) -> None:
    path = GOLD / name
    if os.environ.get("MCU_HARNESS_REGENERATE"):
        path.write_text(text)
    assert text == path.read_text(), f"{name} differs: if that is meant, regenerate it"


def test_markdown_report_is_as_in_the_gold_file() -> None:
    same_as_gold("board_b.md", markdown.board_report(RESULTS, "board_b"))


def test_terminal_report_is_as_in_the_gold_file() -> None:
    text = [terminal.summary_table(RESULTS), *terminal.notes(RESULTS), terminal.failure_text(FAILING)]
    same_as_gold("terminal.txt", "\n".join(text) + "\n")


def test_results_survive_a_round_trip() -> None:
    assert results_json.from_plain(json.loads(results_json.to_text(RESULTS)), "here") == RESULTS


def test_results_text_does_not_depend_on_order_of_making() -> None:
    other = Results((replace(PASSING, measurements=dict(reversed(PASSING.measurements.items()))), FAILING))
    assert results_json.to_text(other) == results_json.to_text(RESULTS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text[: len(text) // 2], "not JSON"),
        (lambda text: text.replace('"format_version": 2', '"format_version": 99'), "format_version is 99"),
        (lambda text: "[]", "format_version is None"),
        (lambda text: "[" * 100_000, "not JSON"),
        (lambda text: text.replace('"board": "board_b"', '"board": "../board_b"'), "is not the name of a board"),
        (lambda text: text.replace('"verdict": "pass"', '"verdict": "maybe"'), r"runs\[0\]"),
        (lambda text: text.replace('"clock_hz": 168000000,', ""), r"runs\[0\]"),
    ],
)
def test_damaged_results_file_is_one_error_that_names_it(tmp_path: Path, change, said: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "results.json"
    path.write_text(change(results_json.to_text(RESULTS)))
    with pytest.raises(ResultsError, match=said) as caught:
        results_json.load(path)
    assert str(path) in str(caught.value)


def test_missing_results_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot be read"):
        results_json.load(tmp_path / "none.json")


def test_untrusted_names_are_inert_in_markdown() -> None:
    text = markdown.board_report(RESULTS, "board_b")
    for line in text.splitlines():
        outside_code = "".join(line.split("`")[::2])
        assert "<script" not in outside_code.replace("\\<", "")
        assert not line.startswith("# boo")
    assert HOSTILE not in text


def test_what_was_not_measured_says_so_and_is_never_zero() -> None:
    table = terminal.summary_table(Results((PASSING,)))
    assert "not measured" in table.splitlines()[-1]


def test_verdict_of_results_is_the_worst_of_the_runs() -> None:
    assert Results((PASSING,)).verdict is Verdict.PASS
    assert RESULTS.verdict is Verdict.FAIL
    assert Results((PASSING, replace(PASSING, verdict=Verdict.NOT_MEASURED))).verdict is Verdict.NOT_MEASURED
    assert Results(()).verdict is Verdict.NOT_MEASURED


def test_file_that_cannot_be_written_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    with pytest.raises(HarnessError, match="cannot be written"):
        write_text(tmp_path / "occupied" / "results.json", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["occupied"]


def test_written_file_replaces_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    write_text(path, "first")
    write_text(path, "second")
    assert path.read_text() == "second"
    assert [p.name for p in path.parent.iterdir()] == ["results.json"]


def test_a_narrow_terminal_gets_fewer_columns_and_is_told_which() -> None:
    whole = terminal.summary_table(RESULTS)
    assert terminal.summary_table(RESULTS, (), 200) == whole
    narrow = terminal.summary_table(RESULTS, (), 80).splitlines()
    assert max(map(len, narrow)) <= 80
    assert "latency" in narrow[0] and "instructions" not in narrow[0]
    assert narrow[-1].startswith("(instructions") and "--columns" in narrow[-1]
    assert "instructions" in terminal.summary_table(RESULTS, ("instructions",), 10)


def test_the_summary_says_whether_outputs_were_compared() -> None:
    unknown = replace(PASSING, outputs=replace(PASSING.outputs, mismatches=None, oracle="no oracle here"))
    assert "outputs: not measured: no oracle here (board_a)" in terminal.notes(Results((unknown,)))


def test_notes_are_broken_between_words_where_the_terminal_is_narrow() -> None:
    whole, narrow = terminal.notes(RESULTS), terminal.notes(RESULTS, 60)
    assert max(map(len, whole)) > 60 >= max(map(len, narrow))
    assert " ".join(line.strip() for line in narrow) == " ".join(whole)
    assert sum(not line.startswith("  ") for line in narrow) == len(whole)


def test_the_console_is_shown_when_the_run_itself_failed() -> None:
    assert "console:" not in terminal.failure_text(FAILING)
    assert "console:" in terminal.failure_text(FAILING, 1)
    hung = replace(FAILING, findings=(replace(FAILING.findings[0], code="run.timeout"),))
    assert "console:" in terminal.failure_text(hung)


def test_results_of_format_1_are_read_and_say_the_kind_of_each_origin() -> None:
    old = Path(__file__).parents[2] / "data" / "results_v1.json"
    run, other = results_json.load(old).runs
    kinds = {name: measurement.kind for name, measurement in run.measurements.items()}
    assert kinds == {
        "instructions": OriginKind.COUNTED,
        "cycles": OriginKind.ESTIMATED,
        "latency_s": OriginKind.ESTIMATED,
        "flash_bytes": OriginKind.ELF,
        "ram_bytes": OriginKind.ELF,
        "arena_bytes": OriginKind.PLAN,
        "arena_lower_bound_bytes": OriginKind.PLAN,
        "stack_hwm_bytes": OriginKind.SCANNED,
        "stack_static_bytes": OriginKind.COMPUTED,
        "heap_hwm_bytes": OriginKind.OBSERVED,
        "accuracy": OriginKind.OBSERVED,
        "macs": OriginKind.MODEL,
        "energy_j": OriginKind.NOT_MEASURED,
    }
    plain = json.loads(old.read_text())["runs"]
    for new, before in zip((run, other), plain, strict=True):
        assert {n: (m.value, m.unit, m.origin) for n, m in new.measurements.items()} == {
            n: (m["value"], m["unit"], m["origin"]) for n, m in before["measurements"].items()
        }
    (one,) = run.what_ifs
    assert one.notes == ("not run: the same execution, priced for this; errors are those of the board as it is",)
    assert what_if_section.explained(run) == [f"84 MHz: clock: 168 MHz -> 84 MHz ({one.notes[0]})"]


def test_what_was_read_as_format_1_is_written_as_format_2() -> None:
    old = Path(__file__).parents[2] / "data" / "results_v1.json"
    text = results_json.to_text(results_json.load(old))
    assert json.loads(text)["format_version"] == 2
    assert results_json.to_text(results_json.from_plain(json.loads(text), "again")) == text


@pytest.mark.parametrize("runs", [None, 3, [3], [{}], [{"measurements": 3}], [{"measurements": {"cycles": 3}}]])
def test_a_damaged_file_of_format_1_is_an_error_that_names_it(runs: object) -> None:
    with pytest.raises(ResultsError, match=r"^old\.json: not a results file"):
        results_json.from_plain({"format_version": 1, "runs": runs}, "old.json")


BROKEN = replace(
    FAILING,
    budgets={"flash_bytes": 5120.0, "accuracy": 0.9},
    measurements={
        **FAILING.measurements,
        "accuracy": Measurement("accuracy", 0.75, "fraction", "4 labelled inputs", OriginKind.OBSERVED),
    },
)


def test_a_figure_that_breaks_its_budget_says_so_in_the_table() -> None:
    kept, broken = terminal.summary_table(Results((PASSING, BROKEN)), ("flash", "ram", "accuracy")).splitlines()[2:]
    assert "6.0 KiB > 5.0 KiB" in broken and "3 of 4 < 90.00 %" in broken
    assert ">" not in kept and "<" not in kept


def test_colour_marks_what_fails_and_moves_no_column() -> None:
    results = Results((PASSING, BROKEN))
    plain = terminal.summary_table(results, ("flash", "ram"))
    coloured = terminal.summary_table(results, ("flash", "ram"), coloured=True)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
    assert re.findall(r"\x1b\[(\d+)m([^\x1b]+)\x1b\[0m", coloured) == [
        ("32", "pass"),
        ("31", "FAIL"),
        ("31", "6.0 KiB > 5.0 KiB"),
    ]


@pytest.mark.parametrize(
    ("is_terminal", "environment", "expected"),
    [
        (True, {"TERM": "xterm"}, True),
        (False, {"TERM": "xterm"}, False),
        (True, {"TERM": "dumb"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    is_terminal: bool, environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return is_terminal

    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_colour(Stream()) is expected


def test_what_firmware_writes_moves_no_cursor() -> None:
    run = replace(FAILING, console="boot\n\x1b[2J\x07gone\ttab\r\n")
    text = terminal.failure_text(run, 1)
    assert "    | ?[2J?gone" in text
    assert not set(text) & {"\x1b", "\x07", "\t"}


def test_accuracy_is_shown_as_so_many_of_the_inputs() -> None:
    assert text_pieces.figure_of(BROKEN, "accuracy") == "3 of 4"
    assert text_pieces.figure_of(PASSING, "accuracy") == "not measured"


def test_a_case_that_was_not_set_up_had_to_do_with_no_emulator_and_no_compiler() -> None:
    error = Finding(Code.SETUP_ERROR, Verdict.NOT_MEASURED, "no such board", "name another")
    never = replace(PASSING, board="board_c", emulator=Tool("", ""), toolchain=Tool("", ""), findings=(error,))
    asked = replace(never, board="board_d", emulator=Tool("auto", ""), toolchain=Tool("auto", ""))
    results = Results((PASSING, never, asked))
    lines = terminal.notes(results)
    assert "emulator: unicorn 2.1.4" in lines and "compiler: gnu 12.2.1" in lines
    assert not {"emulator", "compiler"} & set(columns_for(results))
    assert terminal.provenance_lines(never)[:2] == ["emulator: none", "compiler: none"]
    assert dict(junit.properties(asked))["mcu_toolchain"] == "auto"
    assert [line for line in terminal.notes(Results((never,))) if line.startswith(("emulator", "compiler"))] == []


def test_every_report_names_the_channels_that_are_not_computed() -> None:
    spared = Spared(channels=6, removed=(0, 2, 3, 4), macs=7_000, merged=("layer 00 PAD",))
    first = replace(LAYERS[0], spared=spared)
    macs = Measurement("macs", 5_000, "MAC", "from the model", OriginKind.MODEL)
    figures = {**PASSING.measurements, "macs": macs, "spared_macs": replace(macs, name="spared_macs", value=7_000)}
    run = replace(PASSING, layers=(first, *LAYERS[1:]), measurements=figures)
    sentence = "7,000 of the model's 12,000 MACs (58.3 %) and 4 channels."
    table = terminal.layer_table(run)
    assert "2 of 6" in table and table.endswith(sentence)
    written = markdown.board_report(Results((run,)), run.board)
    assert "2 of 6 |" in written and sentence in written
    assert "00 CONV\\_2D: 2 of 6 channels, without 0, 2-4; with layer 00 PAD of the model" in written
    opened = page(Results((run,)))
    assert "<td>2 of 6</td>" in opened and "without 0, 2-4; with layer 00 PAD of the model" in opened
    (row, *_) = csv.DictReader(io.StringIO(csv_report.layers(Results((run,)))))
    assert (row["model_channels"], row["removed_channels"], row["spared_macs"]) == ("6", "4", "7000")
    assert (
        results_json.from_plain(json.loads(results_json.to_text(Results((run,)))), "again").runs[0].layers[0].spared
        == spared
    )


def test_a_run_that_computes_all_of_its_model_says_nothing_of_channels() -> None:
    assert "channels" not in terminal.layer_table(PASSING) and "Not computed" not in terminal.layer_table(PASSING)


def test_accuracy_has_a_column_where_it_was_measured() -> None:
    measured = Measurement.of("accuracy", 0.975, Origin(OriginKind.OBSERVED, "40 labelled inputs"))
    outputs = replace(PASSING.outputs, labelled=40)
    run = replace(PASSING, measurements={**PASSING.measurements, "accuracy": measured}, outputs=outputs)
    assert "39 of 40" in terminal.summary_table(Results((run,)))
    assert "accuracy" not in terminal.summary_table(Results((PASSING,)))


def test_what_int8_costs_stands_under_the_table() -> None:
    given = {
        name: Measurement.of(name, value, Origin(OriginKind.COMPUTED))
        for name, value in (("accuracy_drop", 0.0125), ("sqnr_db", 24.31))
    }
    layers = tuple(replace(layer, sqnr_db=30.0 - nth) for nth, layer in enumerate(PASSING.layers))
    run = replace(PASSING, measurements={**PASSING.measurements, **given}, layers=layers)
    (line,) = (line for line in terminal.notes(Results((run,))) if line.startswith("int8: "))
    assert "accuracy drop 1.25 %" in line and "SQNR 24.3 dB" in line
    assert f"the noisiest layer is {layers[-1].name}" in line
    assert not any(line.startswith("int8: ") for line in terminal.notes(Results((PASSING,))))


def test_every_report_says_what_import_changed_of_the_model() -> None:
    notes = ("input 'x': (1, 3, 8, 8) is (1, 8, 8, 3) here", "layer 02 RELU is a table <b>")
    made = replace(
        PASSING.provenance, converted_from="ONNX model", converters=("tool 1.2", "tool 3"), import_notes=notes
    )
    run = replace(PASSING, provenance=made)
    written = markdown.board_report(Results((run,)), run.board)
    assert "### What import changed of the model" in written and written.count("\n- ") >= 8
    assert "model converted from ONNX model, with tool 1.2, tool 3" in written and r"is a table \<b\>" in written
    shown = page(Results((run,)))
    assert (
        "<li>input &#39;x&#39;: (1, 3, 8, 8) is (1, 8, 8, 3) here</li><li>layer 02 RELU is a table &lt;b&gt;</li>"
        in shown
    )
    assert "What import changed of the model (2)" in shown and "ONNX model, with tool 1.2, tool 3" in shown
    assert terminal.provenance_lines(run)[-3:] == [
        "model converted from ONNX model, with tool 1.2, tool 3",
        *(f"import: {note}" for note in notes),
    ]
    assert results_json.parse(results_json.to_text(Results((run,))), "here") == Results((run,))
    for text in (markdown.board_report(Results((PASSING,)), PASSING.board), page(Results((PASSING,)))):
        assert "What import changed" not in text and "converted from" not in text


def test_results_of_before_say_nothing_of_what_import_changed() -> None:
    plain = json.loads(results_json.to_text(Results((PASSING,))))
    for name in ("converted_from", "converters", "import_notes"):
        del plain["runs"][0]["provenance"][name]
    assert results_json.parse(json.dumps(plain), "here") == Results((PASSING,))


def test_outputs_of_several_models_name_them() -> None:
    other = replace(PASSING, scenario="other", model="other")
    said = {
        tuple(line for line in terminal.notes(Results(runs)) if line.startswith("outputs"))
        for runs in ((PASSING,), (PASSING, other))
    }
    assert {line.partition(" (")[2] for (line,) in said} == {"board_a)", "other, tiny on board_a)"}


def test_formats_can_be_listed_without_results(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--format", "help"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(FORMATS)
    assert main(["report"]) == 2
    assert "give the RESULTS.json" in capsys.readouterr().err
