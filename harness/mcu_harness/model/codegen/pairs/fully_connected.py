"""FULLY_CONNECTED for cores without the DSP extension, weights in words of four units: firmware/kernels/pairs/fully_connected_s8.c."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode
from mcu_harness.model.codegen.operators.fully_connected import filters_of
from mcu_harness.model.codegen.quantization import dot_products
from mcu_harness.model.codegen.steps import dense_code, once_rounded
from mcu_harness.model.graph import Layer

_UNITS = 4  # that are computed at a time
_KERNEL = Kernel("mcu_fully_connected_pairs_s8", "pairs/fully_connected_s8.c", "mcu_fully_connected_pairs.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    filters = filters_of(layer, context)
    units, depth = filters.shape
    steps = once_rounded(layer, context, dot_products(layer, context, filters))
    padded = -(-units // _UNITS) * _UNITS
    stored = np.zeros((padded, depth), np.int8)
    stored[:units] = steps.filters
    bias = np.zeros(padded, np.int64)
    bias[:units] = steps.bias
    interleaved = stored.reshape(-1, _UNITS, depth).transpose(0, 2, 1)
    stored_taps = Constant("filter", np.ascontiguousarray(interleaved))
    return dense_code(layer, context, steps, _KERNEL, stored_taps, bias)
