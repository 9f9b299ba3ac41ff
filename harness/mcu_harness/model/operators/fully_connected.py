"""FULLY_CONNECTED."""

from __future__ import annotations

import math

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.multipliers import product
from mcu_harness.model.operators.operator import WIDE, Operator, Role
from mcu_harness.model.operators.options import Option, activation, bias_type, options
from mcu_harness.model.operators.shapes import expect_bias, expect_rank
from mcu_harness.model.tflite_schema import WEIGHTS_FORMATS


def _fully_connected(op: Operation) -> tuple[Shape, ...]:
    expect_rank(op.shape(1), 2, "the filter")
    units, depth = op.shape(1)
    elements = math.prod(op.shape())
    expect_bias(op, units)
    if op.attributes["keep_num_dims"]:
        if not op.shape() or op.shape()[-1] != depth:
            raise ShapeError(f"the filter {op.shape(1)} does not fit the input {op.shape()}")
        return ((*op.shape()[:-1], units),)
    if elements % depth:
        raise ShapeError(f"the filter {op.shape(1)} does not fit the input {op.shape()}")
    return ((elements // depth, units),)


def _macs(op: Operation) -> int:
    return math.prod(op.outputs[0].shape) * op.shape(1)[1]


OPERATORS = (
    Operator(
        "FULLY_CONNECTED",
        (Role.ACTIVATION, Role.FILTER, Role.BIAS),
        _fully_connected,
        options(
            8,
            activation(0),
            Option("weights_format", 1, "DEFAULT", WEIGHTS_FORMATS),
            Option("keep_num_dims", 2, False),
            bias_type(4),
        ),
        optional=1,
        types=WIDE,
        problem=product,
        macs=_macs,
    ),
)
