"""TRANSPOSE_CONV: which filter rows meet which input rows at every output row is settled here."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.kernel import Kernel
from mcu_harness.model.codegen.layer import Constant, Context, LayerCode, Struct, number, unsupported
from mcu_harness.model.codegen.operators.wide_products import long_sums, members_of
from mcu_harness.model.codegen.quantization import activation_range, affine, dot_products
from mcu_harness.model.graph import Layer, Tensor

_LARGEST = 32767
_SUM_BYTES = 4

_KERNEL = Kernel(
    "mcu_transpose_conv_s8", "portable/transpose_conv_s8.c", "mcu_transpose_conv.h", helpers=("portable/channels.c",)
)
_WIDE_KERNEL = Kernel("mcu_transpose_conv_s16", "portable/transpose_conv_s16.c", "mcu_transpose_conv.h")


def meetings(size: int, out: int, kernel: int, stride: int, *, same: bool) -> npt.NDArray[np.int16]:
    """int16 [out, 3]: how many filter positions meet an input position at each output position, the first of them, and the
    input position that it meets. Padded as the convolution from the output to the input would be (kernels/padding.h)."""
    steps = -(-out // stride) if same else (out + stride - kernel) // stride
    before = max((steps - 1) * stride + kernel - out, 0) // 2
    rows = np.zeros((out, 3), np.int16)
    for position in range(out):
        met = [
            (tap, (position + before - tap) // stride)
            for tap in range(kernel)
            if (position + before - tap) % stride == 0 and 0 <= (position + before - tap) // stride < size
        ]
        rows[position] = (len(met), *met[0]) if met else (0, 0, 0)
    return rows


def emit(layer: Layer, context: Context) -> LayerCode:
    """Of int8."""
    weights, source, result, summed = _operands(layer, context)
    filters = weights.reshape(len(weights), -1)
    sums = dot_products(summed, context, filters)
    zero_point = affine(layer, source).zero_point
    bias = sums.bias + zero_point * filters.sum(axis=1, dtype=np.int64)  # the kernel takes the zero point off by itself
    multiplier, shift = sums.multipliers(layer)
    low, high = activation_range(layer, result)
    places, sizes = _geometry(layer, source, result, weights)
    constants = (
        Constant("filter", weights),
        Constant("bias", bias.astype(np.int32)),
        Constant("multiplier", multiplier),
        Constant("right", -shift, 1),
        *places,
    )
    outgoing = {
        "bias": context.name("bias"),
        "multiplier": context.name("multiplier"),
        "right": context.name("right"),
        "channels": len(weights),
        "channel_step": int(len(multiplier) > 1),
        "zero_point": affine(layer, result).zero_point,
        "minimum": low,
        "maximum": high,
    }
    members = {
        "out": "{" + ", ".join(f".{name} = {value}" for name, value in outgoing.items()) + "}",
        **{name: context.name(name) for name in ("filter", "rows", "columns")},
        **sizes,
        "in_zero_point": zero_point,
    }
    parameters = f"&{context.name('parameters')}"
    arguments = (
        f"{context.write(result.index)}, {context.read(source.index)}, {parameters}, (int32_t *){context.scratch}"
    )
    return LayerCode(
        body=(f"{_KERNEL.function}({arguments});",),
        kernels=(_KERNEL,),
        constants=constants,
        structs=(
            Struct(
                "struct mcu_transpose_conv", "parameters", tuple((name, str(value)) for name, value in members.items())
            ),
        ),
        scratch_bytes=_SUM_BYTES * len(weights),
    )


def emit_wide(layer: Layer, context: Context) -> LayerCode:
    """Of int16 with a filter of int8."""
    weights, source, result, summed = _operands(layer, context)
    sums, numbers = long_sums(summed, context, weights.reshape(len(weights), -1))
    places, sizes = _geometry(layer, source, result, weights)
    constants = (*sums, *places)
    members = members_of(context, constants, {**sizes, "channels": len(weights), **numbers})
    arguments = f"{context.write(result.index)}, {context.read(source.index)}, &{context.name('parameters')}"
    structs = (Struct("struct mcu_transpose_conv_s16", "parameters", members),)
    return LayerCode((f"{_WIDE_KERNEL.function}({arguments});",), (_WIDE_KERNEL,), constants, structs)


def _operands(layer: Layer, context: Context) -> tuple[npt.NDArray[np.int8], Tensor, Tensor, Layer]:
    """The filter [channels, kernel height, kernel width, input channels], input and output, and the layer with the operands of a convolution."""
    weights, source = context.tensor(layer.inputs[1]), context.tensor(layer.inputs[2])
    assert weights.data is not None
    summed = replace(layer, inputs=(source.index, weights.index, *layer.inputs[3:]))
    return weights.data.astype(np.int8), source, context.tensor(layer.outputs[0]), summed


def _geometry(
    layer: Layer, source: Tensor, result: Tensor, weights: npt.NDArray[np.int8]
) -> tuple[tuple[Constant, Constant], dict[str, int]]:
    """`rows` and `columns`, and the sizes that go with them."""
    strides = [int(number(layer, f"stride_{letter}")) for letter in "hw"]
    if max(*source.shape, *result.shape, *weights.shape, *strides) > _LARGEST:
        raise unsupported(layer, f"sizes above {_LARGEST}")
    same = layer.attributes["padding"] == "SAME"
    _, kernel_height, kernel_width, depth = weights.shape
    places = (
        Constant("rows", meetings(source.shape[1], result.shape[1], kernel_height, strides[0], same=same)),
        Constant("columns", meetings(source.shape[2], result.shape[2], kernel_width, strides[1], same=same)),
    )
    return places, {
        "batches": source.shape[0],
        "in_height": source.shape[1],
        "in_width": source.shape[2],
        "in_channels": depth,
        "out_height": result.shape[1],
        "out_width": result.shape[2],
        "kernel_height": kernel_height,
        "kernel_width": kernel_width,
        "stride_height": strides[0],
        "stride_width": strides[1],
    }


EMITTERS = {
    "TRANSPOSE_CONV": emit,
}

WIDE_EMITTERS = {
    "TRANSPOSE_CONV": emit_wide,
}
