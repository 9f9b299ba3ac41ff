"""Operators on two operands, element by element, and products of matrices."""

from __future__ import annotations

import math

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.multipliers import MAX_MULTIPLIER, product, quantised, scales
from mcu_harness.model.operators.operator import PLAIN, WIDE, Operator, Role
from mcu_harness.model.operators.options import Option, activation, options
from mcu_harness.model.operators.shapes import broadcast, broadcast_shape

_MOST_RIGHT = 15  # bits by which LiteRT divides an int16
_NEAR_POWER = 1e-3  # LiteRT's own, in log2


def _batch_matmul(op: Operation) -> tuple[Shape, ...]:
    first, second = op.shape(0), op.shape(1)
    if min(len(first), len(second)) < 2:
        raise ShapeError(f"{first} and {second} are no matrices")
    rows, depth = first[:-3:-1] if op.attributes["adj_x"] else first[-2:]
    height, columns = second[:-3:-1] if op.attributes["adj_y"] else second[-2:]
    if depth != height:
        raise ShapeError(f"{first} and {second} cannot be multiplied: {depth} columns, {height} rows")
    return ((*broadcast(first[:-2], second[:-2]), rows, columns),)


def _batch_matmul_macs(op: Operation) -> int:
    return math.prod(op.outputs[0].shape) * op.shape()[-2 if op.attributes["adj_x"] else -1]


def _quotient(operation: Operation) -> str:
    """LiteRT shifts 32 bits by what this ratio asks for, and by up to 31 of the operands."""
    first, second = (scales(operation.inputs[position])[0] for position in (0, 1))
    fits = 2.0**-20 < first / (second * scales(operation.outputs[0])[0]) < 2.0**20
    return "" if fits else "the output scale is out of proportion to the inputs' scales"


def _prelu(op: Operation) -> tuple[Shape, ...]:
    if broadcast(op.shape(0), op.shape(1)) != op.shape(0):
        raise ShapeError(f"the slopes {op.shape(1)} are more than the input {op.shape(0)}")
    return (op.shape(0),)


def adds_powers(operation: Operation) -> bool:
    """Whether LiteRT adds in its way for scales that are all powers of two: int16 alone, unless the option says otherwise."""
    if operation.operand(0).dtype != "int16" or not operation.attributes["pot_scale_int16"]:
        return False
    powers = [math.log2(scales(tensor)[0]) for tensor in (*operation.inputs, *operation.outputs)]
    return all(abs(power - round(power)) < _NEAR_POWER for power in powers)


def powers_of_two(operation: Operation) -> tuple[int, int]:
    """By which powers of two both operands are divided to have the output's scale."""
    first, second, result = (round(math.log2(scales(t)[0])) for t in (*operation.inputs, *operation.outputs))
    return result - first, result - second


def _sum(operation: Operation) -> str:
    """LiteRT's ADD and SUB work at 2^20 times the precision of the larger input (int16: 2^15), and stop where that does not do."""
    wide = operation.operand(0).dtype == "int16"
    if adds_powers(operation):
        rights = powers_of_two(operation)
        if min(rights) < 0 or 0 not in rights or max(rights) > _MOST_RIGHT:
            return "pot_scale_int16 with scales of which LiteRT cannot bring one operand to the other"
        return ""
    largest = 2 * max(scales(operation.inputs[0])[0], scales(operation.inputs[1])[0])
    return (
        ""
        if largest < 2.0 ** (15 if wide else 20) * scales(operation.outputs[0])[0]
        else "the output scale is absurdly small"
    )


def _added(operation: Operation) -> str:
    if adds_powers(operation) and operation.shape(0) != operation.shape(1):
        return "pot_scale_int16 with operands of different shapes, which LiteRT adds out of bounds"
    return _sum(operation)


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
        "FLOOR_DIV", (Role.NUMBERS, Role.NUMBERS), broadcast_shape, options(65), output=Role.NUMBERS, in_place=(0, 1)
    ),
    Operator(
        "FLOOR_MOD", (Role.NUMBERS, Role.NUMBERS), broadcast_shape, options(72), output=Role.NUMBERS, in_place=(0, 1)
    ),
    Operator(
        "ADD",
        (Role.VALUE, Role.VALUE),
        broadcast_shape,
        options(11, activation(0), Option("pot_scale_int16", 1, True)),
        types=(*WIDE, *PLAIN),
        problem=quantised(_added),
        in_place=(0, 1),
    ),
    Operator(
        "SUB",
        (Role.VALUE, Role.VALUE),
        broadcast_shape,
        options(28, activation(0), Option("pot_scale_int16", 1, True)),
        types=(*WIDE, *PLAIN),
        problem=quantised(_sum),
        in_place=(0, 1),
    ),
    Operator(
        "MUL",
        (Role.VALUE, Role.VALUE),
        broadcast_shape,
        options(21, activation(0)),
        types=(*WIDE, *PLAIN),
        problem=quantised(product),
        in_place=(0, 1),
    ),
    Operator(
        "DIV",
        (Role.VALUE, Role.VALUE),
        broadcast_shape,
        options(29, activation(0)),
        max_rank=5,
        types=("int8", *PLAIN),
        problem=quantised(_quotient),
        in_place=(0, 1),
    ),
    Operator(
        "BATCH_MATMUL",
        (Role.VALUE, Role.VALUE),
        _batch_matmul,
        options(101, Option("adj_x", 0, False), Option("adj_y", 1, False)),
        types=WIDE,  # both operands of int16: of weights of int8 beside them LiteRT computes nothing
        max_rank=5,
        problem=product,
        macs=_batch_matmul_macs,
    ),
    # LiteRT compares bytes, whatever they stand for.
    Operator(
        "MAXIMUM", (Role.VALUE, Role.VALUE), broadcast_shape, options(39), types=(*WIDE, "int32"), in_place=(0, 1)
    ),
    Operator(
        "MINIMUM", (Role.VALUE, Role.VALUE), broadcast_shape, options(39), types=(*WIDE, "int32"), in_place=(0, 1)
    ),
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
