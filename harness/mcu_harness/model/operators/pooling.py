"""Pooling."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape
from mcu_harness.model.operators.operator import WIDE, Operator, Role
from mcu_harness.model.operators.options import Option, activation, options, padding, strides
from mcu_harness.model.operators.shapes import expect_rank, windows


def _pool(op: Operation) -> tuple[Shape, ...]:
    expect_rank(op.shape(), 4, "the input")
    n, _, _, channels = op.shape()
    kernel = (op.number("filter_height"), op.number("filter_width"))
    return ((n, *windows(op, kernel, (1, 1)), channels),)


_OPTIONS = options(5, padding(), *strides(), Option("filter_width", 3), Option("filter_height", 4), activation(5))


OPERATORS = (
    Operator(
        "AVERAGE_POOL_2D", (Role.ACTIVATION,), _pool, _OPTIONS, keeps_quantization=True, types=WIDE, sliding_window=True
    ),
    Operator(
        "MAX_POOL_2D", (Role.ACTIVATION,), _pool, _OPTIONS, keeps_quantization=True, types=WIDE, sliding_window=True
    ),
)
