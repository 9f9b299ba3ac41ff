"""mcu-harness: int8 neural networks on emulated Arm Cortex-M boards, measured and judged."""

from __future__ import annotations

__version__ = "0.1.0"
