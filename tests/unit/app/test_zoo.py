"""The zoo of scenarios/: small files, three formats, budgets, a line in the table of the docs, and only run by name."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest

from mcu_harness.base.process import run
from mcu_harness.scenario.scenario import load_scenario

REPOSITORY = Path(__file__).parents[3]
ZOO = REPOSITORY / "scenarios" / "zoo"
SCENARIOS = sorted(ZOO.glob("*.toml"))
MOST_BYTES = 200_000


def collected(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments]
    ended = run(command, 120.0, cwd=REPOSITORY)
    return [line for line in ended.stdout.splitlines() if "::" in line]


def test_the_main_job_leaves_the_zoo_out_and_it_runs_by_name() -> None:
    assert not [name for name in collected("scenarios") if "zoo" in name]
    assert len(collected("scenarios/zoo")) == 5 * len(SCENARIOS)
    assert len(collected("scenarios/zoo/tcn.toml")) == 5


def test_there_are_three_nets_or_more_of_each_format() -> None:
    texts = [path.read_text() for path in SCENARIOS]
    for word in ("from Keras", "; ONNX", "from PyTorch"):
        assert sum(word in text for text in texts) >= 3


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_net_is_small_has_budgets_five_boards_and_a_line_in_the_docs(path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.name == path.stem and len(scenario.boards) == 5
    assert {"flash", "ram", "latency"} <= set(scenario.budgets)
    assert all(model.stat().st_size < MOST_BYTES for model in scenario.models)
    figures = json.loads((REPOSITORY / "docs" / "zoo_figures.json").read_text())["figures"][scenario.name]
    assert set(figures) == set(scenario.boards)
    for values in figures.values():
        assert values["cycles"] > 0 and values["flash_bytes"] <= scenario.budgets["flash"].limit
        assert values["ram_bytes"] <= scenario.budgets["ram"].limit
    assert f"| `{scenario.name}` | " in (REPOSITORY / "docs" / "zoo.md").read_text()


def test_most_are_trained_and_their_score_is_held() -> None:
    scenarios = [load_scenario(path) for path in SCENARIOS]
    scored = [each for each in scenarios if {"accuracy", "auc"} & set(each.budgets)]
    assert {each.name for each in scenarios} - {each.name for each in scored} == {
        "distilbert_block", "mobilebert_block", "tiny_yolo",
    }  # fmt: skip
    page = (REPOSITORY / "docs" / "zoo.md").read_text()
    assert page.count(" | accuracy ") + page.count(" | AUC ") == len(scored) and page.count(" | untrained") == 3


def test_every_file_of_the_zoo_belongs_to_a_scenario_or_makes_one() -> None:
    used = {name for path in SCENARIOS for name in (path.name, *_files(path))}
    assert {path.name for path in ZOO.iterdir() if path.is_file() and path.suffix != ".py"} == used


def _files(path: Path) -> list[str]:
    content = tomllib.loads(path.read_text())
    beside = [
        content[table][key] for table, key in (("quantize", "calibration"), ("inputs", "file")) if table in content
    ]
    return [content["model"], *beside]
