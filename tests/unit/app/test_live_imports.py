"""What a live board loads: neither what only measurements need, nor what only failures do."""

from __future__ import annotations

import subprocess
import sys

LATE = (
    "mcu_harness.app.pipeline",
    "mcu_harness.app.judge",
    "mcu_harness.analysis.analyses",
    "mcu_harness.analysis.diagnose",
    "mcu_harness.analysis.what_if",
    "mcu_harness.results.report",
    "mcu_harness.model.operators",
    "ai_edge_litert",
    "ziglang",
    "onnx",
    "numba",
)


def test_a_board_loads_no_oracle_compiler_pipeline_or_report() -> None:
    code = "import sys, mcu_harness.app.live.opening, mcu_harness.emulator.unicorn.live_run\nprint(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "mcu_harness.app.live.board" in loaded
    assert [name for name in loaded if name.startswith(LATE)] == []
