"""The GitHub action's commands, run as GitHub would run them: options become arguments, and nothing of them a command."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest

ACTION = Path(__file__).parents[2] / ".github" / "actions" / "mcu-harness" / "action.yml"


def pytest_step() -> str:
    """The shell script of the step that runs pytest."""
    blocks = re.findall(r"run: \|\n((?: {8}.*\n)+)", ACTION.read_text())
    (script,) = (textwrap.dedent(block) for block in blocks if "\n        pytest " in block)
    return script


@pytest.mark.parametrize(
    ("boards", "options", "expected"),
    [
        ("", "", ["scenarios", "-n", "auto", "--mcu-report-dir", "reports"]),
        (
            "nrf52840dk ./mine.toml",
            "--mcu-compare-fail=cycles:2% -x",
            [
                *("scenarios", "-n", "auto", "--mcu-report-dir", "reports"),
                *("--mcu-board=nrf52840dk", "--mcu-board=./mine.toml", "--mcu-compare-fail=cycles:2%", "-x"),
            ],
        ),
        ("$(touch x)", "; touch x", ["scenarios", "-n", "auto", "--mcu-report-dir", "reports",
                                      "--mcu-board=$(touch", "--mcu-board=x)", ";", "touch", "x"]),
    ],
)  # fmt: skip
def test_inputs_become_arguments(tmp_path: Path, boards: str, options: str, expected: list[str]) -> None:
    fake = tmp_path / "bin" / "pytest"
    fake.parent.mkdir()
    fake.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    given = {"SCENARIOS": "scenarios", "BOARDS": boards, "OPTIONS": options, "REPORTS": "reports"}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", pytest_step()],
        env={**os.environ, **given, "PATH": f"{fake.parent}:{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.splitlines() == expected
    assert not (tmp_path / "x").exists()
