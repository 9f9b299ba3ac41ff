"""Functions of one element, and of rows of them."""

from __future__ import annotations

from mcu_harness.model.operation import Operation, Shape, ShapeError
from mcu_harness.model.operators.multipliers import clamped, ratio, reciprocal, scales
from mcu_harness.model.operators.operator import WIDE, Operator, Role
from mcu_harness.model.operators.options import Option, activation, options
from mcu_harness.model.operators.shapes import same


def _rows(op: Operation) -> tuple[Shape, ...]:
    if not op.shape():
        raise ShapeError("the input has no dimensions")
    return (op.shape(),)


def _softmax_scales(operation: Operation) -> str:
    """int16 to int16 has scale 1/32768, int8 to int16 twice that, for what is at least -32768."""
    source, result = operation.operand(0), operation.outputs[0]
    if result.dtype == "int16" and result.quantization is not None:
        wanted = (1 / 32768, 0) if source.dtype == "int16" else (1 / 65536, -32768)
        near = abs(result.quantization.scales[0] / wanted[0] - 1) < 1e-3
        if not near or result.quantization.zero_points != (wanted[1],):
            return f"{source.dtype} to int16: expected scale {wanted[0]} and zero point {wanted[1]}"
    if source.dtype == "int16" and result.dtype != "int16":
        return f"int16 to {result.dtype}, which LiteRT has not"
    return _softmax_scale(operation) if source.dtype == "int8" else ""


def _softmax_scale(operation: Operation) -> str:
    """LiteRT scales differences by beta * scale * 2^26 and stops unless that is above one."""
    beta = float(operation.attributes.get("beta", 1.0))  # type: ignore[arg-type]
    return "" if beta * scales(operation.inputs[0])[0] * 2.0**26 > 1 else "beta * input scale is absurdly small"


def _hard_swish_scales(operation: Operation) -> str:
    """LiteRT asks for input scale / 128 / output scale below one, and shifts 32 bits by what the input scale is above 3 / 256."""
    if scales(operation.inputs[0])[0] >= 2.0**24:
        return "the input scale is absurdly large"
    fits = scales(operation.inputs[0])[0] / 128 < scales(operation.outputs[0])[0] * (1 - 1e-6)
    return "" if fits else "the output scale is less than the input scale / 128"


OPERATORS = (
    Operator(
        "SOFTMAX",
        (Role.ACTIVATION,),
        _rows,
        options(9, Option("beta", 0, 0.0)),
        results=("int8", "int16"),
        types=WIDE,
        fixed_output={"int8": (1 / 256, -128)},
        problem=_softmax_scales,
        in_place=(0,),
    ),
    Operator(
        "LOG_SOFTMAX",
        (Role.ACTIVATION,),
        _rows,
        options(36),
        fixed_output={"int8": (1 / 16, 127)},
        problem=_softmax_scale,
        in_place=(0,),
    ),
    Operator(
        "L2_NORMALIZATION",
        (Role.ACTIVATION,),
        _rows,
        options(12, activation(0)),
        fixed_output={"int8": (1 / 128, 0)},
        max_rank=4,
    ),
    Operator("SQRT", (Role.ACTIVATION,), same, problem=reciprocal, in_place=(0,)),
    Operator(
        "LOGISTIC",
        (Role.ACTIVATION,),
        same,
        types=WIDE,
        fixed_output={"int8": (1 / 256, None), "int16": (1 / 32768, 0)},
        in_place=(0,),
    ),
    Operator(
        "TANH",
        (Role.ACTIVATION,),
        same,
        types=WIDE,
        fixed_output={"int16": (1 / 32768, 0)},
        problem=reciprocal,
        in_place=(0,),
    ),
    Operator("RELU", (Role.ACTIVATION,), same, types=WIDE, problem=ratio, in_place=(0,)),
    Operator("RELU6", (Role.ACTIVATION,), same, types=WIDE, problem=ratio, in_place=(0,)),
    Operator(
        "LEAKY_RELU",
        (Role.ACTIVATION,),
        same,
        options(75, Option("alpha", 0, 0.0)),
        types=WIDE,
        problem=ratio,
        in_place=(0,),
    ),
    Operator("HARD_SWISH", (Role.ACTIVATION,), same, options(91), problem=_hard_swish_scales, in_place=(0,)),
    Operator("ABS", (Role.ACTIVATION,), same, options(78), types=WIDE, problem=ratio, in_place=(0,)),
    Operator("NEG", (Role.ACTIVATION,), same, options(42), types=WIDE, in_place=(0,)),
    Operator("RSQRT", (Role.ACTIVATION,), same, types=WIDE, in_place=(0,)),
    Operator("EXP", (Role.ACTIVATION,), same, options(33), types=WIDE, problem=reciprocal, in_place=(0,)),
    Operator("LOG", (Role.ACTIVATION,), same, types=WIDE, problem=reciprocal, in_place=(0,)),
    Operator(
        "GELU",
        (Role.ACTIVATION,),
        same,
        options(116, Option("approximate", 0, False)),
        types=WIDE,
        problem=reciprocal,
        in_place=(0,),
    ),
    Operator("RELU_N1_TO_1", (Role.ACTIVATION,), same, problem=clamped, in_place=(0,)),
    Operator("RELU_0_TO_1", (Role.ACTIVATION,), same, problem=clamped, in_place=(0,)),
)
