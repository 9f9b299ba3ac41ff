"""RELU, RELU6, LEAKY_RELU, LOGISTIC, TANH, HARD_SWISH and QUANTIZE between byte types: one table of 256 results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mcu_harness.model.codegen import lookup_tables
from mcu_harness.model.codegen.fixed_point import Affine
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, unsupported
from mcu_harness.model.codegen.lookup_tables import ByteFunction
from mcu_harness.model.codegen.operators.movement import copy_tensor
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.codegen.strided_copy import StridedCopy
from mcu_harness.model.graph import BYTE_RANGES, Layer

_FUNCTIONS: dict[str, Callable[[Affine, Affine, Layer], ByteFunction]] = {
    "RELU": lambda source, result, _: lookup_tables.relu(source, result, None),
    "RELU6": lambda source, result, _: lookup_tables.relu(source, result, 6.0),
    "LEAKY_RELU": lambda source, result, layer: lookup_tables.leaky_relu(source, result, _alpha(layer)),
    "LOGISTIC": lambda source, result, _: lookup_tables.logistic(source, result),
    "TANH": lambda source, result, _: lookup_tables.tanh(source, result),
    "HARD_SWISH": lambda source, result, _: lookup_tables.hard_swish(source, result),
    "QUANTIZE": lambda source, result, _: lookup_tables.requantize(source, result),
}


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    if source.dtype not in BYTE_RANGES or result.dtype not in BYTE_RANGES:
        raise unsupported(layer, f"from {source.dtype} to {result.dtype}; int8 and uint8 are")
    try:
        function = _FUNCTIONS[layer.operator](affine(layer, source), affine(layer, result), layer)
    except ValueError as error:
        raise unsupported(layer, str(error)) from error
    table = lookup_tables.byte_table(function, source.dtype, result.dtype)
    if np.array_equal(table, np.arange(256)):
        if not source.is_constant and context.same_place(source.index, result.index):
            return LayerCode(body=())
        return copy_tensor(context, StridedCopy((), result.nbytes), result.index, source.index)
    kernel = context.kernel("lookup")
    pointer, constants = context.operand(source.index, "input")
    call = f"{kernel.function}({context.write(result.index)}, {pointer}, {context.name('table')}, {result.nbytes}u);"
    return LayerCode((call,), kernels=kernel.files, constants=(*constants, Constant("table", table)))


def _alpha(layer: Layer) -> float:
    return float(layer.attributes["alpha"])  # type: ignore[arg-type]
