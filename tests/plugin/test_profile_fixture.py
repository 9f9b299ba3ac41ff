"""The mcu_profile fixture and the mcu_budget marker, through pytester."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from live_firmware import shell


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


def test_arrays_labels_and_threshold_of_the_test_give_scores(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
import numpy as np

def test_model(mcu_profile):
    samples = np.random.default_rng(1).integers(-128, 128, (12, 6, 6, 2), np.int8)
    first = mcu_profile("small.tflite", "stm32f4_discovery", inputs=samples, count=12)
    assert first.outputs.inputs == 12 and "accuracy" not in first.measurements
    labels = np.zeros(12, np.int64)
    result = mcu_profile("small.tflite", "stm32f4_discovery", inputs=samples, labels=labels)
    assert result.outputs.labelled == 12 and 0 <= result.value("accuracy") <= 1
    assert "f1" in result.measurements
""",
    )
    result.assert_outcomes(passed=1)


def test_toolchain_and_kernels_are_chosen(project: pytest.Pytester) -> None:
    result = run(
        project,
        """
def test_model(mcu_profile):
    result = mcu_profile("small.tflite", "stm32f4_discovery", toolchain="zig", kernels="portable")
    assert result.toolchain.name == "zig"
    assert {layer.kernel.split("/")[0] for layer in result.layers if layer.kernel} <= {"portable"}
""",
    )
    result.assert_outcomes(passed=1)


@pytest.mark.gnu
def test_firmware_is_measured_between_places(project: pytest.Pytester) -> None:
    shell(project.path)
    result = run(
        project,
        """
@pytest.mark.mcu_budget(instructions=1_000_000)
def test_elf(mcu_profile):
    result = mcu_profile("shell.elf", "stm32f4_discovery", begin="delay", stop_after=3_000_000)
    assert result.value("instructions") > 0
""",
    )
    result.assert_outcomes(passed=1)


# What does not go together, and what is said of it: one session for all, since each is told before anything runs.
MISTAKES = {
    '"small.tflite", "stm32f4_discovery", begin="main"': "*begin: belong to firmware*",
    '"small.tflite", "stm32f4_discovery", labels=[1]': "*give `inputs` as well*",
    '"small.tflite", "stm32f4_discovery", inputs="none.npz"': "*no such file: *none.npz*",
    '"small.tflite", "stm32f4_discovery", inputs=["a"]': "*inputs: no array of numbers*",
    '"app.elf", "stm32f4_discovery", labels=[1]': "*labels: belong to a model*",
    '"app.elf", "stm32f4_discovery", bgin="main"': "*unknown option 'bgin'*",
    '"app.elf", "stm32f4_discovery", begin="main"': "*no such file*",
}


def test_what_does_not_go_together_is_one_failure_each(project: pytest.Pytester) -> None:
    calls = [f"def test_{nth}(mcu_profile):\n    mcu_profile({call})\n" for nth, call in enumerate(MISTAKES)]
    result = run(project, "\n".join(calls))
    result.assert_outcomes(failed=len(MISTAKES))
    for said in MISTAKES.values():
        result.stdout.fnmatch_lines_random([said])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_baseline_of_a_test_is_accepted_and_held(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
def test_costs(mcu_profile):
    mcu_profile("small.tflite", "stm32f4_discovery", baseline=True)
"""
    )
    options = ("-p", "no:cacheprovider", "--mcu-emulator=unicorn")
    project.runpytest_subprocess(*options, "--mcu-update-baseline").assert_outcomes(passed=1)
    (file,) = (project.path / "baselines" / "tests").glob("*.json")
    assert "test_costs" in file.name
    held = ("--mcu-compare-fail", "cycles:1%")
    project.runpytest_subprocess(*options, *held).assert_outcomes(passed=1)
    text = file.read_text()
    known = json.loads(text)
    known["figures"]["cycles"] = known["figures"]["cycles"] * 0.9
    file.write_text(json.dumps(known))
    result = project.runpytest_subprocess(*options, *held)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*cycles *exceeds its baseline by more than 1%*", "*test_costs*"])
