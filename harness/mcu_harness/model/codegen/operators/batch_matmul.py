"""BATCH_MATMUL: products of matrices, each operand transposed where the model says so."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.fixed_point import quantize_multiplier
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, Struct, unsupported
from mcu_harness.model.codegen.operators.arithmetic import braced, broadcast_of_shapes
from mcu_harness.model.codegen.operators.wide_products import reduced
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.graph import Layer

_KERNEL = Kernel("mcu_batch_matmul_s8", "portable/batch_matmul_s8.c", "mcu_batch_matmul.h")
_WIDE_KERNEL = Kernel("mcu_batch_matmul_s16", "portable/batch_matmul_s16.c", "mcu_batch_matmul.h")
_LARGEST_SUM = 2**30
_LARGEST_DEPTH = 2**16  # of products below 2^31 in a sum below 2^47


def emit(layer: Layer, context: Context) -> LayerCode:
    return _emit(layer, context, _KERNEL)


def emit_wide(layer: Layer, context: Context) -> LayerCode:
    return _emit(layer, context, _WIDE_KERNEL)


def _emit(layer: Layer, context: Context, kernel: Kernel) -> LayerCode:
    first, second, result = (context.tensor(index) for index in (*layer.inputs, layer.outputs[0]))
    numbers = [affine(layer, tensor) for tensor in (first, second, result)]
    scales = [np.float32(each.scale) for each in numbers]
    # GetQuantizedConvolutionMultipler of kernels/kernel_util.cc: the product of the scales is a float32, the quotient a double.
    multiplier, shift = quantize_multiplier(float(scales[0] * scales[1]) / float(scales[2]))
    transposed = [bool(layer.attributes["adj_x"]), bool(layer.attributes["adj_y"])]
    rows, columns = result.shape[-2:]
    depth = first.shape[-2] if transposed[0] else first.shape[-1]
    if kernel is _WIDE_KERNEL:
        multiplier, down = reduced(multiplier), 15 - shift
        fits = depth <= _LARGEST_DEPTH and down >= 8
    else:
        down = -shift
        fits = depth * 255 * 255 <= _LARGEST_SUM and shift <= 30
    if not fits:
        raise unsupported(layer, f"sums of {depth} products, with scales {[each.scale for each in numbers]}")
    # From one row of the first operand, or column of the second one, to the next, and along it.
    steps = [(1, first.shape[-1]) if transposed[0] else (first.shape[-1], 1)]
    steps.append((second.shape[-1], 1) if transposed[1] else (1, second.shape[-1]))
    members = (
        ("batches", braced(broadcast_of_shapes(layer, first.shape[:-2], second.shape[:-2], result.shape[:-2]))),
        ("rows", f"{rows}u"),
        ("columns", f"{columns}u"),
        ("depth", f"{depth}u"),
        ("size", f"{{{rows * depth}, {depth * columns}}}"),
        ("step", f"{{{steps[0][0]}, {steps[1][0]}}}"),
        ("depth_step", f"{{{steps[0][1]}, {steps[1][1]}}}"),
        ("multiplier", str(multiplier)),
        ("zero_point", f"{{{numbers[0].zero_point}, {numbers[1].zero_point}}}"),
        ("out_zero_point", str(numbers[2].zero_point)),
        ("right", str(down)),
    )
    left, left_constants = context.operand(first.index, "first")
    right, right_constants = context.operand(second.index, "second")
    call = f"{kernel.function}({context.write(result.index)}, {left}, {right}, &{context.name('parameters')});"
    structs = (Struct("struct mcu_batch_matmul", "parameters", members),)
    return LayerCode((call,), (kernel,), (*left_constants, *right_constants), structs)


EMITTERS = {
    "BATCH_MATMUL": emit,
}

WIDE_EMITTERS = {
    "BATCH_MATMUL": emit_wide,
}
