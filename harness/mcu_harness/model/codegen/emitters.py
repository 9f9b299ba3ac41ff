"""Every operator that can be turned into C, and the function that does it. One family of operators a module."""

from __future__ import annotations

from mcu_harness.model.codegen.layer import Emitter
from mcu_harness.model.codegen.operators import (
    arithmetic,
    concatenation,
    convolution,
    fully_connected,
    lookup,
    mean,
    pad,
    pooling,
    quantize,
    reshape,
    resize,
    softmax,
    split,
    strided_slice,
    transpose,
)

EMITTERS: dict[str, Emitter] = {
    "CONV_2D": convolution.emit_conv_2d,
    "DEPTHWISE_CONV_2D": convolution.emit_depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected.emit,
    "ADD": arithmetic.emit_add,
    "SUB": arithmetic.emit_add,
    "MUL": arithmetic.emit_mul,
    "AVERAGE_POOL_2D": pooling.emit,
    "MAX_POOL_2D": pooling.emit,
    "SOFTMAX": softmax.emit,
    "RESHAPE": reshape.emit,
    "SQUEEZE": reshape.emit,
    "EXPAND_DIMS": reshape.emit,
    "RELU": lookup.emit,
    "RELU6": lookup.emit,
    "LEAKY_RELU": lookup.emit,
    "LOGISTIC": lookup.emit,
    "TANH": lookup.emit,
    "HARD_SWISH": lookup.emit,
    "QUANTIZE": quantize.emit_quantize,
    "DEQUANTIZE": quantize.emit_dequantize,
    "MEAN": mean.emit,
    "PAD": pad.emit,
    "PADV2": pad.emit,
    "CONCATENATION": concatenation.emit,
    "SPLIT": split.emit,
    "TRANSPOSE": transpose.emit,
    "STRIDED_SLICE": strided_slice.emit,
    "RESIZE_NEAREST_NEIGHBOR": resize.emit,
}
