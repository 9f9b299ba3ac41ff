"""The compiled recorder is kept on disk, and does without a disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROBE = """
from mcu_harness.emulator.recorder import block_recorder
compiled = block_recorder.compiled()
print(compiled._hook.cache_hits)
"""

WITHOUT_DISK = """
import numba.core.caching as caching
for kind in vars(caching).values():
    if hasattr(kind, "_locator_classes"):
        kind._locator_classes = []
from mcu_harness.emulator.recorder.block_recorder import BlockRecorder
import numpy as np
recorder = BlockRecorder(lambda address, size: bytes.fromhex("00bf") * (size // 2))
recorder.begin(0x1000)
recorder.add(np.array([(0x1000, 4)], np.uint32))
print(recorder.instructions)
"""


def run(code: str, cache: Path) -> list[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    first, second = run(PROBE, tmp_path), run(PROBE, tmp_path)
    assert any(path.suffix == ".nbc" for path in tmp_path.rglob("*"))
    assert (first, second) == (["0"], ["1"])


def test_without_a_place_for_the_cache_it_is_compiled_each_time(tmp_path: Path) -> None:
    assert run(WITHOUT_DISK, tmp_path) == ["2"]
    assert not list(tmp_path.iterdir())
