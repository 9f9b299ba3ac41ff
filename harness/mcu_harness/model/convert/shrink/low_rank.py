"""Dense and 1x1 layers as two smaller ones: W is nearly U V with few columns, where its singular values fall off."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper

from mcu_harness.model.convert.shrink.net import Array, Net, attribute, label


def low_rank(net: Net, energy: float) -> list[str]:
    """Split every layer that becomes smaller by it; says what was done, and why a layer stayed as it is.

    The rank is the least that keeps `energy` of the sum of squared singular values.
    """
    said = []
    for node in list(net.nodes):
        weights = _matrix(net, node)
        if weights is None:
            continue
        outputs, inputs = weights.shape
        left, values, right = np.linalg.svd(weights.astype(np.float64), full_matrices=False)
        share = np.cumsum(values**2) / max(float(np.sum(values**2)), 1e-300)
        rank = int(np.searchsorted(share, energy - 1e-12)) + 1
        if rank * (inputs + outputs) >= weights.size:
            said.append(
                f"{label(node)} stays: rank {rank} of {min(weights.shape)} for {energy:.4g} of its energy would be "
                f"{rank * (inputs + outputs):,} weights in place of {weights.size:,}"
            )
            continue
        scale = np.sqrt(values[:rank])
        first = (right[:rank] * scale[:, np.newaxis]).astype(np.float32)
        second = (left[:, :rank] * scale).astype(np.float32)
        net.replace(node, _two(net, node, first, second))
        fewer = rank * (inputs + outputs)
        said.append(
            f"{label(node)}: rank {rank}, {share[rank - 1]:.4f} of its energy, {weights.size:,} -> {fewer:,} weights"
        )
    return said or ["no dense or 1x1 layer has constant weights"]


def _matrix(net: Net, node: Any) -> Array | None:
    """The weights of a dense or 1x1 layer as (outputs, inputs), None for other nodes."""
    if len(node.input) < 2 or node.input[1] not in net.constants:
        return None
    weights = net.constants[node.input[1]]
    if node.op_type == "Conv":
        plain = weights.ndim == 4 and weights.shape[2:] == (1, 1) and attribute(node, "group", 1) == 1
        plain = plain and not any(attribute(node, "pads", ()))
        return weights[:, :, 0, 0] if plain else None
    if node.op_type == "Gemm" and not attribute(node, "transA", 0) and weights.ndim == 2:
        scaled = attribute(node, "alpha", 1.0) != 1.0 or attribute(node, "beta", 1.0) != 1.0
        return None if scaled else (weights if attribute(node, "transB", 0) else weights.T)
    return weights.T if node.op_type == "MatMul" and weights.ndim == 2 else None


def _two(net: Net, node: Any, first: Array, second: Array) -> list[Any]:
    """`node` as two: the first without a bias, the second with the node's own."""
    name = node.name or node.output[0]
    between, one, two = net.fresh(f"{name}_low"), net.fresh(f"{name}_first"), net.fresh(f"{name}_second")
    rank = len(first)
    rest = list(node.input[2:3])
    if node.op_type == "Conv":
        net.constants[one], net.constants[two] = (
            first[:, :, np.newaxis, np.newaxis],
            second[:, :, np.newaxis, np.newaxis],
        )
        strides = list(attribute(node, "strides", (1, 1)))
        return [
            helper.make_node("Conv", [node.input[0], one], [between], name=f"{name}_low", strides=strides),
            helper.make_node("Conv", [between, two, *rest], list(node.output), name=name),
        ]
    if node.op_type == "Gemm":
        bias = net.fresh(f"{name}_none")
        net.constants[one], net.constants[two] = first, second
        net.constants[bias] = np.zeros(rank, np.float32)
        return [
            helper.make_node("Gemm", [node.input[0], one, bias], [between], name=f"{name}_low", transB=1),
            helper.make_node("Gemm", [between, two, *rest], list(node.output), name=name, transB=1),
        ]
    net.constants[one], net.constants[two] = np.ascontiguousarray(first.T), np.ascontiguousarray(second.T)
    return [
        helper.make_node("MatMul", [node.input[0], one], [between], name=f"{name}_low"),
        helper.make_node("MatMul", [between, two], list(node.output), name=name),
    ]
