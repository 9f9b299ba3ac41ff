"""Operators with a state."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.operator import Operator, Role
from mcu_harness.model.operators.options import Option, options
from mcu_harness.model.operators.shapes import expect_rank, same
from mcu_harness.model.tflite_schema import ACTIVATIONS


def _svdf(op: Operation) -> tuple[Shape, ...]:
    for position in range(3):
        expect_rank(op.shape(position), 2, f"input {position}")
    (batches, inputs), (filters, columns), (rows, memory) = (op.shape(position) for position in range(3))
    rank = op.number("rank")
    if columns != inputs or rows != filters or rank < 1 or filters % rank:
        raise ShapeError(f"weights {op.shape(1)} and {op.shape(2)} of rank {rank} do not fit the input {op.shape()}")
    if op.shape(3) != (filters // rank,) or op.shape(4) != (batches, memory * filters):
        raise ShapeError(
            f"the bias {op.shape(3)} or the state {op.shape(4)} does not fit {filters} filters of {memory}"
        )
    if op.operand(2).dtype != op.operand(4).dtype:
        raise ShapeError(f"weights over time of {op.operand(2).dtype} for a state of {op.operand(4).dtype}")
    return ((batches, filters // rank),)


def _lstm(op: Operation) -> tuple[Shape, ...]:
    expect_rank(op.shape(), 3, "the input")
    cells, inputs = op.shape(1)[0], op.shape()[2]
    batches = op.shape()[1 if op.attributes["time_major"] else 0]
    expected = {
        **dict.fromkeys(range(1, 5), (cells, inputs)),
        **dict.fromkeys(range(5, 9), (cells, cells)),
        **dict.fromkeys(range(12, 16), (cells,)),
        **dict.fromkeys((18, 19), (batches, cells)),
    }
    for position, shape in expected.items():
        if op.shape(position) != shape:
            raise ShapeError(f"input {position} has shape {op.shape(position)}, expected {shape}")
    return ((*op.shape()[:2], cells),)


OPERATORS = (
    # Without peephole connections, projection and layer normalisation.
    Operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        (
            Role.ACTIVATION,
            *[Role.FILTER] * 8,
            *[Role.ABSENT] * 3,
            *[Role.BIAS] * 4,
            *[Role.ABSENT] * 2,
            Role.STATE,
            Role.WIDE_STATE,
            *[Role.ABSENT] * 4,
        ),
        _lstm,
        options(
            71,
            Option("cell_activation", 0, "NONE", ACTIVATIONS),
            Option("cell_clip", 1, 0.0),
            Option("time_major", 3, False),
            Option("diagonal_recurrent_tensors", 5, False),
        ),
        optional=4,
    ),
    Operator(
        "SVDF",
        (Role.ACTIVATION, Role.FILTER, Role.TIME_WEIGHTS, Role.BIAS, Role.ANY_STATE),
        _svdf,
        options(6, Option("rank", 0), Option("svdf_activation", 1, "NONE", ACTIVATIONS)),
    ),
    # Variables are resolved on import: what is left copies a state.
    Operator("READ_VARIABLE", (Role.MOVED,), same, options(112), output=Role.MOVED, keeps_quantization=True),
    Operator("ASSIGN_VARIABLE", (Role.MOVED_VALUE,), same, options(113), output=Role.MOVED, keeps_quantization=True),
)
