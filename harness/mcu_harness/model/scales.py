"""Checks on scales and zero points: what each operator demands, and what fixed-point multipliers can express."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from mcu_harness.model.float_islands import THROUGH_FLOAT
from mcu_harness.model.graph import Quantization, Tensor
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators import Operands

MAX_MULTIPLIER = 2.0**30  # larger ones have no 31-bit multiplier and shift

Problem = tuple[Tensor | None, str]


def quantization_problems(operator: str, rule: Operands, operation: Operation) -> Iterator[Problem]:
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
    if operator == "CONCATENATION" and operation.attributes["fused_activation"] != "NONE":
        yield None, "fused_activation is not supported here"  # LiteRT refuses it too
    limit = _MULTIPLIER_LIMITS.get(operator)
    problem = limit(operation) if limit else ""
    if problem:
        yield None, problem


def _same(a: Quantization | None, b: Quantization) -> bool:
    return a is not None and a.zero_points == b.zero_points and math.isclose(a.scales[0], b.scales[0], rel_tol=1e-5)


def _scales(tensor: Tensor | None) -> tuple[float, ...]:
    return tensor.quantization.scales if tensor is not None and tensor.quantization is not None else (1.0,)


def _product(operation: Operation) -> str:
    """Input scale times filter (or second input) scale over output scale."""
    largest = _scales(operation.inputs[0])[0] * max(_scales(operation.inputs[1])) / _scales(operation.outputs[0])[0]
    return "" if largest < MAX_MULTIPLIER else "the output scale is absurdly small for the inputs' scales"


def _transposed(operation: Operation) -> str:
    """As _product, whose operands stand elsewhere."""
    return _product(replace(operation, inputs=operation.inputs[2:0:-1]))


def _ratio(operation: Operation) -> str:
    largest = _scales(operation.inputs[0])[0] / _scales(operation.outputs[0])[0]
    largest *= max(1.0, abs(float(operation.attributes.get("alpha", 1.0))))  # type: ignore[arg-type]
    return "" if largest < MAX_MULTIPLIER else "the output scale is absurdly small for the input's scale"


def _table(operation: Operation) -> str:
    """LiteRT converts at most 1 / output scale to a 32-bit integer."""
    fits = 1 / _scales(operation.outputs[0])[0] < MAX_MULTIPLIER
    return "" if fits else "the output scale is absurdly small"


def _clamped(operation: Operation) -> str:
    """Both limits of _ratio and _table."""
    return _ratio(operation) or _table(operation)


def _sum(operation: Operation) -> str:
    """LiteRT's ADD and SUB work at 2^20 times the precision of the larger input, and stop where that does not do."""
    largest = 2 * max(_scales(operation.inputs[0])[0], _scales(operation.inputs[1])[0])
    return "" if largest < 2.0**20 * _scales(operation.outputs[0])[0] else "the output scale is absurdly small"


def _squared_difference(operation: Operation) -> str:
    """LiteRT works at 2^7 times the precision of the larger input."""
    largest = 2 * max(_scales(operation.inputs[0])[0], _scales(operation.inputs[1])[0])
    return (
        ""
        if largest * largest / 2.0**14 < _scales(operation.outputs[0])[0] * MAX_MULTIPLIER
        else "the output scale is absurdly small"
    )


def _hard_swish(operation: Operation) -> str:
    """LiteRT asks for input scale / 128 / output scale below one, and shifts 32 bits by what the input scale is above 3 / 256."""
    if _scales(operation.inputs[0])[0] >= 2.0**24:
        return "the input scale is absurdly large"
    fits = _scales(operation.inputs[0])[0] / 128 < _scales(operation.outputs[0])[0] * (1 - 1e-6)
    return "" if fits else "the output scale is less than the input scale / 128"


def _softmax(operation: Operation) -> str:
    """LiteRT scales differences by beta * scale * 2^26 and stops unless that is above one."""
    beta = float(operation.attributes["beta"])  # type: ignore[arg-type]
    return "" if beta * _scales(operation.inputs[0])[0] * 2.0**26 > 1 else "beta * input scale is absurdly small"


_MULTIPLIER_LIMITS: dict[str, Callable[[Operation], str]] = {
    "CONV_2D": _product,
    "DEPTHWISE_CONV_2D": _product,
    "FULLY_CONNECTED": _product,
    "TRANSPOSE_CONV": _transposed,
    "MUL": _product,
    "ADD": _sum,
    "SUB": _sum,
    "RELU": _ratio,
    "RELU6": _ratio,
    "RELU_N1_TO_1": _clamped,
    "RELU_0_TO_1": _clamped,
    "ABS": _ratio,
    "PRELU": _product,
    "SQUARED_DIFFERENCE": _squared_difference,
    "EXP": _table,
    "LOG": _table,
    "GELU": _table,
    "LEAKY_RELU": _ratio,
    "MEAN": _ratio,
    "TANH": _table,
    "QUANTIZE": _ratio,
    "HARD_SWISH": _hard_swish,
    "SOFTMAX": _softmax,
}
