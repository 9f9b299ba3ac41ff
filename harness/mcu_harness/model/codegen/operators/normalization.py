"""LOG_SOFTMAX and L2_NORMALIZATION over the last dimension."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.operators.softmax import differences, exponentials
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Layer

_KERNELS = {
    name: Kernel(f"mcu_{name}_s8", f"portable/{name}_s8.c", f"mcu_{name}.h")
    for name in ("log_softmax", "l2_normalization")
}
_FRACTION_BITS = 26
_LONGEST_ROW = 4095  # sums of exponentials have 12 integer bits
_LONGEST_SUM = 2**31 // 255**2


def emit_log_softmax(layer: Layer, context: Context) -> LayerCode:
    """Tables and the way back as PreprocessLogSoftmaxScalingExp of LiteRT 2.3.0's internal/quantization_util.cc."""
    source = context.tensor(layer.inputs[0])
    depth, scale = source.shape[-1], affine(layer, source).scale
    steps = differences(scale, 1.0)
    if not steps or depth > _LONGEST_ROW:
        raise unsupported(layer, f"rows of {depth} values of scale {scale:g}; {_LONGEST_ROW} at most")
    multiplier, shift = quantize_multiplier(min(scale * (1 << _FRACTION_BITS), 2.0**31 - 1.0))
    reverse, reverse_shift = quantize_multiplier((1 << (31 - shift)) / multiplier)
    if reverse_shift > 0:
        raise unsupported(layer, "its input scale is too small")
    tables = (
        Constant("exponentials", np.array(exponentials(scale, 1.0), np.int32)),
        Constant("differences", np.array(steps, np.int32)),
    )
    radius = ((1 << 5) - 1) * (1 << _FRACTION_BITS) // (1 << shift)
    members = (
        *((table.suffix, context.name(table.suffix)) for table in tables),
        ("entries", f"{len(steps)}u"),
        ("rows", f"{source.elements // depth}u"),
        ("depth", f"{depth}u"),
        ("least", str(-radius - 1)),
        ("reverse_multiplier", str(reverse)),
        ("reverse_right", str(-reverse_shift)),
    )
    return _call(layer, context, "log_softmax", members, tables)


def emit_l2(layer: Layer, context: Context) -> LayerCode:
    source = context.tensor(layer.inputs[0])
    depth = source.shape[-1]
    if depth > _LONGEST_SUM:
        raise unsupported(layer, f"rows of {depth} values; {_LONGEST_SUM} at most")
    members = (
        ("rows", f"{source.elements // depth}u"),
        ("depth", f"{depth}u"),
        ("zero_point", str(affine(layer, source).zero_point)),
    )
    return _call(layer, context, "l2_normalization", members)


def _call(
    layer: Layer, context: Context, name: str, members: tuple[tuple[str, str], ...], tables: tuple[Constant, ...] = ()
) -> LayerCode:
    kernel = _KERNELS[name]
    arguments = f"{context.write(layer.outputs[0])}, {context.read(layer.inputs[0])}, &{context.name('parameters')}"
    structs = (Struct(f"struct mcu_{name}", "parameters", members),)
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), tables, structs)


EMITTERS = {
    "LOG_SOFTMAX": emit_log_softmax,
    "L2_NORMALIZATION": emit_l2,
}
