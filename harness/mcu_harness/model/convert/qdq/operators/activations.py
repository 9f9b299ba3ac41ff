"""Functions of one value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mcu_harness.model.convert.qdq.importer import Importer, handler
from mcu_harness.model.convert.qdq.layouts import laid_out
from mcu_harness.model.convert.qdq.values import Quant, Value

# What TFLite's 8-bit specification fixes for outputs.
_SIGMOID = _SOFTMAX = Quant(1 / 256, -128)
_TANH = Quant(1 / 128, 0)
_LOG_SOFTMAX = Quant(16 / 256, 127)


@handler("Relu", "Clip")
def clip(importer: Importer, node: Any) -> None:
    """RELU, RELU6 or RELU_N1_TO_1; nothing where the values cannot pass the bounds; else MINIMUM and MAXIMUM."""
    value = importer.value(node)
    quant, _, name = importer.quant_of(node, inherited=value.quant)
    activation = importer.activation(node, quant)
    if activation == "NONE":
        # The range of the output does what the bounds say: a QUANTIZE saturates at them.
        moved = importer.mover.requantised(value, quant, name)
        importer.give_value(name, Value(name, moved.shape, moved.quant, moved.forms, moved.shuffled, moved.fixed))
    elif activation is not None:
        _unary(importer, node, value, activation, quant, name)
    else:
        low, high = importer.bounds(node)
        tensor = importer.mover.requantised(value, quant, f"{name}/in").tensor
        for code, bound in (("MAXIMUM", low), ("MINIMUM", high)):
            if math.isfinite(bound):
                limit = importer.writer.constant(
                    f"{name}/{code.lower()}", quant.of(np.array([bound])), [quant.scale], [quant.zero_point]
                )
                shape = laid_out(value.shape, value.native)
                result = importer.writer.activation(name, shape, quant.scale, quant.zero_point)
                importer.writer.operator(code, [tensor, limit], [result])
                tensor = result
        importer.give(name, value.shape, quant, value.native, tensor)


@handler("LeakyRelu")
def leaky_relu(importer: Importer, node: Any) -> None:
    _leaky(importer, node, float(importer.attribute(node, "alpha", 0.01)))


@handler("PRelu")
def prelu(importer: Importer, node: Any) -> None:
    """LEAKY_RELU with one slope, PRELU with one a channel."""
    slope = importer.real(node, 1)
    if slope is None:
        raise importer.refusal(node, "its slope is computed, expected a constant")
    slope = np.asarray(slope, np.float64)
    if slope.size == 1:
        _leaky(importer, node, float(slope.reshape(-1)[0]))
        return
    value = importer.value(node)
    quant, _, name = importer.quant_of(node)
    full = slope.reshape((1,) * (len(value.shape) - slope.ndim) + slope.shape).transpose(value.native)[0]
    scale = float(np.float32(np.abs(slope).max() / 127)) or 1.0
    slopes = importer.writer.constant(f"{name}/slopes", np.ascontiguousarray(Quant(scale, 0).of(full)), [scale])
    tensor = value.tensor
    result = importer.make(name, value.shape, quant, value.native)
    importer.writer.operator("PRELU", [tensor, slopes], [result])


def _leaky(importer: Importer, node: Any, alpha: float) -> None:
    value = importer.value(node)
    quant, _, name = importer.quant_of(node)
    _unary(importer, node, value, "LEAKY_RELU", quant, name, alpha=alpha)


@handler("Sigmoid")
def sigmoid(importer: Importer, node: Any) -> None:
    _unary(importer, node, importer.value(node), "LOGISTIC", _SIGMOID, node.output[0], fixed=True)


@handler("Tanh")
def tanh(importer: Importer, node: Any) -> None:
    _unary(importer, node, importer.value(node), "TANH", _TANH, node.output[0], fixed=True)


@handler("HardSwish")
def hard_swish(importer: Importer, node: Any) -> None:
    quant, _, name = importer.quant_of(node)
    _unary(importer, node, importer.value(node), "HARD_SWISH", quant, name)


@handler("Elu")
def elu(importer: Importer, node: Any) -> None:
    if importer.attribute(node, "alpha", 1.0) != 1.0:
        raise importer.refusal(node, "alpha other than 1")
    quant, _, name = importer.quant_of(node)
    _unary(importer, node, importer.value(node), "ELU", quant, name)


@handler("Gelu")
def gelu(importer: Importer, node: Any) -> None:
    quant, _, name = importer.quant_of(node)
    approximate = importer.attribute(node, "approximate", "none") == "tanh"
    _unary(importer, node, importer.value(node), "GELU", quant, name, approximate=approximate)


@handler("HardSigmoid")
def hard_sigmoid(importer: Importer, node: Any) -> None:
    """max(0, min(1, alpha x + beta)), as ADD into a range that saturates at 0 and 1 / alpha, and MUL by alpha."""
    value = importer.value(node)
    alpha, beta = float(importer.attribute(node, "alpha", 0.2)), float(importer.attribute(node, "beta", 0.5))
    if not alpha > 0:
        raise importer.refusal(node, f"alpha {alpha:g}, expected more than 0")
    quant, _, name = importer.quant_of(node, inherited=Quant(1 / 255, -128))
    writer, order, own = importer.writer, value.native, importer.name(node)
    between = Quant(float(np.float32(1 / alpha / 255)), -128)
    shape = laid_out(value.shape, order)
    ones = (1,) * len(shape)

    def constant(what: str, real: float) -> int:
        scale = float(np.float32(abs(real) / 127)) or 1.0
        return writer.constant(f"{own}/{what}", Quant(scale, 0).of(np.full(ones, real)), [scale])

    shifted = writer.activation(f"{own}/shifted", shape, between.scale, between.zero_point)
    operands = [value.tensor, constant("beta", beta / alpha)]
    writer.operator("ADD", operands, [shifted], fusedActivationFunction="NONE")
    operands = [shifted, constant("alpha", alpha)]
    result = importer.make(name, value.shape, quant, order)
    writer.operator("MUL", operands, [result], fusedActivationFunction="NONE")
    importer.note(node, "as ADD and MUL")


@handler("Softmax", "LogSoftmax")
def softmax(importer: Importer, node: Any) -> None:
    """Over the last dimension, to which another axis is brought."""
    value = importer.value(node)
    rank = len(value.shape)
    axis = int(importer.attribute(node, "axis", -1 if importer.network.opset >= 13 else 1)) % rank
    if importer.network.opset < 13 and math.prod(value.shape[axis + 1 :]) != 1:
        raise importer.refusal(
            node,
            f"over several dimensions at once, as opset {importer.network.opset} has it",
            "export with opset 13 or later",
        )
    order = value.native
    if order[-1] != axis:
        order = (*(k for k in order if k != axis), axis)
    tensor = importer.mover.get(value, order)
    logarithmic = node.op_type == "LogSoftmax"
    quant = _LOG_SOFTMAX if logarithmic else _SOFTMAX
    result = importer.make(node.output[0], value.shape, quant, order, fixed=True)
    if logarithmic:
        importer.writer.operator("LOG_SOFTMAX", [tensor], [result])
    else:
        importer.writer.operator("SOFTMAX", [tensor], [result], beta=1.0)


def _unary(
    importer: Importer,
    node: Any,
    value: Value,
    code: str,
    quant: Quant,
    name: str,
    *,
    fixed: bool = False,
    **options: Any,
) -> None:
    del node
    tensor = value.tensor
    result = importer.make(name, value.shape, quant, value.native, fixed=fixed)
    importer.writer.operator(code, [tensor], [result], **options)
