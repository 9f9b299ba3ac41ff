"""A custom operator that the user gives C for: nothing is known of it but its tensors."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape
from mcu_harness.model.operators.operator import Operator, Role

CUSTOM = "CUSTOM"


def _as_the_file_says(op: Operation) -> tuple[Shape, ...]:
    return tuple(tensor.shape for tensor in op.outputs)


OPERATORS = (Operator(CUSTOM, (Role.MOVED_VALUE,), _as_the_file_says, repeated=True, output=Role.MOVED, outputs=None),)
