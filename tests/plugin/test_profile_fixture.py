"""The mcu_profile fixture and the mcu_budget marker, through pytester."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def project(pytester: pytest.Pytester, small_model: Path) -> pytest.Pytester:
    shutil.copy(small_model, pytester.path / "small.tflite")
    return pytester


def run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    pytester.makepyfile("import pytest\n" + source)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-emulator=unicorn")


def test_fixture_gives_figures_per_layer(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
def test_model(mcu_profile):
    result = mcu_profile("small.tflite", "stm32f4_discovery")
    assert result.verdict == "pass"
    assert [layer.operator for layer in result.layers] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"]
    assert sum(layer.instructions for layer in result.layers) <= result.value("instructions")
    assert result.outputs.mismatches == 0
""",
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*small *stm32f4_discovery *pass*"])


def test_marker_limits_what_the_fixture_measures(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@pytest.mark.mcu_budget(flash="1 KiB")
def test_small(mcu_profile):
    mcu_profile("small.tflite", "stm32f4_discovery")

@pytest.mark.mcu_budget(flash="1 KiB")
def test_looked_at(mcu_profile):
    assert mcu_profile("small.tflite", "stm32f4_discovery", check=False).verdict == "fail"
""",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*flash is *over the budget of 1.0 KiB*"])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('"none.tflite", "stm32f4_discovery"', "*set-up error: *no such file*"),
        ('"small.tflite", "stm32f4"', "*did you mean 'stm32f4_discovery'*"),
    ],
)
def test_mistake_is_one_failure_without_traceback(project: pytest.Pytester, call: str, said: str) -> None:
    result = run(project, f"def test_it(mcu_profile):\n    mcu_profile({call})\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_unknown_limit_is_named(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
@pytest.mark.mcu_budget(flsh="1 KiB")
def test_small(mcu_profile):
    mcu_profile("small.tflite", "stm32f4_discovery")
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*unknown limit 'flsh'*", "*did you mean 'flash'*"])
