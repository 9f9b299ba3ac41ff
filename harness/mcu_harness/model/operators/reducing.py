"""Operators that take dimensions away: means, sums, extremes and where they are."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape, ShapeError, axis_of
from mcu_harness.model.operators.multipliers import ratio
from mcu_harness.model.operators.operator import WIDE, Operator, Role
from mcu_harness.model.operators.options import Option, options
from mcu_harness.model.operators.shapes import reduced_axes


def _reduced(op: Operation) -> tuple[Shape, ...]:
    gone, shape = reduced_axes(op), op.shape()
    if op.attributes["keep_dims"]:
        return (tuple(1 if axis in gone else size for axis, size in enumerate(shape)),)
    return (tuple(size for axis, size in enumerate(shape) if axis not in gone),)


def _arg_extremum(op: Operation) -> tuple[Shape, ...]:
    axes, shape = op.indices(1), op.shape()
    if len(axes) != 1:
        raise ShapeError("expected one axis")
    axis = axis_of(axes[0], len(shape))
    return ((*shape[:axis], *shape[axis + 1 :]),)


_REDUCER = options(27, Option("keep_dims", 0, False))


OPERATORS = (
    Operator("MEAN", (Role.ACTIVATION, Role.INDICES), _reduced, _REDUCER, types=WIDE, problem=ratio),
    Operator("SUM", (Role.ACTIVATION, Role.INDICES), _reduced, _REDUCER, problem=ratio),
    Operator("REDUCE_MAX", (Role.ACTIVATION, Role.INDICES), _reduced, _REDUCER, keeps_quantization=True, types=WIDE),
    Operator("REDUCE_MIN", (Role.ACTIVATION, Role.INDICES), _reduced, _REDUCER, keeps_quantization=True, types=WIDE),
    Operator("REDUCE_ANY", (Role.TRUTHS, Role.INDICES), _reduced, _REDUCER, output=Role.TRUTHS),
    Operator("REDUCE_ALL", (Role.TRUTHS, Role.INDICES), _reduced, _REDUCER, output=Role.TRUTHS),
    Operator("ARG_MAX", (Role.ACTIVATION, Role.INDICES), _arg_extremum, options(40), output=Role.PLACES),
    Operator("ARG_MIN", (Role.ACTIVATION, Role.INDICES), _arg_extremum, options(57), output=Role.PLACES),
)
