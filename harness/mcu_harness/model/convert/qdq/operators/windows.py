"""Sliding windows in two dimensions: ONNX's pads as TFLite's SAME or VALID, with a PAD before it where neither is meant.

A window in one dimension is one in two with a height of 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mcu_harness.model.convert.qdq.importer import Importer
from mcu_harness.model.convert.qdq.layouts import channels_last
from mcu_harness.model.convert.qdq.values import Quant, Value

NHWC = channels_last(4)


@dataclass(frozen=True, slots=True)
class Window:
    """Pairs are (height, width); `pads` is (top, left), (bottom, right) in elements."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    def extent(self, axis: int) -> int:
        return (self.kernel[axis] - 1) * self.dilation[axis] + 1

    def count(self, axis: int, size: int) -> int:
        """How many windows fit into `size` and the pads."""
        return (size + self.before[axis] + self.after[axis] - self.extent(axis)) // self.stride[axis] + 1

    def is_same(self, size: tuple[int, int]) -> bool:
        """Whether TFLite's SAME puts the windows where these pads put them."""
        for axis in (0, 1):
            count = -(-size[axis] // self.stride[axis])
            total = max((count - 1) * self.stride[axis] + self.extent(axis) - size[axis], 0)
            if (self.before[axis], self.after[axis]) != (total // 2, total - total // 2):
                return False
        return True

    @property
    def is_valid(self) -> bool:
        return not any((*self.before, *self.after))


def window_of(
    importer: Importer, node: Any, kernel: tuple[int, ...], size: tuple[int, ...], out: tuple[int, ...]
) -> Window:
    """The window of `node`. `size` is that of the input and `out` that of the output, in space."""
    rank = len(kernel)
    if rank not in (1, 2):
        raise importer.refusal(node, f"windows in {rank} dimensions, expected 1 or 2")
    stride = tuple(importer.attribute(node, "strides", [1] * rank))
    dilation = tuple(importer.attribute(node, "dilations", [1] * rank))
    pads = list(importer.attribute(node, "pads", [0] * 2 * rank))
    auto = importer.attribute(node, "auto_pad", "NOTSET")
    if any(v < 1 for v in (*kernel, *stride, *dilation)) or any(pad < 0 for pad in pads) or len(pads) != 2 * rank:
        raise importer.refusal(node, "a kernel, stride or dilation below 1, or a negative pad")
    for axis in range(rank):
        extent = (kernel[axis] - 1) * dilation[axis] + 1
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            total = max((out[axis] - 1) * stride[axis] + extent - size[axis], 0)
            small, large = total // 2, total - total // 2
            pads[axis], pads[axis + rank] = (small, large) if auto == "SAME_UPPER" else (large, small)
        elif auto == "VALID":
            pads[axis] = pads[axis + rank] = 0
    lift = 2 - rank  # one dimension: a height of 1
    return Window(
        _pair(kernel, 1, lift), _pair(stride, 1, lift), _pair(dilation, 1, lift),
        _pair(tuple(pads[:rank]), 0, lift), _pair(tuple(pads[rank:]), 0, lift),
    )  # fmt: skip


def _pair(values: tuple[int, ...], filler: int, lift: int) -> tuple[int, int]:
    full = (filler,) * lift + tuple(int(value) for value in values)
    return full[0], full[1]


def in_two_dimensions(importer: Importer, value: Value) -> Value:
    """(N, C, L) as (N, C, 1, L); (N, C, H, W) as it is."""
    if len(value.shape) == 4:
        return value
    n, c, length = value.shape
    return importer.mover.reshaped(value, (n, c, 1, length), value.name)


def padded(importer: Importer, node: Any, value: Value, window: Window, *, lowest: bool = False) -> tuple[str, int]:
    """(TFLite's padding, NHWC tensor to read) for `value`, (N, C, H, W). Pads hold zero, or the `lowest` value."""
    tensor = importer.mover.get(value, NHWC)
    n, height, width, channels = importer.writer.shape(tensor)
    if window.is_valid:
        return "VALID", tensor
    if window.is_same((height, width)):
        return "SAME", tensor
    (top, left), (bottom, right) = window.before, window.after
    name = importer.name(node)
    shape = (n, height + top + bottom, width + left + right, channels)
    result = importer.writer.activation(f"{name}/padded", shape, value.quant.scale, value.quant.zero_point)
    pads = importer.writer.indices(f"{name}/pads", [[0, 0], [top, bottom], [left, right], [0, 0]])
    if lowest:
        fill = importer.writer.constant(
            f"{name}/lowest", np.array([-128], np.int8), [value.quant.scale], [value.quant.zero_point]
        )
        importer.writer.operator("PADV2", [tensor, pads, fill], [result])
    else:
        importer.writer.operator("PAD", [tensor, pads], [result])
    importer.note(node, f"pads {top}, {left}, {bottom}, {right} are not TFLite's SAME: PAD put before it")
    return "VALID", result


def output(importer: Importer, name: str, shape: tuple[int, ...], quant: Quant) -> int:
    """The NHWC tensor for an operator to write the float value `name`, (N, C, H, W) or (N, C, L), to.

    Call after what the operator reads was made, and add the operator before anything reads `name`.
    """
    if len(shape) == 4:
        return importer.make(name, shape, quant, NHWC)
    n, c, length = shape
    wide = importer.writer.activation(f"{name}/2d", (n, 1, length, c), quant.scale, quant.zero_point)
    flat = importer.mover.flattened(wide, (n, length, c), name, quant)
    importer.give(name, shape, quant, channels_last(3), flat)
    return wide
