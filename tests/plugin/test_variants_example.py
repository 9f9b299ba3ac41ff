"""docs/examples/which-variant: its scenario passes, and its page says what the nets cost now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mcu_harness.results import results_file
from mcu_harness.results.variant_comparison import comparisons

pytest.importorskip("onnxruntime")
EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "examples" / "which-variant"


def test_every_net_keeps_its_budgets_and_the_front_is_the_one_of_the_page(pytester: pytest.Pytester) -> None:
    for file in EXAMPLE.iterdir():
        if file.suffix in (".onnx", ".npz", ".toml"):
            shutil.copy(file, pytester.path)
    words = ("digits.toml", "-p", "no:cacheprovider", "--mcu-emulator=unicorn", "--mcu-report-dir=out")
    result = pytester.runpytest_subprocess(*words)
    result.assert_outcomes(passed=8)
    found = comparisons(results_file.load(pytester.path / "out" / "results.json"))
    assert [each.board for each in found] == ["nucleo_g071rb", "stm32f4_discovery"]
    page = (EXAMPLE / "README.md").read_text()
    for comparison in found:
        assert {entry.name for entry in comparison.front} == {"large", "pruned", "small"}
        for entry in comparison.entries:
            right = round((entry.run.value("accuracy") or 0) * 360)
            assert f"{entry.name:9}  {right} of 360" in page
