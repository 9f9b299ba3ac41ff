"""Checks on scales and zero points: what each operator demands, and what fixed-point multipliers can express."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mcu_harness.model.float_islands import THROUGH_FLOAT
from mcu_harness.model.graph import Quantization, Tensor
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.operator import Operator

Problem = tuple[Tensor | None, str]


def quantization_problems(rule: Operator, operation: Operation) -> Iterator[Problem]:
    """What is wrong with the scales and zero points of a layer whose types and shapes are right."""
    if operation.attributes.get(THROUGH_FLOAT):
        return  # any will do
    if rule.keeps_quantization:
        # None for what is moved without a meaning: float32, bool, int32
        first = next((t.quantization for t in operation.inputs if t is not None and t.dtype == "int8"), None)
        for tensor in (*operation.inputs, *operation.outputs):
            if first and tensor is not None and tensor.dtype == "int8" and not _same(tensor.quantization, first):
                yield tensor, "scale and zero point differ from the first input's"
    for tensor in operation.outputs:
        if rule.fixed_output and tensor.quantization is not None:
            scale, zero_point = rule.fixed_output
            points = tensor.quantization.zero_points if zero_point is None else (zero_point,)
            if not _same(tensor.quantization, Quantization((scale,), points)):
                yield (
                    tensor,
                    f"expected scale {scale}" + ("" if zero_point is None else f" and zero point {zero_point}"),
                )
    if problem := rule.problem(operation):
        yield None, problem


def _same(a: Quantization | None, b: Quantization) -> bool:
    return a is not None and a.zero_points == b.zero_points and math.isclose(a.scales[0], b.scales[0], rel_tol=1e-5)
