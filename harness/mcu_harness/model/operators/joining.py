"""Operators that put tensors together or take one apart."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape, ShapeError, axis_of
from mcu_harness.model.operators.operator import ANY, Operator, Role
from mcu_harness.model.operators.options import Option, activation, options


def _concatenation(op: Operation) -> tuple[Shape, ...]:
    shapes = [op.shape(position) for position in range(len(op.inputs))]
    axis = axis_of(op.number("axis"), len(shapes[0]))
    if any((*s[:axis], *s[axis + 1 :]) != (*shapes[0][:axis], *shapes[0][axis + 1 :]) for s in shapes):
        raise ShapeError(f"shapes {shapes[:8]} cannot be joined along axis {axis}")
    return ((*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :]),)


def _split(op: Operation) -> tuple[Shape, ...]:
    axes, shape, parts = op.indices(0), op.shape(1), op.number("num_splits")
    if len(axes) != 1:
        raise ShapeError("expected one axis")
    axis = axis_of(axes[0], len(shape))
    if parts != len(op.outputs) or shape[axis] % parts:
        raise ShapeError(f"axis {axis} of {shape} cannot be split into {parts} parts and {len(op.outputs)} outputs")
    return ((*shape[:axis], shape[axis] // parts, *shape[axis + 1 :]),) * parts


def _split_v(op: Operation) -> tuple[Shape, ...]:
    sizes, axes, shape = op.indices(1), op.indices(2), op.shape()
    if len(axes) != 1:
        raise ShapeError("expected one axis")
    axis = axis_of(axes[0], len(shape))
    known = sum(size for size in sizes if size != -1)
    parts = tuple(shape[axis] - known if size == -1 else size for size in sizes)
    if sizes.count(-1) > 1 or len(parts) != len(op.outputs) or min(parts) < 1 or sum(parts) != shape[axis]:
        raise ShapeError(f"axis {axis} of {shape} cannot be split into {sizes} for {len(op.outputs)} outputs")
    return tuple((*shape[:axis], part, *shape[axis + 1 :]) for part in parts)


def _pack(op: Operation) -> tuple[Shape, ...]:
    shape = op.shape()
    if any(op.shape(position) != shape for position in range(len(op.inputs))):
        raise ShapeError("the inputs have different shapes")
    axis = axis_of(op.number("axis"), len(shape) + 1)
    return ((*shape[:axis], len(op.inputs), *shape[axis:]),)


def _unpack(op: Operation) -> tuple[Shape, ...]:
    shape, axis = op.shape(), axis_of(op.number("axis"), len(op.shape()))
    if shape[axis] != len(op.outputs):
        raise ShapeError(f"{shape[axis]} parts for {len(op.outputs)} outputs")
    return ((*shape[:axis], *shape[axis + 1 :]),) * len(op.outputs)


def _no_activation(op: Operation) -> str:
    """LiteRT refuses one too."""
    return "" if op.attributes["fused_activation"] == "NONE" else "fused_activation is not supported here"


OPERATORS = (
    Operator(
        "CONCATENATION",
        (Role.VALUE,),
        _concatenation,
        options(10, Option("axis", 0), activation(1)),
        repeated=True,
        keeps_quantization=True,
        types=ANY,
        problem=_no_activation,
    ),
    Operator(
        "SPLIT",
        (Role.INDICES, Role.ACTIVATION),
        _split,
        options(35, Option("num_splits", 0)),
        outputs=None,
        keeps_quantization=True,
        types=ANY,
    ),
    Operator(
        "SPLIT_V",
        (Role.ACTIVATION, Role.INDICES, Role.INDICES),
        _split_v,
        options(79, Option("num_splits", 0)),
        outputs=None,
        keeps_quantization=True,
        types=ANY,
    ),
    Operator(
        "PACK", (Role.VALUE,), _pack, options(59, Option("axis", 1)), repeated=True, keeps_quantization=True, types=ANY
    ),
    Operator(
        "UNPACK",
        (Role.ACTIVATION,),
        _unpack,
        options(64, Option("axis", 1)),
        outputs=None,
        keeps_quantization=True,
        types=ANY,
    ),
)
