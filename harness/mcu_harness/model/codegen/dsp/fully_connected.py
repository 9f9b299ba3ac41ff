"""FULLY_CONNECTED with dual multiplications: firmware/kernels/dsp/fully_connected_s8.c."""

from __future__ import annotations

from mcu_harness.model.codegen.dsp.packing import grouped_bias, pack
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode
from mcu_harness.model.codegen.operators.fully_connected import filters_of
from mcu_harness.model.codegen.quantization import dot_products
from mcu_harness.model.codegen.steps import dense_code, once_rounded
from mcu_harness.model.graph import Layer

_UNITS = 4  # that are computed at a time
_KERNEL = Kernel("mcu_fully_connected_dsp_s8", "dsp/fully_connected_s8.c", "mcu_fully_connected_dsp.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    steps = once_rounded(layer, context, dot_products(layer, context, filters_of(layer, context)))
    words, excess = pack(steps.filters, _UNITS)
    filters = Constant("filter", words)
    return dense_code(layer, context, steps.padded(_UNITS), _KERNEL, filters, grouped_bias(steps.bias, excess))
