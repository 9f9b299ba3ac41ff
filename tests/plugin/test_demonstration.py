"""docs/examples/regression-gate, step by step, in a repository of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from shown_pages import OUTPUTS, RENEW, reason_not_to_compare

EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "examples" / "regression-gate"
BASELINE = Path("baselines/gesture@nrf52840dk.json")

Step = Callable[..., pytest.RunResult]


@pytest.fixture
def step(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Step:
    """Runs pytest in a copy of the example, in CI or not."""
    for path in EXAMPLE.glob("gesture*"):
        shutil.copy(path, pytester.path / path.name)

    def step(*arguments: str, ci: bool = False) -> pytest.RunResult:
        monkeypatch.setenv("COLUMNS", "100")
        monkeypatch.setenv("CI", "true" if ci else "")
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn", *arguments)

    return step


def test_gate_goes_from_first_run_to_accepted_change(step: Step, pytester: pytest.Pytester) -> None:
    first = step()
    printed = [first]
    first.assert_outcomes(passed=1)
    first.stdout.fnmatch_lines(
        ["*no baseline yet*gesture@nrf52840dk.json", "*pytest --mcu-update-baseline gesture.toml"]
    )
    step(ci=True).assert_outcomes(failed=1)

    printed.append(step("--mcu-update-baseline"))
    printed[-1].assert_outcomes(passed=1)
    accepted = json.loads((pytester.path / BASELINE).read_text())
    step(ci=True).assert_outcomes(passed=1)

    shutil.copy(EXAMPLE / "gesture_wider.tflite", pytester.path / "gesture.tflite")
    red = step(ci=True)
    printed.append(red)
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

    printed.append(step("--mcu-update-baseline", "gesture.toml::nrf52840dk"))
    printed[-1].assert_outcomes(passed=1)
    assert json.loads((pytester.path / BASELINE).read_text()) != accepted
    printed.append(step(ci=True))
    printed[-1].assert_outcomes(passed=1)
    if not reason_not_to_compare():
        page, outputs = (EXAMPLE / "README.md").read_text("utf-8"), iter(printed)
        shown = OUTPUTS.renewed(page, lambda command: next(outputs).stdout.str() if "pytest" in command else "")
        assert page == shown, RENEW
        assert next(outputs, None) is None  # all of its steps are on the page
