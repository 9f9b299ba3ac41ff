"""What fixed-point multipliers can express: limits on scales that several operators have. "" where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mcu_harness.model.graph import Tensor
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.operator import PLAIN

MAX_MULTIPLIER = 2.0**30  # larger ones have no 31-bit multiplier and shift


def scales(tensor: Tensor | None) -> tuple[float, ...]:
    return tensor.quantization.scales if tensor is not None and tensor.quantization is not None else (1.0,)


def product(operation: Operation) -> str:
    """Input scale times filter (or second input) scale over output scale."""
    largest = scales(operation.inputs[0])[0] * max(scales(operation.inputs[1])) / scales(operation.outputs[0])[0]
    return "" if largest < MAX_MULTIPLIER else "the output scale is absurdly small for the inputs' scales"


def transposed(operation: Operation) -> str:
    """As product, whose operands stand elsewhere."""
    return product(replace(operation, inputs=operation.inputs[2:0:-1]))


def ratio(operation: Operation) -> str:
    largest = scales(operation.inputs[0])[0] / scales(operation.outputs[0])[0]
    largest *= max(1.0, abs(float(operation.attributes.get("alpha", 1.0))))  # type: ignore[arg-type]
    return "" if largest < MAX_MULTIPLIER else "the output scale is absurdly small for the input's scale"


def reciprocal(operation: Operation) -> str:
    """LiteRT converts at most 1 / output scale to a 32-bit integer."""
    fits = 1 / scales(operation.outputs[0])[0] < MAX_MULTIPLIER
    return "" if fits else "the output scale is absurdly small"


def clamped(operation: Operation) -> str:
    """Both limits of ratio and reciprocal."""
    return ratio(operation) or reciprocal(operation)


def quantised(problem: Callable[[Operation], str]) -> Callable[[Operation], str]:
    """`problem` of layers that compute with scales, not of int32 and float32."""
    return lambda operation: "" if operation.operand(0).dtype in PLAIN else problem(operation)
