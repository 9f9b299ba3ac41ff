"""Operators that put a border around their input."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.operator import ANY, Operator, Role
from mcu_harness.model.operators.options import Option, options
from mcu_harness.model.tflite_schema import MIRROR_MODES


def _pad(op: Operation) -> tuple[Shape, ...]:
    if op.shape(1) != (len(op.shape()), 2):
        raise ShapeError(f"the paddings {op.shape(1)} are not [{len(op.shape())}, 2]")
    flat = op.indices(1)
    if min(flat, default=0) < 0:
        raise ShapeError("paddings must not be negative")
    return (tuple(size + flat[2 * axis] + flat[2 * axis + 1] for axis, size in enumerate(op.shape())),)


def _mirror_pad(op: Operation) -> tuple[Shape, ...]:
    (shape,) = _pad(op)
    borders, reach = op.indices(1), int(op.attributes["mode"] == "REFLECT")
    if any(max(borders[2 * axis : 2 * axis + 2]) > size - reach for axis, size in enumerate(op.shape())):
        raise ShapeError(f"{op.shape()} is too small to be mirrored by {borders}")
    return (shape,)


OPERATORS = (
    # LiteRT copies bytes and fills with the output's zero point, whatever the input's quantisation is.
    Operator("PAD", (Role.ACTIVATION, Role.INDICES), _pad, options(22), types=ANY, max_rank=5),
    Operator(
        "PADV2", (Role.ACTIVATION, Role.INDICES, Role.PAD_VALUE), _pad, options(43), keeps_quantization=True, max_rank=5
    ),
    Operator(
        "MIRROR_PAD",
        (Role.ACTIVATION, Role.INDICES),
        _mirror_pad,
        options(77, Option("mode", 0, "REFLECT", MIRROR_MODES)),
        keeps_quantization=True,
        types=ANY,
        max_rank=5,
    ),
)
