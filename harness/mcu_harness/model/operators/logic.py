"""Comparisons, operators on truths, and the choices that they make."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.multipliers import scales
from mcu_harness.model.operators.operator import Operator, Role
from mcu_harness.model.operators.options import options
from mcu_harness.model.operators.shapes import broadcast, broadcast_shape, same

_TYPES = ("int8", "int16", "int32", "bool")


def _select(op: Operation) -> tuple[Shape, ...]:
    """A condition may also be one for each row."""
    first, second = op.shape(1), op.shape(2)
    if first != second or op.shape(0) not in ((), (1,), first, first[:1]):
        raise ShapeError(f"a condition of {op.shape(0)} does not choose between {first} and {second}")
    return (first,)


def _select_v2(op: Operation) -> tuple[Shape, ...]:
    return (broadcast(op.shape(0), broadcast(op.shape(1), op.shape(2))),)


def _compared(operation: Operation) -> str:
    """LiteRT multiplies bytes with their scales, which must be below one for that."""
    if operation.operand(0).dtype != "int8":
        return ""
    fits = all(scales(tensor)[0] < 1 for tensor in operation.inputs)
    return "" if fits else "a scale is 1 or more, for which LiteRT has no comparison"


def _comparison(name: str, table: int) -> Operator:
    return Operator(
        name,
        (Role.VALUE, Role.VALUE),
        broadcast_shape,
        options(table),
        output=Role.TRUTHS,
        types=_TYPES,
        max_rank=4,
        problem=_compared,
        in_place=(0, 1),
    )


OPERATORS = (
    _comparison("EQUAL", 53),
    _comparison("NOT_EQUAL", 54),
    _comparison("LESS", 41),
    _comparison("LESS_EQUAL", 46),
    _comparison("GREATER", 44),
    _comparison("GREATER_EQUAL", 45),
    Operator(
        "LOGICAL_AND",
        (Role.TRUTHS, Role.TRUTHS),
        broadcast_shape,
        options(62),
        output=Role.TRUTHS,
        max_rank=4,
        in_place=(0, 1),
    ),
    Operator(
        "LOGICAL_OR",
        (Role.TRUTHS, Role.TRUTHS),
        broadcast_shape,
        options(60),
        output=Role.TRUTHS,
        max_rank=4,
        in_place=(0, 1),
    ),
    Operator("LOGICAL_NOT", (Role.TRUTHS,), same, options(63), output=Role.TRUTHS, in_place=(0,)),
    Operator(
        "SELECT",
        (Role.TRUTHS, Role.VALUE, Role.VALUE),
        _select,
        options(47),
        keeps_quantization=True,
        types=_TYPES,
        max_rank=5,
    ),
    Operator(
        "SELECT_V2",
        (Role.TRUTHS, Role.VALUE, Role.VALUE),
        _select_v2,
        options(98),
        keeps_quantization=True,
        types=_TYPES,
        max_rank=5,
    ),
)
