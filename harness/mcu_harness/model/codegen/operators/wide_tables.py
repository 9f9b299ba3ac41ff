"""Functions of int16 that LiteRT looks up among 513 points: EXP, LOG, GELU and RSQRT; and ABS and NEG.

`LUTPopulateInt16` of LiteRT 2.3.0's internal/common.h, every step in float32.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen import reals
from mcu_harness.model.codegen.fixed_point import quantize_multiplier, round_half_away
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Attribute, Layer

_TABLE = Kernel("mcu_table_s16", "portable/table_s16.c", "mcu_functions_s16.h")
_ABS = Kernel("mcu_abs_s16", "portable/magnitude_s16.c", "mcu_functions_s16.h")
_NEGATE = Kernel("mcu_negate_s16", "portable/magnitude_s16.c", "mcu_functions_s16.h")
_LEAST, _MOST, _STEPS = -32768, 32767, 512

Options = dict[str, Attribute]


def _logarithm(out_scale: np.float32, _: Options) -> reals.RealFunction:
    """What has no logarithm becomes the smallest value that the output can express."""
    least = np.float32(_LEAST) * out_scale
    return lambda x: np.float32(np.log(np.float64(x))) if x > 0 else least


def _inverse_square_root(out_scale: np.float32, _: Options) -> reals.RealFunction:
    """What has no root becomes the largest value."""
    most = np.float32(_MOST) * out_scale
    return lambda x: np.float32(1) / np.sqrt(x) if x > 0 else most


_FUNCTIONS: dict[str, Callable[[np.float32, Options], reals.RealFunction]] = {
    "EXP": lambda _, __: reals.exp,
    "LOG": _logarithm,
    "GELU": lambda _, options: reals.gelu_by_tanh if options["approximate"] else reals.gelu,
    "RSQRT": _inverse_square_root,
}


def points(function: reals.RealFunction, in_scale: np.float32, out_scale: np.float32) -> npt.NDArray[np.int16]:
    """int16 [513] of `function`: each is corrected by half of what the straight line to the next one misses in its middle."""
    first, last = in_scale * np.float32(_LEAST), in_scale * np.float32(_MOST)
    step = (last - first) / np.float32(_STEPS)
    half = step / np.float32(2)
    inverse = np.float32(65536) / (out_scale * np.float32(_MOST) - out_scale * np.float32(_LEAST))
    table = []
    with np.errstate(over="ignore", invalid="ignore"):
        for i in range(_STEPS):
            here = first + np.float32(i) * step
            sample = _rounded(function(here) * inverse)
            following = function(first + np.float32(i + 1) * step) * inverse
            between = _rounded((following + sample) / np.float32(2))
            error = between - _rounded(function(here + half) * inverse)
            table.append(_saturated(sample - _rounded(error / np.float32(2))))
        table.append(_saturated(_rounded(function(last) * inverse)))
    return np.array(table, np.int16)


def _rounded(value: np.float32) -> np.float32:
    """Halves away from zero; what is not finite stays."""
    return np.float32(round_half_away(float(value))) if np.isfinite(value) else value


def _saturated(value: np.float32) -> int:
    """As int16; what is no number becomes 0, as x86 converts it."""
    return 0 if np.isnan(value) else int(max(_LEAST, min(_MOST, float(value))))


def emit_table(layer: Layer, context: Context) -> LayerCode:
    """EXP, LOG, GELU and RSQRT."""
    source, result = (np.float32(affine(layer, context.tensor(i)).scale) for i in (layer.inputs[0], layer.outputs[0]))
    table = Constant("table", points(_FUNCTIONS[layer.operator](result, dict(layer.attributes)), source, result))
    return _along(layer, context, _TABLE, context.name(table.suffix), constants=(table,))


def emit_abs(layer: Layer, context: Context) -> LayerCode:
    source, result = (np.float32(affine(layer, context.tensor(i)).scale) for i in (layer.inputs[0], layer.outputs[0]))
    multiplier, shift = quantize_multiplier(float(source / result)) if source != result else (0, 0)
    struct = Struct("struct mcu_abs_s16", "parameters", (("multiplier", str(multiplier)), ("right", str(-shift))))
    return _along(layer, context, _ABS, f"&{context.name(struct.suffix)}", structs=(struct,))


def emit_negative(layer: Layer, context: Context) -> LayerCode:
    """NEG: the number itself, whatever it stands for."""
    return _along(layer, context, _NEGATE)


def _along(
    layer: Layer,
    context: Context,
    kernel: Kernel,
    *more: str,
    constants: tuple[Constant, ...] = (),
    structs: tuple[Struct, ...] = (),
) -> LayerCode:
    result = context.tensor(layer.outputs[0])
    arguments = (context.write(result.index), context.read(layer.inputs[0]), *more, f"{result.elements}u")
    return LayerCode((f"{kernel.function}({', '.join(arguments)});",), (kernel,), constants, structs)


WIDE_EMITTERS = {
    **dict.fromkeys(_FUNCTIONS, emit_table),
    "ABS": emit_abs,
    "NEG": emit_negative,
}
