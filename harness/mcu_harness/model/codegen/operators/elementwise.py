"""MAXIMUM, MINIMUM, SQUARED_DIFFERENCE and PRELU: two tensors, with broadcasting.

Scales follow LiteRT 2.3.0's kernels/squared_difference.cc and activations.cc (PReluPrepare).
"""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct
from mcu_harness.model.codegen.operators.arithmetic import broadcast_initializer, broadcast_members
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Layer

_HEADROOM_BITS = 7
Members = tuple[tuple[str, str], ...]

_WIDE_EXTREMA = {
    name: Kernel(f"mcu_{name.lower()}_s16", "portable/extremum_s16.c", "mcu_arithmetic_s16.h")
    for name in ("MAXIMUM", "MINIMUM")
}
_EXTREMA = {
    "MAXIMUM": Kernel("mcu_maximum_s8", "portable/maximum_s8.c", "mcu_elementwise.h"),
    "MINIMUM": Kernel("mcu_minimum_s8", "portable/minimum_s8.c", "mcu_elementwise.h"),
}
_SQUARED_DIFFERENCE = Kernel("mcu_squared_difference_s8", "portable/squared_difference_s8.c", "mcu_elementwise.h")
_PRELU = Kernel("mcu_prelu_s8", "portable/prelu_s8.c", "mcu_elementwise.h")


def emit_extremum(layer: Layer, context: Context) -> LayerCode:
    wide = context.tensor(layer.outputs[0]).dtype == "int16"
    kernel = (_WIDE_EXTREMA if wide else _EXTREMA)[layer.operator]
    left, left_constants = context.operand(layer.inputs[0], "first")
    right, right_constants = context.operand(layer.inputs[1], "second")
    struct = Struct("struct mcu_broadcast", "parameters", broadcast_members(layer, context))
    call = f"{kernel.function}({context.write(layer.outputs[0])}, {left}, {right}, &{context.name('parameters')});"
    return LayerCode((call,), (kernel,), (*left_constants, *right_constants), (struct,))


def emit_squared_difference(layer: Layer, context: Context) -> LayerCode:
    numbers = [affine(layer, context.tensor(index)) for index in (*layer.inputs, layer.outputs[0])]
    twice_largest = 2.0 * max(numbers[0].scale, numbers[1].scale)
    first, second = (quantize_multiplier(number.scale / twice_largest) for number in numbers[:2])
    out = quantize_multiplier(twice_largest * twice_largest / ((1 << 2 * _HEADROOM_BITS) * numbers[2].scale))
    members = (
        ("multiplier", f"{{{first[0]}, {second[0]}}}"),
        ("out_multiplier", str(out[0])),
        ("zero_point", f"{{{numbers[0].zero_point}, {numbers[1].zero_point}}}"),
        ("out_zero_point", str(numbers[2].zero_point)),
        ("right", f"{{{-first[1]}, {-second[1]}}}"),
        ("out_right", str(-out[1])),
        ("minimum", "-128"),
        ("maximum", "127"),
    )
    return _binary(layer, context, _SQUARED_DIFFERENCE, "squared_difference", members)


def emit_prelu(layer: Layer, context: Context) -> LayerCode:
    source, slopes, result = (affine(layer, context.tensor(index)) for index in (*layer.inputs, layer.outputs[0]))
    scales = [np.float32(number.scale) for number in (source, slopes, result)]
    positive = quantize_multiplier(float(scales[0] / scales[2]))
    negative = quantize_multiplier(float(scales[0] * scales[1] / scales[2]))
    members = (
        ("multiplier", f"{{{positive[0]}, {negative[0]}}}"),
        ("zero_point", f"{{{source.zero_point}, {slopes.zero_point}}}"),
        ("out_zero_point", str(result.zero_point)),
        ("right", f"{{{-positive[1]}, {-negative[1]}}}"),
    )
    return _binary(layer, context, _PRELU, "prelu", members)


def _binary(layer: Layer, context: Context, kernel: Kernel, struct_name: str, members: Members) -> LayerCode:
    left, left_constants = context.operand(layer.inputs[0], "first")
    right, right_constants = context.operand(layer.inputs[1], "second")
    struct = Struct(
        f"struct mcu_{struct_name}", "parameters", (("broadcast", broadcast_initializer(layer, context)), *members)
    )
    call = f"{kernel.function}({context.write(layer.outputs[0])}, {left}, {right}, &{context.name('parameters')});"
    return LayerCode((call,), (kernel,), (*left_constants, *right_constants), (struct,))


EMITTERS = {
    "MAXIMUM": emit_extremum,
    "MINIMUM": emit_extremum,
    "SQUARED_DIFFERENCE": emit_squared_difference,
    "PRELU": emit_prelu,
}
