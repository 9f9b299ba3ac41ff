"""PAD (with the output's zero point) and PADV2 (with a given value): fill everything, then copy the inside."""

from __future__ import annotations

import numpy as np

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Context, LayerCode, unsupported
from mcu_harness.model.codegen.operators.movement import copy_tensor, joined
from mcu_harness.model.codegen.strided_copy import Loop, row_major_steps, strided_copy
from mcu_harness.model.graph import DTYPE_BYTES, Layer
from mcu_harness.model.operation import Operation

_FILL = Kernel("mcu_fill", "portable/copy.c", "mcu_copy.h")


def emit(layer: Layer, context: Context) -> LayerCode:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    size = DTYPE_BYTES[source.dtype]
    before = Operation.of(context.graph, layer).indices(1)[0::2]
    source_steps, result_steps = row_major_steps(source.shape, size), row_major_steps(result.shape, size)
    inside = strided_copy(
        map(Loop, source.shape, result_steps, source_steps),
        size,
        destination_offset=sum(left * step for left, step in zip(before, result_steps, strict=True)),
    )
    copied = copy_tensor(context, inside, result.index, source.index)
    if source.shape == result.shape:
        return copied
    return joined([fill_code(layer, context), copied])


def fill_code(layer: Layer, context: Context) -> LayerCode:
    """The whole output filled with what padding is: the given value, else the output's zero point."""
    result = context.tensor(layer.outputs[0])
    fill = f"{_FILL.function}({context.write(result.index)}, {_fill_byte(layer, context)}, {result.nbytes}u);"
    return LayerCode(body=(fill,), kernels=(_FILL,))


def fill_value(layer: Layer, context: Context) -> int:
    """What the elements of the padding are."""
    result = context.tensor(layer.outputs[0])
    given = context.tensor(layer.inputs[2]).data if layer.operator == "PADV2" else None
    if given is not None:
        return int(given.reshape(-1)[0])
    return result.quantization.zero_points[0] if result.quantization else 0


def _fill_byte(layer: Layer, context: Context) -> int:
    """What every byte of the padding is, -128 to 127."""
    result, value = context.tensor(layer.outputs[0]), fill_value(layer, context)
    raw: bytes = np.array(value, result.dtype).tobytes()
    if len(set(raw)) != 1:
        raise unsupported(layer, f"padding {result.dtype} with {value}, which is not one byte repeated")
    return int.from_bytes(raw[:1], "little", signed=True)


EMITTERS = {
    "PAD": emit,
    "PADV2": emit,
}
