"""Which C kernel computes what on which target, and how that kernel wants its filter laid out.

A kernel and the layout of the filter it reads are one choice, made here and at build time only. A kernel optimised
for a target is one more entry in that target's set; every other role falls back to the portable one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.model.codegen.layouts import Array, as_stored, groups_of_four

FilterLayout = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Kernel:
    """`function` in firmware/kernels/`file`, which calls into the files `helpers` beside it.

    `layout` turns a filter, as [outputs, taps] int8, into the flat array that the kernel reads. `raster_positions` > 0
    is the promise of a kernel with a sliding window (harness/mcu_harness/model/overlap.py): it writes output positions, all channels
    of each, in memory order, and once it writes into a group of that many neighbours it reads no window before theirs.
    """

    function: str
    file: str
    layout: FilterLayout = as_stored
    helpers: tuple[str, ...] = ()
    raster_positions: int = 0

    @property
    def files(self) -> tuple[str, ...]:
        """Everything to compile for it."""
        return (self.file, *self.helpers)


@dataclass(frozen=True, slots=True)
class KernelSet:
    """Kernels by role; `name` goes into every result and must change when any kernel's cost may have changed."""

    name: str
    kernels: dict[str, Kernel]


PORTABLE = KernelSet(
    "portable-1",
    {
        "conv_2d": Kernel("mcu_conv_2d_s8", "conv_2d_s8.c", groups_of_four, ("channels.c", "copy.c"), 1),
        "depthwise_conv_2d": Kernel(
            "mcu_depthwise_conv_2d_s8", "depthwise_conv_2d_s8.c", groups_of_four, ("channels.c", "copy.c"), 1
        ),
        "depthwise_conv_2d_multiplier": Kernel(
            "mcu_depthwise_conv_2d_s8", "depthwise_conv_2d_s8.c", as_stored, ("channels.c", "copy.c"), 1
        ),
        "fully_connected": Kernel("mcu_fully_connected_s8", "fully_connected_s8.c", groups_of_four),
        "add": Kernel("mcu_add_s8", "add_s8.c"),
        "mul": Kernel("mcu_mul_s8", "mul_s8.c"),
        "average_pool_2d": Kernel("mcu_average_pool_2d_s8", "average_pool_2d_s8.c", raster_positions=1),
        "max_pool_2d": Kernel("mcu_max_pool_2d_s8", "max_pool_2d_s8.c", raster_positions=1),
        "softmax": Kernel("mcu_softmax_s8", "softmax_s8.c"),
        "copy": Kernel("mcu_copy", "copy.c"),
        "fill": Kernel("mcu_fill", "copy.c"),
        "copy_strided": Kernel("mcu_copy_strided", "copy_strided.c", as_stored, ("copy.c",)),
        "lookup": Kernel("mcu_lookup", "lookup.c"),
        "quantize": Kernel("mcu_quantize", "quantize.c"),
        "dequantize": Kernel("mcu_dequantize", "dequantize.c"),
        "mean": Kernel("mcu_mean_s8", "mean_s8.c"),
        "resize_nearest": Kernel("mcu_resize_nearest", "resize_nearest.c", as_stored, ("copy.c",)),
    },
)


def kernel_set_for(target: str) -> KernelSet:
    """The kernels for a target such as "cortex-m4+fpv4-sp-d16" (Board.target)."""
    del target  # one set so far: portable C runs everywhere
    return PORTABLE
