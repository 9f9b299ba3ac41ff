"""Operators that make images larger or smaller."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.operator import WIDE, Operator, Role
from mcu_harness.model.operators.options import Option, options
from mcu_harness.model.operators.shapes import expect_rank


def _resize(op: Operation) -> tuple[Shape, ...]:
    expect_rank(op.shape(), 4, "the input")
    size = op.indices(1)
    if len(size) != 2 or min(size) < 1:
        raise ShapeError(f"{size} is not a height and width")
    return ((op.shape()[0], *size, op.shape()[3]),)


OPERATORS = (
    Operator(
        "RESIZE_NEAREST_NEIGHBOR",
        (Role.ACTIVATION, Role.INDICES),
        _resize,
        options(74, Option("align_corners", 0, False), Option("half_pixel_centers", 1, False)),
        keeps_quantization=True,
        types=WIDE,
    ),
    Operator(
        "RESIZE_BILINEAR",
        (Role.ACTIVATION, Role.INDICES),
        _resize,
        options(15, Option("align_corners", 2, False), Option("half_pixel_centers", 3, False)),
        types=WIDE,
    ),
)
