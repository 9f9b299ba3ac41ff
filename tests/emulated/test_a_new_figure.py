"""A figure is added in two places, its row in the catalogue and its analysis, and is then everywhere where figures are."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mcu_harness.analysis import measured_figures as analysis
from mcu_harness.app.cli.main import main
from mcu_harness.results.origin import Origin, OriginKind
from mcu_harness.results.records import Measurement
from mcu_harness.scenario.figure import Better, Figure, Limit, Shown
from mcu_harness.scenario.figure_catalogue import FIGURES

ROW = Figure(
    "pads_bytes",
    "pads",
    "B",
    "padding between symbols",
    short="padding",
    limit=Limit("reorder what lies in flash"),
    compared=True,
    shown=Shown.SUMMARY | Shown.OVERVIEW | Shown.BARS | Shown.TRENDS,
    tile=10,
)
LIKE_A_SHARE = Figure("kept", "kept", "fraction", "share that is kept", better=Better.MORE, compared=True)

Run = Callable[..., int]


@pytest.fixture
def values(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """What the analysis of the new figures finds."""
    for row in (ROW, LIKE_A_SHARE):
        monkeypatch.setitem(FIGURES, row.name, row)
    found: dict[str, float] = {"pads_bytes": 2600, "kept": 0.75}
    original = analysis.model_figures

    def with_new_ones(*args: object) -> tuple[Measurement, ...]:
        new = (Measurement.of(name, value, Origin(OriginKind.ELF, "gaps")) for name, value in found.items())
        return (*original(*args), *new)  # type: ignore[arg-type]

    users = [module for module in list(sys.modules.values()) if getattr(module, "model_figures", None) is original]
    assert users
    for module in users:
        monkeypatch.setattr(module, "model_figures", with_new_ones)
    return found


@pytest.fixture
def run(tmp_path: Path, small_model: Path, values: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "small.tflite").write_bytes(small_model.read_bytes())

    def run(*options: str, more: str = "") -> int:
        text = 'model = "small.tflite"\nboards = ["nrf52840dk"]\n[inputs]\nseed = 1\ncount = 2\n'
        Path("small.toml").write_text(text + more)
        return main(["run", "small.toml", "--json", "results.json", *options])

    return run


def report(name: str, *options: str) -> str:
    assert main(["report", "results.json", "--format", name, "--output", f"out.{name}", *options]) == 0
    written = Path(f"out.{name}")
    return (written if written.is_file() else next(written.iterdir())).read_text(encoding="utf-8")


def test_it_is_in_every_report_and_export(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(more='[budgets]\npads = "3 KiB"\n') == 0
    titles, values = (re.split(r"\s{2,}", line) for line in capsys.readouterr().out.splitlines()[0:3:2])
    assert values[titles.index("padding")] == "2.5 KiB"
    measured = json.loads(Path("results.json").read_text())["runs"][0]["measurements"]["pads_bytes"]
    assert measured == {"name": "pads_bytes", "value": 2600, "unit": "B", "origin": "ELF: gaps", "kind": "ELF"}
    cells = ("padding between symbols", "2.5 KiB", "3.0 KiB", "15.4 %", "2,600 B", "ELF: gaps")
    assert re.search(r"\|" + r"\s*\|".join(rf"\s*{re.escape(cell)}" for cell in cells), report("markdown"))
    (row,) = csv.DictReader(report("csv").splitlines())
    assert row["pads_bytes"] == "2600"
    assert re.search(r"^mcu_pads_bytes\{.*\} 2600$", report("openmetrics"), re.MULTILINE)
    assert next(iter(json.loads(report("bencher")).values()))["pads-bytes"] == {"value": 2600}
    assert any(entry["value"] == 2600 for entry in json.loads(report("github-action-benchmark")))
    assert '<property name="mcu_pads_bytes" value="2600" />' in report("junit")


def test_it_is_a_tile_a_column_and_a_chart_of_the_page(run: Run) -> None:
    assert run(more='[budgets]\npads = "3 KiB"\n') == 0
    page = report("html")
    tile = re.search(r'<p class="title">padding between symbols.*?</li>', page, re.DOTALL)
    assert tile is not None
    assert "from the ELF" in tile[0] and "2.5 KiB" in tile[0] and "budget 3.0 KiB" in tile[0]
    assert '<th scope="col" class="n">padding</th>' in page
    assert '<div class="chart" data-compare="pads_bytes">' in page
    data = re.search(r'<script type="application/json" id="overview-data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    plain = json.loads(data[1])
    shown = {"name": "pads_bytes", "title": "padding between symbols", "unit": "B", "better": "less"}
    assert shown in plain["figures"]
    (case,) = plain["cases"].values()
    assert (case["pads_bytes"], case["pads_bytes_limit"]) == ([2600], [3072])


def test_it_can_have_a_budget(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(more='[budgets]\npads = "2500 B"\n') == 1
    out = capsys.readouterr().out
    assert "padding between symbols is 2.5 KiB, 100 B (4.0 %) over the budget of 2.4 KiB [budget.pads]" in out
    assert "reorder what lies in flash; to accept it, raise `pads` under [budgets]" in out


def test_it_can_be_held_to_a_baseline_and_compared(
    run: Run, values: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--update-baseline") == 0
    (baseline,) = Path().glob("baselines/*.json")
    assert json.loads(baseline.read_text())["figures"]["pads_bytes"] == 2600
    Path("results.json").rename("before.json")
    tolerances = '[baseline]\npads = "2 %"\nkept = "10 %"\n'
    assert run(more=tolerances) == 0
    values |= {"pads_bytes": 2700, "kept": 0.7}
    capsys.readouterr()
    assert run(more=tolerances) == 1
    out = capsys.readouterr().out
    assert "pads 2,600 -> 2,700 (+100 B, +3.85 %) exceeds its baseline by more than 2%" in out
    assert "baseline.kept" not in out, "0.7 is within 10 % of 0.75"
    values["kept"] = 0.5
    assert run("--compare-fail", "kept:10%") == 1
    assert "kept 75.00 % -> 50.00 % (-25.00 %, -33.33 %) falls below its baseline" in capsys.readouterr().out
    assert main(["compare", "before.json", "results.json", "--fail", "pads:2%"]) == 1
    assert "baseline.pads" in capsys.readouterr().out
