"""Gemm and MatMul."""

from __future__ import annotations

from typing import Any

import numpy as np

from mcu_harness.model.convert.qdq.importer import Importer, handler
from mcu_harness.model.convert.qdq.layouts import plain
from mcu_harness.model.convert.qdq.operators.weights import Filter, bias_of, filter_of, operands
from mcu_harness.model.convert.qdq.values import Value


@handler("Gemm")
def gemm(importer: Importer, node: Any) -> None:
    """FULLY_CONNECTED."""
    if importer.attribute(node, "transA", 0):
        raise importer.refusal(node, "transA")
    if importer.attribute(node, "alpha", 1.0) != 1.0 or (
        len(node.input) > 2 and importer.attribute(node, "beta", 1.0) != 1.0
    ):
        raise importer.refusal(node, "alpha or beta other than 1", "fold the factor into the weights")
    transposed = bool(importer.attribute(node, "transB", 0))
    found = filter_of(importer, node, 1, 0 if transposed else 1)
    values = found.values if transposed else found.values.T
    _dense(importer, node, importer.value(node), Filter(values, found.scales, 0), 2)


@handler("MatMul")
def matmul(importer: Importer, node: Any) -> None:
    """FULLY_CONNECTED with constant weights, BATCH_MATMUL of two activations."""
    if importer.is_value(node, 0) and importer.is_value(node, 1):
        _batch_matmul(importer, node)
        return
    if not importer.is_value(node, 0):
        raise importer.refusal(node, "weights on the left", "turn the product around: x @ w")
    found = filter_of(importer, node, 1, 1)
    if found.values.ndim != 2:
        raise importer.refusal(node, f"weights of shape {found.values.shape}, expected two dimensions")
    _dense(importer, node, importer.value(node), Filter(found.values.T, found.scales, 0), None)


def _dense(importer: Importer, node: Any, value: Value, found: Filter, bias_place: int | None) -> None:
    """`found` is (out, in)."""
    units, inner = found.values.shape
    if value.shape[-1] != inner:
        raise importer.refusal(node, f"weights for {inner} values, its input has {value.shape[-1]}")
    shape = importer.shape(node)
    bias = (
        np.zeros(units, np.int32)
        if bias_place is None
        else bias_of(importer, node, bias_place, value.quant.scale, found.scales, units)
    )
    quant, activation, name = importer.quant_of(node, fuses=True)
    weights = found.values
    if value.shuffled is not None:
        tensor, positions = value.shuffled
        weights = weights[:, positions]
    else:
        tensor = importer.mover.plain(value)
    filters, sums = operands(
        importer, node, Filter(np.ascontiguousarray(weights), found.scales, 0), bias, value.quant.scale, 0
    )
    result = importer.make(name, shape, quant, plain(len(shape)))
    importer.writer.operator(
        "FULLY_CONNECTED",
        [tensor, filters, sums],
        [result],
        fusedActivationFunction=activation,
        keepNumDims=len(shape) > 2,
    )


def _batch_matmul(importer: Importer, node: Any) -> None:
    left, right = importer.value(node, 0), importer.value(node, 1)
    shape = importer.shape(node)
    quant, _, name = importer.quant_of(node)
    tensors = [importer.mover.plain(left), importer.mover.plain(right)]
    result = importer.make(name, shape, quant, plain(len(shape)))
    importer.writer.operator("BATCH_MATMUL", tensors, [result], adjX=False, adjY=False)
