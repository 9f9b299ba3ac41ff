"""ADD, SUB, MUL and DIV of two tensors, with broadcasting.

Scales follow LiteRT 2.3.0's kernels/add.cc, sub.cc, mul.cc and div.cc, where products and quotients of scales are float32
before they become double.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mcu_harness.model.codegen.c_text import integer
from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.quantization import activation_range, affine
from mcu_harness.model.graph import Layer
from mcu_harness.model.operation import Operation
from mcu_harness.model.operators.arithmetic import adds_powers, powers_of_two

HEADROOM_BITS = 20
_WIDE_HEADROOM_BITS = 15  # of int16
_MOST_LOOPS = 5  # MCU_BROADCAST_LOOPS

_ADD = Kernel("mcu_add_s8", "portable/add_s8.c", "mcu_arithmetic.h")
_ADD_WIDE = Kernel("mcu_add_s16", "portable/add_s16.c", "mcu_arithmetic_s16.h")
_ADD_POWERS = Kernel("mcu_add_powers_s16", "portable/add_powers_s16.c", "mcu_arithmetic_s16.h")
_MUL_WIDE = Kernel("mcu_mul_s16", "portable/mul_s16.c", "mcu_arithmetic_s16.h")
_DIV = Kernel("mcu_div_s8", "portable/div_s8.c", "mcu_div.h")
_MUL = Kernel("mcu_mul_s8", "portable/mul_s8.c", "mcu_arithmetic.h")


@dataclass(frozen=True, slots=True)
class Loop:
    """`count` turns, from one to the next of which the operands move by `steps` elements."""

    count: int
    steps: tuple[int, ...]


def broadcast_loops(*operands_and_result: Sequence[int]) -> list[Loop]:
    """How operands are walked along the result, from their shapes, outermost loop first; loops that run as one are one.

    Never empty.
    """
    *operands, result = operands_and_result
    loops: list[Loop] = []
    sizes = [1] * len(operands)
    shapes = [(1,) * (len(result) - len(shape)) + tuple(shape) for shape in operands]
    for axis in reversed(range(len(result))):
        here = [shape[axis] for shape in shapes]
        steps = tuple(size * (count > 1) for size, count in zip(sizes, here, strict=True))
        sizes = [size * count for size, count in zip(sizes, here, strict=True)]
        if result[axis] == 1:
            continue
        inner = loops[0] if loops else None
        if inner and all(outer == step * inner.count for outer, step in zip(steps, inner.steps, strict=True)):
            loops[0] = Loop(inner.count * result[axis], inner.steps)
        else:
            loops.insert(0, Loop(result[axis], steps))
    return loops or [Loop(1, (1,) * len(operands))]


def add_scaling(
    layer: Layer, context: Context, headroom_bits: int = HEADROOM_BITS
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Fixed-point (multiplier, shift) of an ADD's or SUB's operands, scaled up by 2^headroom_bits, and of their sum."""
    scales = [np.float32(affine(layer, context.tensor(index)).scale) for index in (*layer.inputs, layer.outputs[0])]
    twice_largest = float(np.float32(2) * max(scales[0], scales[1]))
    first, second = (quantize_multiplier(float(scale) / twice_largest) for scale in scales[:2])
    out = quantize_multiplier(twice_largest / float(np.float32(1 << headroom_bits) * scales[2]))
    return first, second, out


def emit_add(layer: Layer, context: Context) -> LayerCode:
    """ADD and SUB."""
    operation, wide = Operation.of(context.graph, layer), context.tensor(layer.outputs[0]).dtype == "int16"
    if adds_powers(operation):
        return _add_powers(layer, context, powers_of_two(operation))
    first, second, out = add_scaling(layer, context, _WIDE_HEADROOM_BITS if wide else HEADROOM_BITS)
    members = (
        ("multiplier", f"{{{first[0]}, {second[0]}}}"),
        ("out_multiplier", str(out[0])),
        ("right", f"{{{-first[1]}, {-second[1]}}}"),
        ("out_right", str(-out[1])),
        ("subtract", str(int(layer.operator == "SUB"))),
    )
    return _binary(layer, context, _ADD_WIDE if wide else _ADD, "add", members)


def _add_powers(layer: Layer, context: Context, rights: tuple[int, int]) -> LayerCode:
    low, high = activation_range(layer, context.tensor(layer.outputs[0]))
    members = (
        ("broadcast", broadcast_initializer(layer, context)),
        ("right", f"{{{rights[0]}, {rights[1]}}}"),
        ("subtract", str(int(layer.operator == "SUB"))),
        ("minimum", str(low)),
        ("maximum", str(high)),
    )
    left, left_constants = context.operand(layer.inputs[0], "first")
    right, right_constants = context.operand(layer.inputs[1], "second")
    call = f"{_ADD_POWERS.function}({context.write(layer.outputs[0])}, {left}, {right}, &{context.name('parameters')});"
    structs = (Struct("struct mcu_add_powers", "parameters", members),)
    return LayerCode((call,), (_ADD_POWERS,), (*left_constants, *right_constants), structs)


def emit_mul(layer: Layer, context: Context) -> LayerCode:
    scales = [np.float32(affine(layer, context.tensor(index)).scale) for index in (*layer.inputs, layer.outputs[0])]
    multiplier, shift = quantize_multiplier(float(scales[0] * scales[1] / scales[2]))
    if context.tensor(layer.outputs[0]).dtype == "int16":
        multiplier, shift = (
            (multiplier, shift) if shift > -31 else (0, 0)
        )  # no product is so large that it would not give 0
        return _binary(layer, context, _MUL_WIDE, "mul", (("multiplier", str(multiplier)), ("right", str(-shift))))
    return _binary(layer, context, _MUL, "mul", (("multiplier", str(multiplier)), ("right", str(-shift))))


def emit_div(layer: Layer, context: Context) -> LayerCode:
    first, second, result = (
        np.float32(affine(layer, context.tensor(i)).scale) for i in (*layer.inputs, layer.outputs[0])
    )
    multiplier, shift = quantize_multiplier(float(first / (second * result)))
    return _binary(layer, context, _DIV, "div", (("multiplier", str(multiplier)), ("right", str(-shift))))


def _binary(
    layer: Layer, context: Context, kernel: Kernel, struct: str, scaling: tuple[tuple[str, str], ...]
) -> LayerCode:
    tensors = [context.tensor(index) for index in (*layer.inputs, layer.outputs[0])]
    if {tensor.dtype for tensor in tensors} not in ({"int8"}, {"int16"}):
        raise unsupported(
            layer, f"operands of type {', '.join(tensor.dtype for tensor in tensors)}; all int8 or all int16"
        )
    first, second, result = tensors
    low, high = activation_range(layer, result)
    zero_points = [affine(layer, tensor).zero_point for tensor in tensors]
    left, left_constants = context.operand(first.index, "first")
    right, right_constants = context.operand(second.index, "second")
    members = (
        ("broadcast", broadcast_initializer(layer, context)),
        *scaling,
        ("zero_point", f"{{{zero_points[0]}, {zero_points[1]}}}"),
        ("out_zero_point", str(zero_points[2])),
        ("minimum", str(low)),
        ("maximum", str(high)),
    )
    output, parameters = context.write(result.index), f"&{context.name('parameters')}"
    return LayerCode(
        body=(f"{kernel.function}({output}, {left}, {right}, {parameters});",),
        kernels=(kernel,),
        constants=(*left_constants, *right_constants),
        structs=(Struct(f"struct mcu_{struct}", "parameters", members),),
    )


def broadcast_initializer(layer: Layer, context: Context) -> str:
    """A `struct mcu_broadcast` of firmware/include/mcu_arithmetic.h for the first two inputs of `layer`."""
    return braced(broadcast_members(layer, context))


def braced(members: tuple[tuple[str, str], ...]) -> str:
    """A C initializer of named members."""
    return "{" + ", ".join(f".{member} = {value}" for member, value in members) + "}"


def broadcast_members(layer: Layer, context: Context) -> tuple[tuple[str, str], ...]:
    """The members of that struct for the first two inputs of `layer`."""
    return broadcast_of_shapes(layer, *(context.tensor(index).shape for index in (*layer.inputs[:2], layer.outputs[0])))


def broadcast_of_shapes(
    layer: Layer, first: Sequence[int], second: Sequence[int], result: Sequence[int]
) -> tuple[tuple[str, str], ...]:
    """The members of that struct. The innermost steps are 0 or 1 by construction. Raises ModelError for too many loops."""
    loops = broadcast_loops(first, second, result)
    if len(loops) > _MOST_LOOPS + 1 or any(loop.count > 65535 for loop in loops[:-1]):
        raise unsupported(layer, f"broadcasting {first} with {second}")
    *outer, inner = loops
    rows = "".join(f"{{{loop.count}, {{{integer(loop.steps[0])}, {integer(loop.steps[1])}}}}}, " for loop in outer)
    walked = (("loops", f"{{{rows.rstrip(', ')}}}"),) if outer else ()
    step = f"{{{inner.steps[0]}, {inner.steps[1]}}}"
    return (("length", str(inner.count)), ("step", step), ("rank", str(len(outer))), *walked)


EMITTERS = {
    "ADD": emit_add,
    "SUB": emit_add,
    "MUL": emit_mul,
    "DIV": emit_div,
}
