"""mcu-harness: int8 neural networks on emulated Arm Cortex-M boards, measured and judged."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# What a script imports from here, and where it is: found when it is asked for, so that nothing heavy comes along.
_PUBLIC = {"I2cRegisters": "mcu_harness.app.live.devices", "search": "mcu_harness.app.search.search"}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'mcu_harness' has no attribute {name!r}")
