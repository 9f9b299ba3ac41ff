"""JSON of others: numbers that compare with nothing, and text that cannot be written, are one error that names the file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mcu_harness.app.cli.main import main
from mcu_harness.base.errors import ResultsError
from mcu_harness.base.files import write_text
from mcu_harness.results import baseline, json_reader, results_file
from mcu_harness.results.baseline import snapshot
from sample_results import PASSING, RESULTS

# What stands in place of one figure of a baseline, and why that is refused.
WRONG = {
    "NaN": "NaN is no number",
    "Infinity": "Infinity is no number",
    "-Infinity": "-Infinity is no number",
    "1e999": "no number that can be kept",
    "1" + "0" * 400: "larger than any figure",
    "1" * 5000: "larger than any figure",
    "-5": "less than 0",
    '"nan"': "@ $.figures['cycles']",
    '"26514"': "@ $.figures['cycles']",
    "true": "@ $.figures['cycles']",
    "null": "expected float",
    "[]": "expected float",
    '"\\ud800"': "half a character",
    "[" * 100_000: "not JSON",
}


@pytest.mark.parametrize("value", WRONG, ids=[value[:12] for value in WRONG])
def test_a_figure_of_a_baseline_that_is_no_figure_is_one_error(tmp_path: Path, value: str) -> None:
    text = baseline.to_text(snapshot(PASSING))
    figure = json.dumps(snapshot(PASSING).figures["cycles"])
    assert f'"cycles": {figure}' in text
    path = tmp_path / "tiny@board_a.json"
    path.write_text(text.replace(f'"cycles": {figure}', f'"cycles": {value}'))
    with pytest.raises(ResultsError, match=r"tiny@board_a\.json: ") as caught:
        baseline.load(path)
    assert WRONG[value] in caught.value.message and "--update-baseline" in caught.value.hint
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("value", ["NaN", "1e999", '"nan"', "-Infinity"])
def test_a_measurement_that_is_no_number_is_one_error(tmp_path: Path, value: str) -> None:
    text = results_file.to_text(RESULTS)
    (tmp_path / "r.json").write_text(text.replace('"value": 26514', f'"value": {value}'))
    assert f'"value": {value}' in (tmp_path / "r.json").read_text()
    for arguments in (["report", "r.json"], ["compare", "r.json", "r.json"], ["history", "r.json"]):
        assert main([str(tmp_path / word) if word == "r.json" else word for word in arguments]) == 2


@pytest.mark.parametrize("arguments", [["report"], ["merge", "-o", "all.json"], ["compare", "-v", "{}"]])
def test_a_device_in_place_of_results_is_one_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/zero").is_char_device():
        pytest.skip("no such device here")
    monkeypatch.chdir(tmp_path)
    assert main([*(word.format("/dev/zero") for word in arguments), "/dev/zero"]) == 2
    assert "/dev/zero: cannot be read: it is a device" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_results_can_come_through_a_pipe(tmp_path: Path) -> None:
    text = results_file.to_text(RESULTS)
    read, write = os.pipe()
    os.write(write, text.encode()[:60_000])
    os.close(write)
    try:
        assert len(text) < 60_000
        assert results_file.load(Path(f"/dev/fd/{read}")) == RESULTS
    finally:
        os.close(read)


def test_a_file_larger_than_any_results_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse.json"
    with sparse.open("wb") as stream:
        stream.truncate(json_reader._MOST_BYTES + 10)
    with pytest.raises(ResultsError, match=r"sparse\.json: cannot be read: it is larger than 128 MiB"):
        results_file.load(sparse)


def test_text_that_is_no_text_is_written_readably_and_nothing_stays_behind(tmp_path: Path) -> None:
    write_text(tmp_path / "report.md", "half \ud800 of a character")
    assert (tmp_path / "report.md").read_text() == "half \\ud800 of a character"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.md"]


def test_an_interrupted_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "chmod", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "report.md", "text")
    assert list(tmp_path.iterdir()) == []
