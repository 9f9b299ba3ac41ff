"""Functions of int16: straight lines (RELU and its kin), LOGISTIC, TANH and SOFTMAX.

LiteRT 2.3.0's internal/reference/integer_ops/{logistic,tanh}.h look up one table of 256 values of the sigmoid; its
internal/reference/softmax.h two of 513 (`LUTPopulateInt16` of internal/common.h, in double).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.fixed_point import quantize_multiplier, round_half_away
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, number, unsupported
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Layer

_SLOPES = Kernel("mcu_slopes_s16", "portable/slopes_s16.c", "mcu_functions_s16.h")
_SOFTMAX = Kernel("mcu_softmax_s16", "portable/softmax_s16.c", "mcu_functions_s16.h")
_SIGMOID = {
    name: Kernel(f"mcu_{name.lower()}_s16", "portable/sigmoid_s16.c", "mcu_functions_s16.h")
    for name in ("LOGISTIC", "TANH")
}
_LEAST, _MOST = -32768, 32767
_STEPS = 512
_LONGEST_ROW = 65535  # the sum of that many ones fits 32 bits
_MOST_LEFT = 14  # bits that a difference of two int16 may be shifted
# Where LiteRT's table of the sigmoid is one more than the nearest integer to 65536 / (1 + exp(-i / 24)).
_ONE_MORE: tuple[int, ...] = (
    4,
    8,
    12,
    14,
    15,
    16,
    17,
    19,
    20,
    21,
    22,
    25,
    27,
    28,
    29,
    30,
    31,
    33,
    34,
    35,
    37,
    39,
    40,
    41,
    43,
    44,
    45,
    46,
    49,
    50,
    54,
    62,
    63,
    64,
    66,
    82,
    86,
    93,
    100,
    103,
    112,
    116,
    135,
    255,
)


def emit_slopes(layer: Layer, context: Context) -> LayerCode:
    """RELU, RELU6 and LEAKY_RELU. Quotients of scales are float32, as in the reference."""
    source, result = (np.float32(affine(layer, context.tensor(i)).scale) for i in (layer.inputs[0], layer.outputs[0]))
    above, below, sign, least, most = quantize_multiplier(float(source / result)), (0, 0), 1, 0, _MOST
    if layer.operator == "LEAKY_RELU":
        alpha = np.float32(number(layer, "alpha"))
        below, sign, least = quantize_multiplier(abs(float(source * alpha / result))), -1 if alpha < 0 else 1, _LEAST
    if layer.operator == "RELU6":
        most = min(most, round_half_away(float(np.float32(6) / result)))
    members = (
        ("multiplier", f"{{{above[0]}, {below[0]}}}"),
        ("right", f"{{{-above[1]}, {-below[1]}}}"),
        ("sign", str(sign)),
        ("minimum", str(least)),
        ("maximum", str(most)),
    )
    return _along(layer, context, _SLOPES, "slopes_s16", members)


def emit_sigmoid(layer: Layer, context: Context) -> LayerCode:
    """LOGISTIC and TANH; scales near a power of two take another way to the table's units."""
    multiplier, right = _to_table(affine(layer, context.tensor(layer.inputs[0])).scale, layer.operator)
    members = (("table", context.name("table")), ("multiplier", str(multiplier)), ("right", str(right)))
    return _along(
        layer, context, _SIGMOID[layer.operator], "sigmoid_s16", members, (Constant("table", sigmoid_table()),)
    )


def emit_softmax(layer: Layer, context: Context) -> LayerCode:
    source = context.tensor(layer.inputs[0])
    depth, scale = source.shape[-1], float(np.float32(affine(layer, source).scale))
    beta = np.float32(number(layer, "beta", 1.0))
    multiplier, shift = quantize_multiplier(float(np.float32(scale) * beta) / (10.0 / 65535.0))
    if depth > _LONGEST_ROW or shift > _MOST_LEFT:
        raise unsupported(layer, f"rows of {depth} int16 with scale {scale:g} and beta {beta:g}")
    tables = (
        Constant("exponentials", _points(10.0 / 65535, _MOST, math.exp)),
        Constant("reciprocals", _points(1.0 / 65535, _LEAST, lambda x: 1.0 / (1.0 + x))),
    )
    members = (
        *((table.suffix, context.name(table.suffix)) for table in tables),
        ("multiplier", str(multiplier)),
        ("right", str(-shift)),
        ("rows", f"{source.elements // depth}u"),
        ("depth", f"{depth}u"),
    )
    arguments = f"{context.write(layer.outputs[0])}, {context.read(source.index)}, &{context.name('parameters')}"
    structs = (Struct("struct mcu_softmax_s16", "parameters", members),)
    return LayerCode((f"{_SOFTMAX.function}({arguments});",), (_SOFTMAX,), tables, structs)


def _to_table(scale: float, operator: str) -> tuple[int, int]:
    """What inputs are multiplied with, and shifted to the right after it: TanhPrepare and SigmoidPrepare of kernels/activations.cc."""
    power = math.log2(scale)
    nearest, left = round(power), 12 + round(power)
    if abs(power - nearest) < 1e-3 and left in ((0,) if operator == "LOGISTIC" else (0, 1)):
        return 3 << left, 0
    multiplier, right = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and right <= 30:
        multiplier, right = multiplier * 2.0, right + 1
    if operator == "TANH":  # LiteRT 2.3.0 has one rounding for both
        return int(multiplier), right
    return int(multiplier), right


@cache
def sigmoid_table() -> npt.NDArray[np.uint16]:
    """uint16 [256]: LiteRT's `sigmoid_table_uint16`."""
    exact = np.round(65536 / (1 + np.exp(-np.arange(256) / 24))).astype(np.int64)
    exact[list(_ONE_MORE)] += 1
    table = exact.astype(np.uint16)
    table.flags.writeable = False
    return table


def _points(scale: float, zero_point: int, function: Callable[[float], float]) -> npt.NDArray[np.int16]:
    """int16 [513] of `function` from scale * (-32768 - zero_point) on, outputs with 15 fractional bits: each is corrected by half of
    what the straight line to the next one misses in its middle."""
    first, last = scale * (_LEAST - zero_point), scale * (_MOST - zero_point)
    step = (last - first) / _STEPS
    scaling = 65536 / (2.0 / 65535 * _MOST - 2.0 / 65535 * _LEAST)
    table = []
    for i in range(_STEPS):
        here, half = function(first + i * step), function(first + i * step + step / 2)
        following, sample = function(first + (i + 1) * step), round_half_away(here * scaling)
        between = round_half_away((following * scaling + sample) / 2)
        error = between - round_half_away(half * scaling)
        table.append(sample - round_half_away(error / 2))
    table.append(round_half_away(function(last) * scaling))
    return np.clip(table, _LEAST, _MOST).astype(np.int16)


def _along(
    layer: Layer,
    context: Context,
    kernel: Kernel,
    struct: str,
    members: tuple[tuple[str, str], ...],
    constants: tuple[Constant, ...] = (),
) -> LayerCode:
    result = context.tensor(layer.outputs[0])
    arguments = f"{context.write(result.index)}, {context.read(layer.inputs[0])}, &{context.name('parameters')}, {result.elements}u"
    structs = (Struct(f"struct mcu_{struct}", "parameters", members),)
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), constants, structs)


WIDE_EMITTERS = {
    "RELU": emit_slopes,
    "RELU6": emit_slopes,
    "LEAKY_RELU": emit_slopes,
    "LOGISTIC": emit_sigmoid,
    "TANH": emit_sigmoid,
    "SOFTMAX": emit_softmax,
}
