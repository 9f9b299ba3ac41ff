"""Every operator that can be turned into C, and the function that does it. One family of operators a module."""

from __future__ import annotations

from harness.codegen.layer import Emitter
from harness.codegen.operators import (
    concatenation,
    lookup,
    mean,
    pad,
    quantize,
    reshape,
    resize,
    split,
    strided_slice,
    transpose,
)

EMITTERS: dict[str, Emitter] = {
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
