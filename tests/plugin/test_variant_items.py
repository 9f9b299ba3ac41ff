"""[[variants]] under pytest: an item for each variant and board, with its own budgets and baselines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model_builder import ModelBuilder

SCENARIO = """\
boards = ["stm32f4_discovery", "nucleo_g071rb"]
[baseline]
cycles = "1 %"
[[variants]]
model = "wide.tflite"
[[variants]]
name = "slim"
model = "narrow.tflite"
[variants.budgets]
flash = "1 KiB"
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    for name, channels in (("wide", 8), ("narrow", 2)):
        builder = ModelBuilder(seed=3)
        x = builder.conv_2d(builder.input((1, 6, 6, 2)), channels=channels, activation="RELU")
        builder.output(builder.fully_connected(builder.reshape(x, (1, -1)), units=5))
        (pytester.path / f"{name}.tflite").write_bytes(builder.build())
    (pytester.path / "nets.toml").write_text(SCENARIO)
    return pytester


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn", *arguments)


def test_a_budget_of_one_variant_fails_its_items_alone(project: pytest.Pytester) -> None:
    result = run(project, "-v", "--mcu-report-dir=out")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        ["*nets.toml::wide-stm32f4_discovery PASSED*", "*nets.toml::slim-stm32f4_discovery FAILED*"]
    )
    result.stdout.fnmatch_lines(["variants of nets on nucleo_g071rb: worth having, by latency, flash, RAM: slim"])
    report = (project.path / "out" / "variants.md").read_text()
    assert "over budget; front" in report and "dominated by slim" in report


def test_baselines_are_kept_for_each_variant(project: pytest.Pytester) -> None:
    run(project, "--mcu-update-baseline")
    kept = sorted(path.name for path in (project.path / "baselines").iterdir())
    assert len(kept) == 4 and sum("slim" in name for name in kept) == 2
    figures = json.loads(Path(project.path / "baselines" / kept[0]).read_text())
    assert figures["model"] in ("slim", "wide")
    (project.path / "narrow.tflite").write_bytes((project.path / "wide.tflite").read_bytes())
    result = run(project, "-k", "slim-nucleo")
    result.assert_outcomes(failed=1, deselected=3)
    result.stdout.fnmatch_lines(["*cycles * exceeds its baseline by more than 1%*"])
