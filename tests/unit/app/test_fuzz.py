"""A short run of the fuzzer, and that it sees what must not be."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import child, kinds
from fuzz.mutate import spoil_bytes, spoil_json, spoil_text

REPOSITORY = Path(__file__).parents[3]
GOOD = child.Ended(2, "mcu-harness: error: x.json: not JSON", 1.0, 1 << 20, {})


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked and bounded as Linux does it")
def test_a_case_of_every_kind() -> None:
    words = [sys.executable, "-m", "tests.fuzz", "--cases", "1", "--seed", "3"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, env=_environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"{len(kinds.KINDS)} cases, 0 failures\n"


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "CI"}  # where a missing baseline is a failure
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (GOOD, ""),
        (replace(GOOD, status=0, said="", left={"o.json": b"{}"}), ""),
        (replace(GOOD, said="Traceback (most recent call last):\n  ..."), "a traceback"),
        (replace(GOOD, status=-11), "killed by signal 11"),
        (replace(GOOD, status=120), "exit status 120"),
        (replace(GOOD, said="nothing of use"), "exit status 2 without an error"),
        (replace(GOOD, status=1, said="  fail: output 0 [output.mismatch]"), "outputs are not those of LiteRT"),
        (replace(GOOD, resident_bytes=2 << 30), "2048 MiB of memory"),
        (replace(GOOD, said="mcu-harness: error: \x1b[2J"), "unprintable characters in a terminal"),
        (replace(GOOD, left={".o.json.x1": b""}), "left .o.json.x1 behind"),
        (replace(GOOD, left={"o.json": b"{"}), "o.json is half a file"),
    ],
)
def test_what_must_not_be_is_seen(ended: child.Ended, said: str) -> None:
    assert child.wrong(ended, {"o.json"}) == said


def test_a_seed_makes_the_same_case_again_and_another_another() -> None:
    data, text, plain = bytes(range(200)), "a = 1\nb = 'x'\n" * 9, '{"a": [1, 2, {"b": 3}], "c": "d"}'
    for spoil, good in ((spoil_bytes, data), (spoil_text, text), (spoil_json, plain)):
        made = [spoil(good, random.Random(seed)) for seed in range(50)]  # type: ignore[operator]
        assert made == [spoil(good, random.Random(seed)) for seed in range(50)]  # type: ignore[operator]
        assert len(set(made)) > 20


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked and bounded as Linux does it")
def test_a_child_without_bounds_is_ended(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0] = ['tests']\n"
        "from pathlib import Path\n"
        "from fuzz import child\n"
        "import mcu_harness.app.cli.main as cli\n"
        "child.MOST_CPU_S = 1\n"
        "def endless(words):\n    while True: pass\n"
        "def greedy(words):\n    return len(bytearray(8 << 30))\n"
        f"for cli.main in (endless, greedy):\n    print(child.wrong(child.run([], Path({str(tmp_path)!r}), set()), set()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=600, env=_environment()
    )
    assert done.stdout.splitlines() == ["killed by signal 9", "a traceback"], done.stderr
