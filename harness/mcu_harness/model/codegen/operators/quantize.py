"""QUANTIZE and DEQUANTIZE: the borders between float32 and bytes. Between two byte types QUANTIZE is a table."""

from __future__ import annotations

import math

from mcu_harness.model.codegen.c_text import floating
from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.operators import lookup
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import BYTE_RANGES, RANGES, Layer

_QUANTIZE_WIDE = Kernel("mcu_quantize_s16", "portable/quantize_s16.c", "mcu_quantize.h")
_DEQUANTIZE_WIDE = Kernel("mcu_dequantize_s16", "portable/dequantize_s16.c", "mcu_dequantize.h")
_QUANTIZE = Kernel("mcu_quantize", "portable/quantize.c", "mcu_quantize.h")
_DEQUANTIZE = Kernel("mcu_dequantize", "portable/dequantize.c", "mcu_dequantize.h")
_BITS = {"int8": 8, "int16": 16, "int32": 32}
_REQUANTIZE = {  # by the types that it comes from and leads to
    (source, result): Kernel(
        f"mcu_requantize_s{_BITS[source]}_s{_BITS[result]}", "portable/requantize_wide.c", "mcu_requantize_wide.h"
    )
    for source, result in (
        ("int16", "int8"), ("int8", "int16"), ("int16", "int16"), ("int8", "int32"), ("int16", "int32"),
        ("int32", "int8"), ("int32", "int16"),
    )
}  # fmt: skip


def emit_quantize(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    if source.dtype != "float32" and {source.dtype, result.dtype} & {"int16", "int32"}:
        return _requantize(layer, context)
    if source.dtype != "float32":
        return lookup.emit(layer, context)
    if result.dtype not in RANGES:
        raise unsupported(layer, f"from float32 to {result.dtype}; to int8, uint8 and int16 are")
    numbers, (low, high) = affine(layer, result), RANGES[result.dtype]
    fraction, exponent = math.frexp(numbers.scale)
    fields = (
        ("scale", floating(numbers.scale)),
        ("exponent", str(exponent + 126)),
        ("reciprocal", f"{2**39 // int(fraction * 2**24)}u"),
        ("zero_point", str(numbers.zero_point)),
        ("minimum", str(low)),
        ("maximum", str(high)),
    )
    return _call(context, _QUANTIZE_WIDE if result.dtype == "int16" else _QUANTIZE, "quantize", fields)


def _requantize(layer: Layer, context: Context) -> LayerCode:
    """Between integers of which one is wider than a byte."""
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    kernel = _REQUANTIZE.get((source.dtype, result.dtype))
    if kernel is None:
        raise unsupported(layer, f"from {source.dtype} to {result.dtype}; between int8, int16 and int32 are")
    incoming, outgoing = affine(layer, source), affine(layer, result)
    multiplier, shift = quantize_multiplier(incoming.scale / outgoing.scale)
    if shift > 14:
        raise unsupported(layer, "the output scale is absurdly small for the input's scale")
    fields = (
        ("multiplier", str(multiplier)),
        ("right", str(-shift)),
        ("in_zero_point", str(incoming.zero_point)),
        ("out_zero_point", str(outgoing.zero_point)),
    )
    return _call(context, kernel, "requantize", fields)


def emit_dequantize(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    if source.dtype not in RANGES or result.dtype != "float32":
        raise unsupported(layer, f"from {source.dtype} to {result.dtype}; int8, uint8 and int16 to float32 are")
    wide, numbers = source.dtype == "int16", affine(layer, source)
    low = 0 if wide else BYTE_RANGES[source.dtype][0]
    fields = (
        ("scale", floating(numbers.scale)),
        ("flip", f"{-low}u"),
        ("offset", str(numbers.zero_point - low)),
    )
    return _call(context, _DEQUANTIZE_WIDE if wide else _DEQUANTIZE, "dequantize", fields)


def _call(context: Context, kernel: Kernel, struct: str, fields: tuple[tuple[str, str], ...]) -> LayerCode:
    """One call of a kernel `(output, input, parameters, count)`."""
    layer = context.layer
    result = context.tensor(layer.outputs[0])
    pointer, constants = context.operand(layer.inputs[0], "input")
    parameters = Struct(f"struct mcu_{struct}", "parameters", fields)
    arguments = f"{context.write(result.index)}, {pointer}, &{context.name(parameters.suffix)}, {result.elements}u"
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), constants, (parameters,))


EMITTERS = {
    "QUANTIZE": emit_quantize,
    "DEQUANTIZE": emit_dequantize,
}

WIDE_EMITTERS = EMITTERS
