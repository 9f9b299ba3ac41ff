"""Operators on two operands, element by element."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.multipliers import MAX_MULTIPLIER, product, scales
from mcu_harness.model.operators.operator import Operator, Role
from mcu_harness.model.operators.options import activation, options
from mcu_harness.model.operators.shapes import broadcast, broadcast_shape


def _prelu(op: Operation) -> tuple[Shape, ...]:
    if broadcast(op.shape(0), op.shape(1)) != op.shape(0):
        raise ShapeError(f"the slopes {op.shape(1)} are more than the input {op.shape(0)}")
    return (op.shape(0),)


def _sum(operation: Operation) -> str:
    """LiteRT's ADD and SUB work at 2^20 times the precision of the larger input, and stop where that does not do."""
    largest = 2 * max(scales(operation.inputs[0])[0], scales(operation.inputs[1])[0])
    return "" if largest < 2.0**20 * scales(operation.outputs[0])[0] else "the output scale is absurdly small"


def _squared_difference(operation: Operation) -> str:
    """LiteRT works at 2^7 times the precision of the larger input."""
    largest = 2 * max(scales(operation.inputs[0])[0], scales(operation.inputs[1])[0])
    return (
        ""
        if largest * largest / 2.0**14 < scales(operation.outputs[0])[0] * MAX_MULTIPLIER
        else "the output scale is absurdly small"
    )


OPERATORS = (
    Operator(
        "ADD", (Role.VALUE, Role.VALUE), broadcast_shape, options(11, activation(0)), problem=_sum, in_place=(0, 1)
    ),
    Operator(
        "SUB", (Role.VALUE, Role.VALUE), broadcast_shape, options(28, activation(0)), problem=_sum, in_place=(0, 1)
    ),
    Operator(
        "MUL", (Role.VALUE, Role.VALUE), broadcast_shape, options(21, activation(0)), problem=product, in_place=(0, 1)
    ),
    # LiteRT compares bytes, whatever they stand for.
    Operator("MAXIMUM", (Role.VALUE, Role.VALUE), broadcast_shape, options(39), in_place=(0, 1)),
    Operator("MINIMUM", (Role.VALUE, Role.VALUE), broadcast_shape, options(39), in_place=(0, 1)),
    Operator(
        "SQUARED_DIFFERENCE",
        (Role.VALUE, Role.VALUE),
        broadcast_shape,
        options(76),
        problem=_squared_difference,
        in_place=(0, 1),
    ),
    Operator("PRELU", (Role.ACTIVATION, Role.VALUE), _prelu, problem=product, in_place=(0,)),
)
