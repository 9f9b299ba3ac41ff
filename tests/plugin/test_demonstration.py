"""docs/examples/regression-gate, step by step, in a repository of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "examples" / "regression-gate"
BASELINE = Path("baselines/gesture@nrf52840dk.json")

Step = Callable[..., pytest.RunResult]


@pytest.fixture
def step(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Step:
    """Runs pytest in a copy of the example, in CI or not."""
    for path in EXAMPLE.glob("gesture*"):
        shutil.copy(path, pytester.path / path.name)

    def step(*arguments: str, ci: bool = False) -> pytest.RunResult:
        monkeypatch.setenv("CI", "true" if ci else "")
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn", *arguments)

    return step


def test_gate_goes_from_first_run_to_accepted_change(step: Step, pytester: pytest.Pytester) -> None:
    first = step()
    first.assert_outcomes(passed=1)
    first.stdout.fnmatch_lines(
        ["*no baseline yet*gesture@nrf52840dk.json", "*pytest --mcu-update-baseline gesture.toml"]
    )
    step(ci=True).assert_outcomes(failed=1)

    step("--mcu-update-baseline").assert_outcomes(passed=1)
    accepted = json.loads((pytester.path / BASELINE).read_text())
    step(ci=True).assert_outcomes(passed=1)

    shutil.copy(EXAMPLE / "gesture_wider.tflite", pytester.path / "gesture.tflite")
    red = step(ci=True)
    red.assert_outcomes(failed=1)
    red.stdout.fnmatch_lines(
        [
            "*cycles * exceeds its baseline by more than 2%*the model changed*",
            "*layer 01 CONV_2D: +*",
            "*flash * exceeds its baseline by more than +256*",
            "*mcu_layer_03_fully_connected_filter: +1,024 B*",
            "*pytest --mcu-update-baseline gesture.toml::nrf52840dk*",
        ]
    )
    assert json.loads((pytester.path / BASELINE).read_text()) == accepted

    step("--mcu-update-baseline", "gesture.toml::nrf52840dk").assert_outcomes(passed=1)
    assert json.loads((pytester.path / BASELINE).read_text()) != accepted
    step(ci=True).assert_outcomes(passed=1)
