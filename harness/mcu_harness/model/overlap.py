"""How far the output of a sliding-window layer must start below its input, so that both may lie in the same bytes.

A kernel that works through output positions in memory order needs less and less of its input. An output that begins
low enough never reaches what is still needed: two tensors of n bytes then fit into little more than n.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mcu_harness.model.graph import Graph, Layer
from mcu_harness.model.operation import Operation, padding_before
from mcu_harness.model.operators.catalogue import OPERATORS

Numbers = npt.NDArray[np.int64]


def raster_distance(graph: Graph, layer: Layer, positions: int = 1) -> int | None:
    """Bytes from the start of the output up to the start of the input that keep the layer right; None for no window.

    For kernels that write output positions in memory order and, by the time they write into the group of `positions`
    neighbours that holds position k, read no window before that group's first. 0 means that both may start together.
    """
    if not OPERATORS[layer.operator].sliding_window:
        return None
    op = Operation.of(graph, layer)
    batches, height, width, channels = op.shape()
    _, out_height, out_width, out_channels = op.outputs[0].shape
    kernel = op.shape(1)[1:3] if len(op.inputs) > 1 else (op.number("filter_height"), op.number("filter_width"))
    rows = _first_read(op, "h", height, out_height, kernel[0])
    columns = _first_read(op, "w", width, out_width, kernel[1])
    # Rows and columns only ever move on, so what is needed from a position on is what that position reads first or, where the
    # border lets two rows begin at one, what the next row reads first.
    row = np.arange(batches * out_height, dtype=np.int64)
    source = ((row // out_height) * height + rows[row % out_height]) * width * channels
    following = np.append(source[1:] + columns[0] * channels, np.iinfo(np.int64).max)
    last = len(row) * out_width
    column = np.arange(out_width, dtype=np.int64)

    def written(position: Numbers) -> Numbers:
        """Bytes that may be written once `position` is."""
        reached: Numbers = np.minimum(position + positions, last) * out_channels
        return reached

    # All rows but those at the end, where fewer positions than `positions` are left, differ by a constant only.
    explicit = min(len(row), -(-positions // out_width) + 1)
    plain = row[: len(row) - explicit]
    distances = [0]
    if len(plain):
        first_row = int(np.max(written(column) - columns * channels))
        distances.append(first_row + int(np.max(plain * out_width * out_channels - source[plain])))
        distances.append(int(np.max(written(plain * out_width + out_width - 1) - following[plain])))
    for each in row[len(row) - explicit :]:
        needed = np.minimum(source[each] + columns * channels, following[each])
        distances.append(int(np.max(written(each * out_width + column) - needed)))
    return max(distances)


def _first_read(op: Operation, letter: str, size: int, out_size: int, kernel: int) -> Numbers:
    """The lowest row (or column) inside the image that each output row (or column) may read."""
    stride = op.number(f"stride_{letter}")
    dilation = op.number(f"dilation_{letter}_factor") if f"dilation_{letter}_factor" in op.attributes else 1
    extent = (kernel - 1) * dilation + 1
    before = padding_before(op.attributes, letter, (out_size - 1) * stride + extent - size)
    return np.maximum(0, np.arange(out_size, dtype=np.int64) * stride - before)
