"""Which C kernel computes what on which target, and how that kernel wants its filter laid out.

A kernel and the layout of the filter it reads are one choice, made here and at build time only. A kernel optimised
for a target is one more entry in that target's set; every other role falls back to the portable one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FilterLayout = Callable[[npt.NDArray[np.generic]], npt.NDArray[np.generic]]


def as_stored(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The layout of the model file."""
    return values


@dataclass(frozen=True, slots=True)
class Kernel:
    """`function` in firmware/kernels/`file`; `layout` turns a filter as TFLite stores it into what it reads."""

    function: str
    file: str
    layout: FilterLayout = as_stored


@dataclass(frozen=True, slots=True)
class KernelSet:
    """Kernels by role; `name` goes into every result and must change when any kernel's cost may have changed."""

    name: str
    kernels: dict[str, Kernel]


PORTABLE = KernelSet(
    "portable-1",
    {
        "copy": Kernel("mcu_copy", "copy.c"),
        "copy_strided": Kernel("mcu_copy_strided", "copy_strided.c"),
        "lookup": Kernel("mcu_lookup", "lookup.c"),
        "quantize": Kernel("mcu_quantize", "quantize.c"),
        "dequantize": Kernel("mcu_dequantize", "dequantize.c"),
        "mean": Kernel("mcu_mean_s8", "mean_s8.c"),
        "resize_nearest": Kernel("mcu_resize_nearest", "resize_nearest.c"),
    },
)


def kernel_set_for(target: str) -> KernelSet:
    """The kernels for a target such as "cortex-m4+fpv4-sp-d16" (Board.target)."""
    del target  # one set so far: portable C runs everywhere
    return PORTABLE
