"""Maximum and average pools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mcu_harness.model.convert.qdq.importer import Importer, handler
from mcu_harness.model.convert.qdq.operators.windows import NHWC, Window, in_two_dimensions, output, padded, window_of
from mcu_harness.model.convert.qdq.values import Value


@handler("MaxPool")
def max_pool(importer: Importer, node: Any) -> None:
    if len(node.output) > 1 and node.output[1]:
        raise importer.refusal(node, "its second output, the positions of the largest values")
    value, window = _window(importer, node)
    if window.dilation != (1, 1):
        raise importer.refusal(node, "a pool with dilation")
    _pool(importer, node, value, window, "MAX_POOL_2D", lowest=True)


@handler("AveragePool")
def average_pool(importer: Importer, node: Any) -> None:
    """Pads count as zeros where the model says so, or not at all, as TFLite's SAME has it."""
    value, window = _window(importer, node)
    if window.dilation != (1, 1):
        raise importer.refusal(node, "a pool with dilation")
    counted = bool(importer.attribute(node, "count_include_pad", 0))
    same = window.is_same((value.shape[2], value.shape[3]))
    if not window.is_valid and not counted and not same:
        raise importer.refusal(
            node, f"pads {window.before}, {window.after} that do not count, and are not TFLite's SAME",
            "pad by a multiple that is even on both sides, or with count_include_pad",
        )  # fmt: skip
    if not window.is_valid and counted and same:
        value, window = _zeros_around(importer, node, value, window)
    _pool(importer, node, value, window, "AVERAGE_POOL_2D", lowest=False)


@handler("GlobalMaxPool")
def global_max_pool(importer: Importer, node: Any) -> None:
    value = in_two_dimensions(importer, importer.value(node))
    kernel = (value.shape[2], value.shape[3])
    _pool(importer, node, value, Window(kernel, kernel, (1, 1), (0, 0), (0, 0)), "MAX_POOL_2D", lowest=True)


def _window(importer: Importer, node: Any) -> tuple[Value, Window]:
    """The input in two dimensions and the window, its far pads grown where the output counts a last window (ceil_mode)."""
    source, out = importer.value(node), importer.shape(node)
    kernel = tuple(importer.attribute(node, "kernel_shape"))
    window = window_of(importer, node, kernel, source.shape[2:], out[2:])
    value = in_two_dimensions(importer, source)
    wanted = (1, 1, *out[2:])[-2:]
    after = list(window.after)
    for axis in (0, 1):
        missing = (wanted[axis] - 1) * window.stride[axis] + window.extent(axis)
        reach = value.shape[2 + axis] + window.before[axis] + window.after[axis]
        if missing > reach:
            if node.op_type == "AveragePool":
                raise importer.refusal(node, "ceil_mode with a last window that is not full")
            after[axis] += missing - reach
    return value, replace(window, after=(after[0], after[1]))


def _zeros_around(importer: Importer, node: Any, value: Value, window: Window) -> tuple[Value, Window]:
    """Pads as a PAD before the pool, so that they count."""
    tensor = importer.mover.get(value, NHWC)
    n, height, width, channels = importer.writer.shape(tensor)
    (top, left), (bottom, right) = window.before, window.after
    shape = (n, channels, height + top + bottom, width + left + right)
    name = importer.name(node)
    result = importer.writer.activation(
        f"{name}/padded", (n, shape[2], shape[3], channels), value.quant.scale, value.quant.zero_point
    )
    pads = importer.writer.indices(f"{name}/pads", [[0, 0], [top, bottom], [left, right], [0, 0]])
    importer.writer.operator("PAD", [tensor, pads], [result])
    return Value(name, shape, value.quant, {NHWC: result}), replace(window, before=(0, 0), after=(0, 0))


def _pool(importer: Importer, node: Any, value: Value, window: Window, code: str, *, lowest: bool) -> None:
    """The pool keeps the scale of its input, as TFLite demands; a QUANTIZE behind it makes the model's, where it differs."""
    quant, activation, name = importer.quant_of(node, inherited=value.quant)
    out_shape = importer.shape(node)
    padding, tensor = padded(importer, node, value, window, lowest=lowest)
    same = quant.same(value.quant)
    own = name if same else f"{name}/own_scale"
    result = output(importer, own, out_shape, value.quant)
    importer.writer.operator(
        code, [tensor], [result], padding=padding, strideH=window.stride[0], strideW=window.stride[1],
        filterHeight=window.kernel[0], filterWidth=window.kernel[1], fusedActivationFunction=activation,
    )  # fmt: skip
    if not same:
        importer.give_value(name, importer.mover.requantised(importer.known(own), quant, name))
