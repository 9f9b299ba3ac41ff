"""Operators on one byte, and QUANTIZE between byte types: one table of 256 results."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen import lookup_tables, reals
from mcu_harness.model.codegen.fixed_point import Affine
from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, unsupported
from mcu_harness.model.codegen.lookup_tables import ByteFunction
from mcu_harness.model.codegen.operators.movement import copy_tensor
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.codegen.strided_copy import StridedCopy
from mcu_harness.model.float_islands import THROUGH_FLOAT
from mcu_harness.model.graph import BYTE_RANGES, Attribute, Layer
from mcu_harness.model.legacy_uint8 import AS_JOINED

Options = dict[str, Attribute]

# The attribute of a layer, of any operator, that is a function of one byte or several in a row: the table of all of them.
TABLE = "table"

_FUNCTIONS: dict[str, Callable[[Affine, Affine, Options], ByteFunction]] = {
    "RELU": lambda source, result, _: lookup_tables.relu(source, result, None),
    "RELU6": lambda source, result, _: lookup_tables.relu(source, result, 6.0),
    "LEAKY_RELU": lambda source, result, options: lookup_tables.leaky_relu(source, result, float(options["alpha"])),  # type: ignore[arg-type]
    "LOGISTIC": lambda source, result, _: lookup_tables.logistic(source, result),
    "TANH": lambda source, result, _: lookup_tables.tanh(source, result),
    "HARD_SWISH": lambda source, result, _: lookup_tables.hard_swish(source, result),
    "QUANTIZE": lambda source, result, options: (
        lookup_tables.joined_in_uint8 if options.get(AS_JOINED) else lookup_tables.requantize
    )(source, result),
    "RELU_N1_TO_1": lambda source, result, _: lookup_tables.relu(source, result, 1.0, -1.0),
    "RELU_0_TO_1": lambda source, result, _: lookup_tables.relu(source, result, 1.0),
    "ABS": lambda source, result, _: lookup_tables.absolute(source, result),
    "NEG": lambda source, result, _: lookup_tables.negative(source, result),
    "RSQRT": lambda source, result, _: lookup_tables.inverse_square_root(source, result),
    "SQRT": lambda source, result, _: lookup_tables.square_root(source, result),
    "EXP": lambda source, result, _: lookup_tables.of_real(reals.exp, source, result),
    "LOG": lambda source, result, _: lookup_tables.logarithm(source, result),
    "GELU": lambda source, result, options: lookup_tables.of_real(
        reals.gelu_by_tanh if options["approximate"] else reals.gelu, source, result
    ),
}

# As LiteRT's float kernels compute them.
_REAL_FUNCTIONS: dict[str, Callable[[Options], reals.RealFunction]] = {
    "RELU": lambda _: reals.clamp(0.0, math.inf),
    "RELU6": lambda _: reals.clamp(0.0, 6.0),
    "RELU_N1_TO_1": lambda _: reals.clamp(-1.0, 1.0),
    "LEAKY_RELU": lambda options: reals.leaky_relu(float(options["alpha"])),  # type: ignore[arg-type]
    "HARD_SWISH": lambda _: reals.hard_swish,
    "ABS": lambda _: np.abs,
    "NEG": lambda _: np.negative,
    "LOGISTIC": lambda _: reals.sigmoid,
    "TANH": lambda _: reals.tanh,
    "SQRT": lambda _: reals.square_root,
}

_KERNEL = Kernel("mcu_lookup", "portable/lookup.c", "mcu_lookup.h")


@lru_cache(maxsize=1024)  # a layer is emitted several times, and deep models have many alike
def table_of(
    operator: str,
    source: tuple[Affine, str],
    result: tuple[Affine, str],
    options: tuple[tuple[str, Attribute], ...] = (),
) -> npt.NDArray[np.uint8]:
    """uint8 [256]: entry v & 255 is the operator's result for v. `source` and `result` are quantisation and type.

    Raises ValueError where the reference refuses the scales.
    """
    given = dict(options)
    if isinstance(joined := given.get(TABLE), tuple):
        return np.array(joined, np.uint8)
    if given.get(THROUGH_FLOAT):
        function = lookup_tables.through_float(_REAL_FUNCTIONS[operator](given), source[0], result[0])
    else:
        function = _FUNCTIONS[operator](source[0], result[0], given)
    table = lookup_tables.byte_table(function, source[1], result[1])
    table.flags.writeable = False
    return table


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    if source.dtype not in BYTE_RANGES or result.dtype not in BYTE_RANGES:
        raise unsupported(layer, f"from {source.dtype} to {result.dtype}; int8 and uint8 are")
    ends = ((affine(layer, source), source.dtype), (affine(layer, result), result.dtype))
    try:
        table = table_of(layer.operator, *ends, tuple(sorted(layer.attributes.items())))
    except ValueError as error:
        raise unsupported(layer, str(error)) from error
    if np.array_equal(table, np.arange(256)):
        if not source.is_constant and context.same_place(source.index, result.index):
            return LayerCode(body=())
        return copy_tensor(context, StridedCopy((), result.nbytes), result.index, source.index)
    pointer, constants = context.operand(source.index, "input")
    call = f"{_KERNEL.function}({context.write(result.index)}, {pointer}, {context.name('table')}, {result.nbytes}u);"
    return LayerCode((call,), kernels=(_KERNEL,), constants=(*constants, Constant("table", table)))


EMITTERS = {
    "RELU": emit,
    "RELU6": emit,
    "LEAKY_RELU": emit,
    "LOGISTIC": emit,
    "TANH": emit,
    "HARD_SWISH": emit,
    "ABS": emit,
    "NEG": emit,
    "RSQRT": emit,
    "SQRT": emit,
    "EXP": emit,
    "LOG": emit,
    "GELU": emit,
    "RELU_N1_TO_1": emit,
    "RELU_0_TO_1": emit,
}
