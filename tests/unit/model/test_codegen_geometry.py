"""Windows, filter layouts and broadcasts, each against its definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.layouts import groups_of_four
from mcu_harness.model.codegen.operators.arithmetic import broadcast_loops
from mcu_harness.model.codegen.sliding_windows import Axis, window_of
from mcu_harness.model.graph import Layer, Tensor


def seen(axis: Axis) -> list[list[int]]:
    """The input positions that each output position looks at."""
    return [
        [out * axis.stride - axis.padding + tap * axis.dilation for tap in range(axis.kernel)]
        for out in range(axis.out)
    ]


@pytest.mark.parametrize(
    "size,kernel,stride,dilation", list(itertools.product((1, 5, 8), (1, 3, 4), (1, 2, 3), (1, 2)))
)
def test_same_padding_is_as_even_as_can_be_and_smaller_in_front(
    size: int, kernel: int, stride: int, dilation: int
) -> None:
    out = -(-size // stride)
    layer = Layer(0, "CONV_2D", (), (), {"stride_h": stride, "stride_w": 1, "dilation_h_factor": dilation})
    source, result = Tensor(0, "", (1, size, 1, 1), "int8"), Tensor(1, "", (1, out, 1, 1), "int8")
    axis = window_of(layer, source, result, (kernel, 1)).height
    positions = [position for window in seen(axis) for position in window]
    before, after = max(-min(positions), 0), max(max(positions) - (size - 1), 0)
    assert after - before in (0, 1) or before == 0
    assert axis.inside == all(0 <= position < size for position in positions)


def test_sizes_beyond_sixteen_bits_are_refused() -> None:
    layer = Layer(0, "CONV_2D", (), ())
    source, result = Tensor(0, "", (1, 70000, 1, 1), "int8"), Tensor(1, "", (1, 70000, 1, 1), "int8")
    with pytest.raises(ModelError, match="70000"):
        window_of(layer, source, result, (1, 1))


@pytest.mark.parametrize("count", range(1, 10))
def test_rows_are_interleaved_in_groups_of_four(count: int) -> None:
    rows = np.arange(count * 3).reshape(count, 3)
    flat = groups_of_four(rows).tolist()
    expected = []
    for first in range(0, count - count % 4, 4):
        expected += [int(rows[first + lane, tap]) for tap in range(3) for lane in range(4)]
    expected += rows[count - count % 4 :].reshape(-1).tolist()
    assert flat == expected


@pytest.mark.parametrize(
    "first,second,turns",
    [
        ((2, 3, 4), (2, 3, 4), 1),
        ((2, 3, 4), (1,), 1),
        ((2, 3, 4), (4,), 2),
        ((2, 3, 4), (3, 1), 3),
        ((1, 1), (1,), 1),
        ((2, 1, 4, 1), (1, 3, 1, 5), 4),
        ((3, 4, 1), (2, 3, 4, 5), 3),
    ],
)
def test_broadcast_loops_visit_what_numpy_broadcasts(
    first: tuple[int, ...], second: tuple[int, ...], turns: int
) -> None:
    a, b = (np.arange(np.prod(shape)).reshape(shape) for shape in (first, second))
    pairs = [[int(x), int(y)] for x, y in zip(*(v.reshape(-1) for v in np.broadcast_arrays(a, b)), strict=True)]
    loops = broadcast_loops(first, second, np.broadcast_shapes(first, second))
    visited = [
        [sum(i * loop.steps[side] for i, loop in zip(turn, loops, strict=True)) for side in (0, 1)]
        for turn in itertools.product(*(range(loop.count) for loop in loops))
    ]
    assert visited == pairs
    assert len(loops) == turns
    assert set(loops[-1].steps) <= {0, 1}
