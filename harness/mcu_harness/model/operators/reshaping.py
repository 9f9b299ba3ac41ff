"""Operators that give their input another shape."""

from __future__ import annotations

import math

from mcu_harness.model.operation import Operation, Shape, ShapeError, axis_of
from mcu_harness.model.operators.operator import ANY, Operator, Role
from mcu_harness.model.operators.options import Option, options


def _reshape(op: Operation) -> tuple[Shape, ...]:
    wanted = op.attributes.get("new_shape", ())
    if len(op.inputs) > 1 and op.inputs[1] is not None and len(op.shape(1)) == 1:
        wanted = op.indices(1)
    assert isinstance(wanted, tuple)
    elements, known = math.prod(op.shape()), math.prod(size for size in wanted if size != -1)
    if wanted.count(-1) > 1 or any(size < -1 for size in wanted):
        raise ShapeError(f"{wanted} is not a shape")
    if known == 0 or elements % known or (-1 not in wanted and elements != known):
        raise ShapeError(f"{elements} elements do not fit the shape {wanted}")
    return (tuple(elements // known if size == -1 else size for size in wanted),)


def _squeeze(op: Operation) -> tuple[Shape, ...]:
    shape, named = op.shape(), op.attributes["squeeze_dims"]
    assert isinstance(named, tuple)
    gone = {axis_of(axis, len(shape)) for axis in named} or {axis for axis, size in enumerate(shape) if size == 1}
    if any(shape[axis] != 1 for axis in gone):
        raise ShapeError(f"only dimensions of size 1 can be squeezed out of {shape}")
    return (tuple(size for axis, size in enumerate(shape) if axis not in gone),)


def _expand_dims(op: Operation) -> tuple[Shape, ...]:
    axes, shape = op.indices(1), op.shape()
    if len(axes) != 1:
        raise ShapeError("expected one axis")
    axis = axis_of(axes[0], len(shape) + 1)
    return ((*shape[:axis], 1, *shape[axis:]),)


OPERATORS = (
    Operator(
        "RESHAPE",
        (Role.ACTIVATION, Role.INDICES),
        _reshape,
        options(17, Option("new_shape", 0, ())),
        optional=1,
        keeps_quantization=True,
        types=ANY,
        reshapes=True,
    ),
    Operator(
        "SQUEEZE",
        (Role.ACTIVATION,),
        _squeeze,
        options(30, Option("squeeze_dims", 0, ())),
        keeps_quantization=True,
        types=ANY,
        reshapes=True,
    ),
    Operator(
        "EXPAND_DIMS",
        (Role.ACTIVATION, Role.INDICES),
        _expand_dims,
        options(52),
        keeps_quantization=True,
        types=ANY,
        reshapes=True,
    ),
)
