"""How far the output of a sliding-window layer must start below its input, so that both may lie in the same bytes.

A kernel that works through output positions in memory order needs less and less of its input. An output that begins
low enough never reaches what is still needed: two tensors of n bytes then fit into little more than n.
"""

from __future__ import annotations

import numpy as np

from mcu_harness.model.graph import Graph, Layer
from mcu_harness.model.operation import Operation

# Operators with one output position (all of its channels) per window, in NHWC order, reading no other input position.
WINDOWS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D"})


def raster_distance(graph: Graph, layer: Layer, positions: int = 1) -> int | None:
    """Bytes from the start of the output up to the start of the input that keep the layer right; None for no window.

    For kernels that write output positions in memory order and, by the time they write into the group of `positions`
    neighbours that holds position k, read no window before that group's first. 0 means that both may start together.
    """
    if layer.operator not in WINDOWS:
        return None
    op = Operation.of(graph, layer)
    batches, height, width, channels = op.shape()
    _, out_height, out_width, out_channels = op.outputs[0].shape
    kernel = op.shape(1)[1:3] if len(op.inputs) > 1 else (op.number("filter_height"), op.number("filter_width"))
    rows = _first_read(op, "h", height, out_height, kernel[0])
    columns = _first_read(op, "w", width, out_width, kernel[1])
    image = np.arange(batches, dtype=np.int64) * height
    first = ((image[:, None, None] + rows[None, :, None]) * width + columns[None, None, :]).reshape(-1) * channels
    needed = np.minimum.accumulate(first[::-1])[::-1]  # from here on, nothing below this is read any more
    position = np.arange(1, len(first) + 1, dtype=np.int64)
    written = np.minimum(position + positions - 1, len(first)) * out_channels
    return max(0, int(np.max(written - needed)))


def _first_read(
    op: Operation, letter: str, size: int, out_size: int, kernel: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The lowest row (or column) inside the image that each output row (or column) may read."""
    stride = op.number(f"stride_{letter}")
    dilation = op.number(f"dilation_{letter}_factor") if f"dilation_{letter}_factor" in op.attributes else 1
    extent = (kernel - 1) * dilation + 1
    before = max(0, (out_size - 1) * stride + extent - size) // 2 if op.attributes["padding"] == "SAME" else 0
    return np.maximum(0, np.arange(out_size, dtype=np.int64) * stride - before)
