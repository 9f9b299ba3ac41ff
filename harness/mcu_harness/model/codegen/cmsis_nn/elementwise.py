"""ADD and MUL of two tensors of one shape (arm_elementwise_add_s8, arm_elementwise_mul_s8), and SOFTMAX (arm_softmax_s8)."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.cmsis_nn.calls import Call
from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Unsuited, number
from mcu_harness.model.codegen.operators import softmax
from mcu_harness.model.codegen.operators.arithmetic import HEADROOM_BITS, add_scaling
from mcu_harness.model.codegen.quantization import activation_range, affine
from mcu_harness.model.graph import Layer


def emit_add(layer: Layer, context: Context) -> LayerCode:
    pointers, constants, zeros = _operands(layer, context)
    first, second, out = add_scaling(layer, context)
    arguments = (
        *pointers,
        *(str(-zeros[0]), *map(str, first)),
        *(str(-zeros[1]), *map(str, second)),
        str(HEADROOM_BITS),
        *_output(layer, context, out),
    )
    return Call("arm_elementwise_add_s8", arguments, constants=constants).code(context)


def emit_mul(layer: Layer, context: Context) -> LayerCode:
    pointers, constants, zeros = _operands(layer, context)
    scales = [np.float32(affine(layer, context.tensor(index)).scale) for index in (*layer.inputs, layer.outputs[0])]
    out = quantize_multiplier(float(scales[0] * scales[1] / scales[2]))
    arguments = (*pointers, str(-zeros[0]), str(-zeros[1]), *_output(layer, context, out))
    return Call("arm_elementwise_mul_s8", arguments, constants=constants).code(context)


def _operands(layer: Layer, context: Context) -> tuple[tuple[str, str], tuple[Constant, ...], tuple[int, int]]:
    """Pointers to both operands, what of them is constant, and their zero points."""
    first, second, result = (context.tensor(index) for index in (*layer.inputs, layer.outputs[0]))
    if {first.dtype, second.dtype, result.dtype} != {"int8"}:
        raise Unsuited("operands that are not all int8")
    if not first.elements == second.elements == result.elements:
        raise Unsuited("one operand is broadcast")
    left, constants = context.operand(first.index, "first")
    right, others = context.operand(second.index, "second")
    return (left, right), (*constants, *others), (affine(layer, first).zero_point, affine(layer, second).zero_point)


def _output(layer: Layer, context: Context, scaling: tuple[int, int]) -> tuple[str, ...]:
    """The arguments that come last: where to, its offset, multiplier and shift, limits, and how many elements."""
    result = context.tensor(layer.outputs[0])
    limits = activation_range(layer, result)
    zero_point = affine(layer, result).zero_point
    return (context.write(result.index), *map(str, (zero_point, *scaling, *limits, result.elements)))


def emit_softmax(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    if result.dtype != "int8":
        raise Unsuited("outputs of int16")
    softmax.emit(layer, context)  # raises for what no kernel computes
    beta = float(np.float32(number(layer, "beta", 1.0)))
    scaling = softmax.difference_scaling(affine(layer, source).scale, beta)
    if scaling is None:
        raise Unsuited("its input scale is too small")
    depth = source.shape[-1]
    numbers = (source.elements // depth, depth, scaling.multiplier, scaling.shift, -scaling.radius)
    arguments = (context.read(source.index), *map(str, numbers), context.write(result.index))
    return Call("arm_softmax_s8", arguments, answers=False).code(context)
