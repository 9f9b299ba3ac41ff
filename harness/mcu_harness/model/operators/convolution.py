"""Convolutions."""

from __future__ import annotations

import math

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.multipliers import product, transposed
from mcu_harness.model.operators.operator import WIDE, Operator, Role
from mcu_harness.model.operators.options import Option, activation, bias_type, options, padding, strides
from mcu_harness.model.operators.shapes import MAX_STEP, expect_bias, expect_rank, windows


def _convolved(op: Operation, channels: int) -> tuple[Shape, ...]:
    expect_bias(op, channels)
    filter_shape, dilation = op.shape(1), (op.number("dilation_h_factor"), op.number("dilation_w_factor"))
    return ((op.shape()[0], *windows(op, filter_shape[1:3], dilation), channels),)


def _conv_2d(op: Operation) -> tuple[Shape, ...]:
    expect_rank(op.shape(), 4, "the input")
    expect_rank(op.shape(1), 4, "the filter")
    if op.shape(1)[3] != op.shape()[3]:
        raise ShapeError(f"the filter {op.shape(1)} does not span the {op.shape()[3]} input channels (groups)")
    return _convolved(op, op.shape(1)[0])


def _depthwise_conv_2d(op: Operation) -> tuple[Shape, ...]:
    expect_rank(op.shape(), 4, "the input")
    expect_rank(op.shape(1), 4, "the filter")
    first, channels = op.shape(1)[0], op.shape(1)[3]
    # The option depth_multiplier says the same once more, and some writers leave it out: LiteRT goes by the shapes too.
    if first != 1 or channels % op.shape()[3]:
        raise ShapeError(f"the filter {op.shape(1)} is not [1, height, width, a multiple of {op.shape()[3]} channels]")
    return _convolved(op, channels)


def _transpose_conv(op: Operation) -> tuple[Shape, ...]:
    shape, filters, source = op.indices(0), op.shape(1), op.shape(2)
    expect_rank(source, 4, "the input")
    expect_rank(filters, 4, "the filter")
    strides = [op.number(f"stride_{letter}") for letter in "hw"]
    if not all(1 <= stride <= MAX_STEP for stride in strides):
        raise ShapeError(f"strides {strides} must each be 1 to {MAX_STEP}")
    if len(shape) != 4 or shape[0] != source[0] or shape[3] != filters[0] or filters[3] != source[3] or min(shape) < 1:
        raise ShapeError(f"the filter {filters} does not lead from {source} to {shape}")
    if len(op.inputs) > 3 and op.inputs[3] is not None and op.inputs[3].elements != filters[0]:
        raise ShapeError(f"the bias has {op.inputs[3].elements} entries for {filters[0]} channels")
    return (shape,)


def _conv_2d_macs(op: Operation) -> int:
    """What TensorFlow's profiler counts too, the padded border included."""
    return math.prod(op.outputs[0].shape) * math.prod(op.shape(1)[1:])


def _depthwise_macs(op: Operation) -> int:
    return math.prod(op.outputs[0].shape) * op.shape(1)[1] * op.shape(1)[2]


def _transpose_conv_macs(op: Operation) -> int:
    """The convolution from its output to its input."""
    return math.prod(op.shape(2)) * math.prod(op.shape(1)[:3])


OPERATORS = (
    # LiteRT's CONV_2D refuses a missing bias; the others take none as zeros.
    Operator(
        "CONV_2D",
        (Role.ACTIVATION, Role.FILTER, Role.BIAS),
        _conv_2d,
        options(
            1,
            padding(),
            *strides(),
            activation(3),
            Option("dilation_w_factor", 4, 1),
            Option("dilation_h_factor", 5, 1),
            bias_type(6),
        ),
        problem=product,
        types=WIDE,
        sliding_window=True,
        macs=_conv_2d_macs,
    ),
    Operator(
        "DEPTHWISE_CONV_2D",
        (Role.ACTIVATION, Role.FILTER, Role.BIAS),
        _depthwise_conv_2d,
        options(
            2,
            padding(),
            *strides(),
            activation(4),
            Option("dilation_w_factor", 5, 1),
            Option("dilation_h_factor", 6, 1),
        ),
        optional=1,
        filter_axis=3,
        problem=product,
        types=WIDE,
        sliding_window=True,
        macs=_depthwise_macs,
    ),
    Operator(
        "TRANSPOSE_CONV",
        (Role.INDICES, Role.FILTER, Role.ACTIVATION, Role.BIAS),
        _transpose_conv,
        options(49, padding(), *strides(), activation(3), bias_type(4)),
        optional=1,
        problem=transposed,
        types=WIDE,
        macs=_transpose_conv_macs,
    ),
)
