"""Conv and ConvTranspose, in one and two dimensions, plain, depthwise and grouped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.model.convert.qdq.importer import Importer, handler
from mcu_harness.model.convert.qdq.operators.weights import Filter, bias_of, filter_of, operands
from mcu_harness.model.convert.qdq.operators.windows import NHWC, Window, in_two_dimensions, output, padded, window_of
from mcu_harness.model.convert.qdq.values import Quant

Array = npt.NDArray[Any]


@handler("Conv")
def conv(importer: Importer, node: Any) -> None:
    """CONV_2D or DEPTHWISE_CONV_2D; groups in between as convolutions side by side."""
    source = importer.value(node)
    found = filter_of(importer, node, 1, 0)
    out_shape, groups = importer.shape(node), int(importer.attribute(node, "group", 1))
    window = window_of(importer, node, found.values.shape[2:], source.shape[2:], out_shape[2:])
    found = _in_two_dimensions(found)
    channels, inner = found.values.shape[:2]
    value = in_two_dimensions(importer, source)
    if groups < 1 or value.shape[1] != inner * groups or channels % groups:
        raise importer.refusal(node, f"{groups} groups of {inner} channels for an input of {value.shape[1]}")
    size = (value.shape[2], value.shape[3])
    if tuple(window.count(axis, size[axis]) for axis in (0, 1)) != ((1, 1, *out_shape[2:])[-2:]):
        raise importer.refusal(node, f"an output of {out_shape}, which is not what its window gives")
    bias = bias_of(importer, node, 2, value.quant.scale, found.scales, channels)
    quant, activation, name = importer.quant_of(node, fuses=True)
    padding, tensor = padded(importer, node, value, window)
    options = {
        "padding": padding, "strideH": window.stride[0], "strideW": window.stride[1], "fusedActivationFunction": activation,
        "dilationHFactor": window.dilation[0], "dilationWFactor": window.dilation[1],
    }  # fmt: skip
    if groups == 1:
        ohwi = Filter(found.values.transpose(0, 2, 3, 1), found.scales, 0)
        filters, sums = operands(importer, node, ohwi, bias, value.quant.scale, 0)
        result = output(importer, name, out_shape, quant)
        importer.writer.operator("CONV_2D", [tensor, filters, sums], [result], **options)
    elif inner == 1:
        one_hwc = Filter(found.values[:, 0].transpose(1, 2, 0)[np.newaxis], found.scales, 3)
        filters, sums = operands(importer, node, one_hwc, bias, value.quant.scale, 3)
        result = output(importer, name, out_shape, quant)
        importer.writer.operator(
            "DEPTHWISE_CONV_2D", [tensor, filters, sums], [result], **options, depthMultiplier=channels // groups
        )
    else:
        _grouped(importer, node, value.quant, tensor, found, bias, groups, options, (name, out_shape, quant))


def _grouped(
    importer: Importer, node: Any, source: Quant, tensor: int, found: Filter, bias: Array, groups: int,
    options: dict[str, Any], target: tuple[str, tuple[int, ...], Quant],
) -> None:  # fmt: skip
    """SPLIT, a CONV_2D a group, CONCATENATION."""
    writer, own = importer.writer, importer.name(node)
    name, out_shape, quant = target
    *space, channels = writer.shape(tensor)
    parts = [
        writer.activation(f"{own}/in_{k}", (*space, channels // groups), source.scale, source.zero_point)
        for k in range(groups)
    ]
    writer.operator("SPLIT", [writer.constant(f"{own}/axis", np.array(3, np.int32)), tensor], parts, numSplits=groups)
    each = len(found.values) // groups
    height, width = (1, 1, *out_shape[2:])[-2:]
    results = []
    for k, part in enumerate(parts):
        mine = slice(k * each, (k + 1) * each)
        scales = found.scales[mine] if len(found.scales) > 1 else found.scales
        ohwi = Filter(found.values[mine].transpose(0, 2, 3, 1), scales, 0)
        filters, sums = operands(importer, node, ohwi, bias[mine], source.scale, 0)
        results.append(
            writer.activation(f"{own}/out_{k}", (out_shape[0], height, width, each), quant.scale, quant.zero_point)
        )
        writer.operator("CONV_2D", [part, filters, sums], [results[-1]], **options)
    joined = output(importer, name, out_shape, quant)
    writer.operator("CONCATENATION", results, [joined], axis=3, fusedActivationFunction="NONE")
    importer.note(node, f"{groups} groups: as {groups} convolutions between SPLIT and CONCATENATION")


@handler("ConvTranspose")
def conv_transpose(importer: Importer, node: Any) -> None:
    """TRANSPOSE_CONV, with a STRIDED_SLICE behind it where pads cut its output."""
    source = importer.value(node)
    found = filter_of(importer, node, 1, 1)
    if int(importer.attribute(node, "group", 1)) != 1:
        raise importer.refusal(node, "a transposed convolution in groups")
    out_shape = importer.shape(node)
    window = window_of(importer, node, found.values.shape[2:], source.shape[2:], out_shape[2:])
    if window.dilation != (1, 1):
        raise importer.refusal(node, "a transposed convolution with dilation")
    found = _in_two_dimensions(found)
    value = in_two_dimensions(importer, source)
    channels = found.values.shape[1]
    bias = bias_of(importer, node, 2, value.quant.scale, found.scales, channels)
    quant, activation, name = importer.quant_of(node, fuses=True)
    ohwi = Filter(found.values.transpose(1, 2, 3, 0), found.scales, 0)
    filters, sums = operands(importer, node, ohwi, bias, value.quant.scale, 0)
    wanted = (1, 1, *out_shape[2:])[-2:]
    full = tuple((size - 1) * window.stride[k] + window.kernel[k] for k, size in enumerate(value.shape[2:]))
    own, writer = importer.name(node), importer.writer
    begin = _transposed_begin(importer, node, window, full, wanted)
    valid = (out_shape[0], *full, channels)
    tensor = importer.mover.get(value, NHWC)
    cut = full != wanted
    result = (
        writer.activation(f"{own}/full", valid, quant.scale, quant.zero_point)
        if cut
        else output(importer, name, out_shape, quant)
    )
    sizes = writer.indices(f"{own}/sizes", valid)
    writer.operator(
        "TRANSPOSE_CONV", [sizes, filters, tensor, sums], [result], padding="VALID",
        strideH=window.stride[0], strideW=window.stride[1], fusedActivationFunction=activation,
    )  # fmt: skip
    if cut:
        part = output(importer, name, out_shape, quant)
        first = [0, *begin, 0]
        last = [valid[0], begin[0] + wanted[0], begin[1] + wanted[1], channels]
        bounds = [writer.indices(f"{own}/{k}", v) for k, v in (("begin", first), ("end", last), ("step", [1] * 4))]
        writer.operator("STRIDED_SLICE", [result, *bounds], [part])


def _transposed_begin(
    importer: Importer, node: Any, window: Window, full: tuple[int, ...], wanted: tuple[int, ...]
) -> tuple[int, int]:
    """Where the output begins in that without pads."""
    auto = importer.attribute(node, "auto_pad", "NOTSET")
    explicit = importer.attribute(node, "output_shape") is not None
    begin = []
    for axis in (0, 1):
        total = full[axis] - wanted[axis]
        first = window.before[axis]
        if auto.startswith("SAME") or explicit:
            first = total // 2 if auto == "SAME_UPPER" else total - total // 2
        if total < 0 or first + wanted[axis] > full[axis]:
            raise importer.refusal(node, "output_padding beyond what the kernel writes")
        begin.append(first)
    return begin[0], begin[1]


def _in_two_dimensions(found: Filter) -> Filter:
    """A filter (O, I, L) as (O, I, 1, L)."""
    values = found.values
    return Filter(values[:, :, np.newaxis] if values.ndim == 3 else values, found.scales, found.axis)
