"""Comparisons, operators on truths (bool, 0 or 1 in a byte), the choices that they make, and CAST.

Scales of comparisons follow LiteRT 2.3.0's kernels/comparisons.cc, which compares int8 after scaling, all else as it is.
"""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.c_text import floating
from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.operators.arithmetic import broadcast_initializer, broadcast_loops, broadcast_members
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import BYTE_RANGES, DTYPE_BYTES, Layer, Tensor

_SMALLER, _SAME, _LARGER = 1, 2, 4
TRUTHS = {
    "EQUAL": _SAME,
    "NOT_EQUAL": _SMALLER | _LARGER,
    "LESS": _SMALLER,
    "LESS_EQUAL": _SMALLER | _SAME,
    "GREATER": _LARGER,
    "GREATER_EQUAL": _LARGER | _SAME,
}
_COMPARE = Kernel("mcu_compare", "portable/compare.c", "mcu_compare.h")
_SELECT = Kernel("mcu_select", "portable/select.c", "mcu_select.h", helpers=("portable/copy.c",))
_CAST = Kernel("mcu_cast", "portable/cast.c", "mcu_cast.h")
_LOOKUP = Kernel("mcu_lookup", "portable/lookup.c", "mcu_lookup.h")
_TO_FLOAT = Kernel("mcu_dequantize", "portable/dequantize.c", "mcu_dequantize.h")
_WIDE_TO_FLOAT = {
    dtype: Kernel(f"mcu_cast_{name}_f32", "portable/cast_f32.c", "mcu_cast.h")
    for dtype, name in (("int16", "s16"), ("int32", "s32"))
}
# Of 0 and 1 the larger one is the disjunction, the smaller one the conjunction.
_LOGICAL = {
    "LOGICAL_OR": Kernel("mcu_maximum_s8", "portable/maximum_s8.c", "mcu_elementwise.h"),
    "LOGICAL_AND": Kernel("mcu_minimum_s8", "portable/minimum_s8.c", "mcu_elementwise.h"),
}
_MOST_LOOPS = 6  # MCU_SELECT_LOOPS
_KINDS = {"uint8": "MCU_UNSIGNED", "bool": "MCU_TRUTH"}


def emit_comparison(layer: Layer, context: Context) -> LayerCode:
    operands = [context.tensor(index) for index in layer.inputs]
    scaled = operands[0].dtype == "int8"
    pairs, zero_points = [(0, 0)] * 2, [0, 0]
    if scaled:
        numbers = [affine(layer, tensor) for tensor in operands]
        pairs, zero_points = (
            [quantize_multiplier(each.scale) for each in numbers],
            [each.zero_point for each in numbers],
        )
    members = (
        ("broadcast", broadcast_initializer(layer, context)),
        ("multiplier", f"{{{pairs[0][0]}, {pairs[1][0]}}}"),
        ("zero_point", f"{{{zero_points[0]}, {zero_points[1]}}}"),
        ("right", f"{{{-pairs[0][1]}, {-pairs[1][1]}}}"),
        ("element_bytes", str(DTYPE_BYTES[operands[0].dtype])),
        ("scaled", str(int(scaled))),
        ("truths", str(TRUTHS[layer.operator])),
    )
    return _of_two(layer, context, _COMPARE, Struct("struct mcu_compare", "parameters", members), "(const void *)")


def emit_logical(layer: Layer, context: Context) -> LayerCode:
    struct = Struct("struct mcu_broadcast", "parameters", broadcast_members(layer, context))
    return _of_two(layer, context, _LOGICAL[layer.operator], struct, "(const int8_t *)", "(int8_t *)")


def emit_not(layer: Layer, context: Context) -> LayerCode:
    table = np.zeros(256, np.uint8)
    table[0] = 1
    kernel, result = _LOOKUP, context.tensor(layer.outputs[0])
    arguments = (
        f"{context.write(result.index)}, {context.read(layer.inputs[0])}, {context.name('table')}, {result.nbytes}u"
    )
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), (Constant("table", table),))


def _of_two(
    layer: Layer, context: Context, kernel: Kernel, struct: Struct, operand_type: str, result_type: str = ""
) -> LayerCode:
    left, left_constants = context.operand(layer.inputs[0], "first")
    right, right_constants = context.operand(layer.inputs[1], "second")
    arguments = (
        f"{result_type}{context.write(layer.outputs[0])}", f"{operand_type}{left}", f"{operand_type}{right}",
        f"&{context.name(struct.suffix)}",
    )  # fmt: skip
    constants = (*left_constants, *right_constants)
    return LayerCode((f"{kernel.function}({', '.join(arguments)});",), (kernel,), constants, (struct,))


def emit_select(layer: Layer, context: Context) -> LayerCode:
    operands, result = [context.tensor(index) for index in layer.inputs], context.tensor(layer.outputs[0])
    shapes = [operand.shape for operand in operands]
    if layer.operator == "SELECT" and len(shapes[0]) == 1 < len(result.shape):
        shapes[0] = (*shapes[0], *[1] * (len(result.shape) - 1))  # one condition for each row
    loops = broadcast_loops(*shapes, result.shape)
    if len(loops) > _MOST_LOOPS:
        raise unsupported(layer, f"choosing with {shapes[0]} between {shapes[1]} and {shapes[2]}")
    rows = ", ".join(f"{{{loop.count}, {{{', '.join(map(str, loop.steps))}}}}}" for loop in loops)
    members = (
        ("element_bytes", f"{DTYPE_BYTES[result.dtype]}u"),
        ("rank", f"{len(loops)}u"),
        ("loops", f"{{{rows}}}"),
    )
    found = [
        context.operand(operand.index, suffix)
        for operand, suffix in zip(operands, ("condition", "first", "second"), strict=True)
    ]
    kernel, arguments = _SELECT, ", ".join(pointer for pointer, _ in found)
    return LayerCode(
        (f"{kernel.function}({context.write(result.index)}, {arguments}, &{context.name('parameters')});",),
        (kernel,),
        tuple(constant for _, constants in found for constant in constants),
        (Struct("struct mcu_select", "parameters", members),),
    )


def emit_cast(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    if result.dtype == "float32":
        return _to_float(layer, context, source, result)
    members = (
        ("from_bytes", str(DTYPE_BYTES[source.dtype])),
        ("to_bytes", str(DTYPE_BYTES[result.dtype])),
        ("from", _KINDS.get(source.dtype, "MCU_SIGNED")),
        ("to", _KINDS.get(result.dtype, "MCU_SIGNED")),
    )
    return _along(layer, context, _CAST, "cast", members)


def _to_float(layer: Layer, context: Context, source: Tensor, result: Tensor) -> LayerCode:
    """What DEQUANTIZE does with a scale of 1 and no zero point."""
    kind = "uint8" if source.dtype == "bool" else source.dtype
    if kind in _WIDE_TO_FLOAT:
        kernel = _WIDE_TO_FLOAT[kind]
        arguments = f"{context.write(result.index)}, {context.read(source.index)}, {result.elements}u"
        return LayerCode((f"{kernel.function}({arguments});",), (kernel,))
    if kind not in BYTE_RANGES:
        raise unsupported(layer, f"from {source.dtype} to {result.dtype}; integers to float32 are")
    low = BYTE_RANGES[kind][0]
    return _along(
        layer, context, _TO_FLOAT, "dequantize", (("scale", floating(1.0)), ("flip", f"{-low}u"), ("offset", str(-low)))
    )


def _along(
    layer: Layer, context: Context, kernel: Kernel, struct: str, members: tuple[tuple[str, str], ...]
) -> LayerCode:
    result = context.tensor(layer.outputs[0])
    parameters = Struct(f"struct mcu_{struct}", "parameters", members)
    arguments = f"{context.write(result.index)}, {context.read(layer.inputs[0])}, &{context.name('parameters')}, {result.elements}u"
    return LayerCode((f"{kernel.function}({arguments});",), (kernel,), structs=(parameters,))


EMITTERS = {
    **dict.fromkeys(TRUTHS, emit_comparison),
    **dict.fromkeys(_LOGICAL, emit_logical),
    "LOGICAL_NOT": emit_not,
    "SELECT": emit_select,
    "SELECT_V2": emit_select,
    "CAST": emit_cast,
}
