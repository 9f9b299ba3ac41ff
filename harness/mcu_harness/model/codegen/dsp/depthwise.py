"""DEPTHWISE_CONV_2D with dual multiplications: firmware/kernels/dsp/depthwise_conv_2d_s8.c."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mcu_harness.model.codegen.image_lines import c_axis, turn_lines, turn_of
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, Unsuited
from mcu_harness.model.codegen.operators.filters import Filters
from mcu_harness.model.codegen.quantization import affine, dot_products
from mcu_harness.model.codegen.sliding_windows import Axis, Window
from mcu_harness.model.codegen.steps import FACTOR, bias_constant, call, twice_rounded
from mcu_harness.model.graph import Layer

_PAIR_BYTES = 16  # two positions of four channels
_KERNEL = Kernel("mcu_depthwise_conv_2d_dsp_s8", "dsp/depthwise_conv_2d_s8.c", "mcu_depthwise_conv_2d_dsp.h")


@dataclass(frozen=True, slots=True)
class _Lines:
    """One way to see the image: lines of positions that are run along, and what that takes."""

    lines: Axis
    along: Axis

    @property
    def words(self) -> int:
        """Pairs of taps of a line of the window, as the filter has them."""
        return self.along.kernel // 2 + 1 if self.along.stride == 1 else -(-self.along.kernel // 2)

    @property
    def fours(self) -> bool:
        """Whether outputs are computed by four alone: windows of 3 lines of 3 taps that move by one."""
        return self.lines.kernel == self.along.kernel == 3 and self.along.stride == 1

    @property
    def pairs(self) -> int:
        """Pairs of positions of a line that its outputs read, in groups of four and at last of two, or that padding fills."""
        start, needed, left = 0, -(-(self.along.padding + 1) // 2), self.along.out
        one = self.along.stride == 1
        while left > (0 if self.fours else 2):
            needed = max(needed, start + self.words + (1 if one else 3))
            start += 2 * self.along.stride
            left -= 4
        if left > 0:
            needed = max(needed, start + self.words + (0 if one else 1))
        return needed

    @property
    def multiplications(self) -> int:
        """Dual ones, those for outputs that groups compute in vain included."""
        groups, rest = divmod(self.along.out, 4)
        outputs = 4 * groups + (0, 4 if self.fours else 2, 4 if self.fours else 2, 4)[rest]
        return self.lines.out * self.lines.kernel * self.words * outputs

    @property
    def filter_bytes(self) -> int:
        """Room for one channel's filter as words."""
        return 4 * self.lines.kernel * self.words * (2 if self.along.stride == 1 else 1)


def emit(layer: Layer, context: Context, filters: Filters, window: Window) -> LayerCode:
    height, width = window.height, window.width
    if height.dilation > 1 or width.dilation > 1:
        raise Unsuited("dilated")
    ways = [way for way in (_Lines(height, width), _Lines(width, height)) if way.along.stride in (1, 2)]
    if not ways:
        raise Unsuited(f"strides {height.stride} and {width.stride}, one must be 1 or 2")
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    in_place = source.shape == result.shape
    by_lines = not in_place and ways[0].lines is height  # row by row: the output may lie in the bytes of its input
    way = ways[0] if by_lines else min(ways, key=lambda way: way.multiplications)
    steps = twice_rounded(layer, context, dot_products(layer, context, filters.values))
    turn = turn_of(way.lines, way.pairs * _PAIR_BYTES, result.nbytes)
    taps = steps.filters.reshape(-1, height.kernel, width.kernel)
    if way.along is height:
        taps = np.ascontiguousarray(taps.transpose(0, 2, 1))
    members = (
        ("lines", c_axis(way.lines, window, filters, way.lines is height)),
        ("along", c_axis(way.along, window, filters, way.along is height)),
        ("filter", context.name("filter")),
        ("bias", context.name("bias")),
        ("steps", context.name("steps")),
        ("batches", str(window.batches)),
        ("in_channels", str(window.channels)),
        ("multiplier", str(filters.multiplier)),
        ("words", str(way.words)),
        ("turn", str(turn)),
        ("turn_lines", str(turn_lines(way.lines, turn))),
        ("pairs", str(way.pairs)),
        ("by_lines", str(int(by_lines))),
        ("in_zero_point", str(affine(layer, source).zero_point)),
        *steps.members,
    )
    return LayerCode(
        body=(call(context, layer, f"mcu_depthwise_conv_2d_dsp{steps.variant}_s8"),),
        kernels=(_KERNEL,),
        constants=(
            Constant("filter", taps, 1),
            bias_constant(FACTOR * steps.bias),
        ),
        structs=(steps.table, Struct("struct mcu_depthwise_conv_2d_dsp", "parameters", members)),
        scratch_bytes=way.filter_bytes + turn_lines(way.lines, turn) * way.pairs * _PAIR_BYTES,
        raster_positions=turn * width.out if by_lines else 0,
        in_place=(0,) if in_place else (),
    )
