"""Two operands of plain numbers, int32 or float32, without a scale: what models count with, and what quantisers leave in floats."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.c_text import floating
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.operators.arithmetic import broadcast_initializer
from mcu_harness.model.graph import Layer

_INTEGERS = {
    name: Kernel(f"mcu_{function}_s32", "portable/integers_s32.c", "mcu_plain_arithmetic.h")
    for name, function in (
        ("ADD", "add"), ("SUB", "subtract"), ("MUL", "multiply"), ("DIV", "divide"), ("FLOOR_DIV", "floor_divide"),
        ("FLOOR_MOD", "floor_modulo"), ("MAXIMUM", "maximum"), ("MINIMUM", "minimum"),
    )
}  # fmt: skip
_REALS = {
    name: Kernel(f"mcu_{function}_f32", "portable/reals_f32.c", "mcu_plain_arithmetic.h")
    for name, function in (("ADD", "add"), ("SUB", "subtract"), ("MUL", "multiply"), ("DIV", "divide"))
}
# What fused activations let through; LiteRT limits float32 to finite numbers without one too.
_ENDS = {"RELU": (0, None), "RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}


def emit(layer: Layer, context: Context) -> LayerCode:
    real = context.tensor(layer.outputs[0]).dtype == "float32"
    kernel = (_REALS if real else _INTEGERS).get(layer.operator)
    if kernel is None:
        raise unsupported(layer, f"of {context.tensor(layer.outputs[0]).dtype}")
    low, high = _ENDS.get(str(layer.attributes.get("fused_activation", "NONE")), (None, None))
    far = float(np.finfo(np.float32).max)
    limits = (
        (floating(-far if low is None else low), floating(far if high is None else high))
        if real
        else ("INT32_MIN" if low is None else str(low), "INT32_MAX" if high is None else str(high))
    )
    members = (
        ("broadcast", broadcast_initializer(layer, context)),
        *zip(("minimum", "maximum"), limits, strict=True),
    )
    left, left_constants = context.operand(layer.inputs[0], "first")
    right, right_constants = context.operand(layer.inputs[1], "second")
    struct = Struct(f"struct mcu_{'reals' if real else 'integers'}", "parameters", members)
    call = f"{kernel.function}({context.write(layer.outputs[0])}, {left}, {right}, &{context.name('parameters')});"
    return LayerCode((call,), (kernel,), (*left_constants, *right_constants), (struct,))


PLAIN_EMITTERS = dict.fromkeys((*_INTEGERS, *_REALS), emit)
EMITTERS = dict.fromkeys(("FLOOR_DIV", "FLOOR_MOD"), emit)
