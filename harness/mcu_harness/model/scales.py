"""Checks on scales and zero points: what each operator demands, and what fixed-point multipliers can express."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mcu_harness.model.float_islands import THROUGH_FLOAT
from mcu_harness.model.graph import RANGES, Quantization, Tensor
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.operator import Operator, Role

_FIXED_TOLERANCE = 1e-3  # LiteRT's own where the operator fixes a scale

Problem = tuple[Tensor | None, str]


def quantization_problems(rule: Operator, operation: Operation) -> Iterator[Problem]:
    """What is wrong with the scales and zero points of a layer whose types and shapes are right."""
    if operation.attributes.get(THROUGH_FLOAT):
        return  # any will do
    if rule.keeps_quantization:
        # None for what is moved without a meaning: float32, bool, int32
        first = next((t for t in operation.inputs if t is not None and t.dtype in RANGES and t.quantization), None)
        for tensor in (*operation.inputs, *operation.outputs):
            if first is None or first.quantization is None or tensor is None or tensor.dtype != first.dtype:
                continue
            if not _same(tensor.quantization, first.quantization):
                yield tensor, "scale and zero point differ from the first input's"
    for tensor in operation.outputs:
        if tensor.dtype in rule.fixed_output and tensor.quantization is not None:
            scale, zero_point = rule.fixed_output[tensor.dtype]
            points = tensor.quantization.zero_points if zero_point is None else (zero_point,)
            if not _same(tensor.quantization, Quantization((scale,), points), _FIXED_TOLERANCE):
                yield (
                    tensor,
                    f"expected scale {scale}" + ("" if zero_point is None else f" and zero point {zero_point}"),
                )
    if rule.computes_in(operation.inputs) == "int16":
        for tensor, role in zip(operation.inputs, rule.roles(len(operation.inputs)), strict=True):
            computed = tensor is not None and role in (Role.ACTIVATION, Role.VALUE)
            if computed and tensor.quantization and any(tensor.quantization.zero_points):  # type: ignore[union-attr]
                yield tensor, "int16 must have zero point 0"
    if problem := rule.problem(operation):
        yield None, problem


def _same(a: Quantization | None, b: Quantization, tolerance: float = 1e-5) -> bool:
    close = a is not None and math.isclose(a.scales[0], b.scales[0], rel_tol=tolerance)
    return a is not None and a.zero_points == b.zero_points and close
