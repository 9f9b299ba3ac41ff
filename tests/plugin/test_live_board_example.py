"""docs/examples/live-board as its readme says: built, and tested by its own tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent.parent / "docs" / "examples" / "live-board"

pytestmark = pytest.mark.gnu


def test_the_example_passes_and_measures(pytester: pytest.Pytester) -> None:
    for path in EXAMPLE.iterdir():
        shutil.copy(path, pytester.path / path.name)
    subprocess.run(["./build.sh"], cwd=pytester.path, check=True, timeout=120)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--mcu-coverage")
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(["test_heats_when_it_is_cold.sample *stm32f4_discovery *pass*", "*app.c: *"])
    assert "8 tests" in (EXAMPLE / "README.md").read_text()
