"""The compiled hooks are kept on disk, load without numba, and do without a disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mcu_harness.emulator.recorder.compiled_code import KIND, code_digest

COUNTS = """
import sys
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
import numpy as np
recorder = BlockRecorder(lambda address, size: bytes.fromhex("00bf") * (size // 2))
recorder.begin(0x1000)
recorder.add(np.array([(0x1000, 4)] * 3 + [(0x2000, 6)], np.uint32))
print(recorder.instructions, "numba" in sys.modules)
"""

# A function of one's own, compiled from the files beside it.
TIMES = """
import ctypes, sys
from pathlib import Path
from mcu_harness.emulator.recorder.compiled_code import addresses
def make():
    import numba
    from helper import FACTOR
    def times(value):
        if value == 0:
            raise ValueError("what the runtime of numba would do")
        return value * FACTOR
    return {"times": numba.cfunc("int64(int64)")(times)}
(address,) = addresses((Path(__file__).parent,), ("times",), make)
print(ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(address)(7), "numba" in sys.modules)
"""

# numba still works after code of it was loaded without it.
BOTH = """
from mcu_harness.emulator.recorder.block_hook import compiled
compiled()
import numba
@numba.njit
def refuse(value):
    if value > 1:
        raise ValueError("too large")
    return value
try:
    refuse(2)
except ValueError as error:
    print(error)
"""


def run(code: str, cache: Path | str) -> str:
    environment = {**os.environ, "MCU_HARNESS_CACHE": str(cache)}
    command = [sys.executable, "-B", *([code] if code.endswith(".py") else ["-c", code])]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    assert [run(COUNTS, tmp_path) for _ in range(2)] == ["9 True", "9 False"]
    assert run(BOTH, tmp_path) == "too large"
    kept = sorted(tmp_path.glob(f"{KIND}/*/*.{KIND}"))
    assert len(kept) == 3
    kept[0].write_bytes(kept[0].read_bytes()[:-1] + b"?")  # a disk has damaged it
    assert [run(COUNTS, tmp_path) for _ in range(2)] == ["9 True", "9 False"]


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a place where nobody can write")
def test_without_a_place_for_the_cache_it_is_compiled_each_time() -> None:
    assert run(COUNTS, "/proc/nowhere") == "9 True"


def test_code_that_was_compiled_before_a_change_in_any_of_its_files_is_not_used(tmp_path: Path) -> None:
    script, helper, cache = tmp_path / "code" / "times.py", tmp_path / "code" / "helper.py", tmp_path / "cache"
    script.parent.mkdir()
    script.write_text(TIMES)
    helper.write_text("FACTOR = 3\n")
    assert [run(str(script), cache) for _ in range(2)] == ["21 True", "21 False"]
    before = code_digest(script.parent)
    helper.write_text("FACTOR = 5\n")
    assert run(str(script), cache) == "35 True"
    code_digest.cache_clear()
    assert code_digest(script.parent) != before
