"""The portable C kernels by role, and how each wants its filter laid out.

A kernel and the layout of the filter it reads are one choice, made here and at build time only. Kernels for some cores
only are chosen in mcu_harness.model.codegen.kernel_sets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mcu_harness.model.codegen.layouts import Array, as_stored, groups_of_four

FilterLayout = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Kernel:
    """`function` in firmware/kernels/`file`, which calls into the files `helpers` beside it.

    `layout` turns a filter, as [outputs, taps] int8, into the flat array that the kernel reads. `raster_positions` = n > 0
    is the promise of a kernel with a sliding window (`model/overlap.py`): it writes output positions in memory order, in groups
    of n; once it has begun to write a group, it no longer reads input that only earlier groups need.
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


_CHANNELS = ("portable/channels.c", "portable/copy.c")

PORTABLE: dict[str, Kernel] = {
    "conv_2d": Kernel("mcu_conv_2d_s8", "portable/conv_2d_s8.c", groups_of_four, _CHANNELS, 1),
    "depthwise_conv_2d": Kernel(
        "mcu_depthwise_conv_2d_s8", "portable/depthwise_conv_2d_s8.c", groups_of_four, _CHANNELS, 1
    ),
    "depthwise_conv_2d_multiplier": Kernel(
        "mcu_depthwise_conv_2d_s8", "portable/depthwise_conv_2d_s8.c", as_stored, _CHANNELS, 1
    ),
    "fully_connected": Kernel("mcu_fully_connected_s8", "portable/fully_connected_s8.c", groups_of_four),
    "add": Kernel("mcu_add_s8", "portable/add_s8.c"),
    "mul": Kernel("mcu_mul_s8", "portable/mul_s8.c"),
    "average_pool_2d": Kernel("mcu_average_pool_2d_s8", "portable/average_pool_2d_s8.c", raster_positions=1),
    "max_pool_2d": Kernel("mcu_max_pool_2d_s8", "portable/max_pool_2d_s8.c", raster_positions=1),
    "softmax": Kernel("mcu_softmax_s8", "portable/softmax_s8.c"),
    "copy": Kernel("mcu_copy", "portable/copy.c"),
    "fill": Kernel("mcu_fill", "portable/copy.c"),
    "copy_strided": Kernel("mcu_copy_strided", "portable/copy_strided.c", as_stored, ("portable/copy.c",)),
    "lookup": Kernel("mcu_lookup", "portable/lookup.c"),
    "quantize": Kernel("mcu_quantize", "portable/quantize.c"),
    "dequantize": Kernel("mcu_dequantize", "portable/dequantize.c"),
    "mean": Kernel("mcu_mean_s8", "portable/mean_s8.c"),
    "resize_nearest": Kernel("mcu_resize_nearest", "portable/resize_nearest.c", as_stored, ("portable/copy.c",)),
    "resize_bilinear": Kernel("mcu_resize_bilinear_s8", "portable/resize_bilinear_s8.c"),
    "maximum": Kernel("mcu_maximum_s8", "portable/maximum_s8.c"),
    "minimum": Kernel("mcu_minimum_s8", "portable/minimum_s8.c"),
    "squared_difference": Kernel("mcu_squared_difference_s8", "portable/squared_difference_s8.c"),
    "prelu": Kernel("mcu_prelu_s8", "portable/prelu_s8.c"),
    "reduce_max": Kernel("mcu_reduce_max_s8", "portable/reduce_s8.c"),
    "reduce_min": Kernel("mcu_reduce_min_s8", "portable/reduce_s8.c"),
    "gather": Kernel("mcu_gather", "portable/gather.c", as_stored, ("portable/copy.c",)),
    "lstm": Kernel("mcu_lstm_s8", "portable/lstm_s8.c"),
    "transpose_conv": Kernel(
        "mcu_transpose_conv_s8", "portable/transpose_conv_s8.c", as_stored, ("portable/channels.c",)
    ),
    "svdf_int16": Kernel("mcu_svdf_s8_state_s16", "portable/svdf_s8.c"),
    "svdf_int8": Kernel("mcu_svdf_s8_state_s8", "portable/svdf_s8.c"),
    "requantize_int16_int8": Kernel("mcu_requantize_s16_s8", "portable/requantize_wide.c"),
    "requantize_int8_int16": Kernel("mcu_requantize_s8_s16", "portable/requantize_wide.c"),
    "arg_extremum": Kernel("mcu_arg_extremum_s8", "portable/arg_extremum_s8.c"),
}
