"""Means, sums and extremes over dimensions."""

from __future__ import annotations

from typing import Any

from mcu_harness.model.convert.qdq.importer import Importer, handler
from mcu_harness.model.convert.qdq.values import Value

_CODES = {"ReduceMean": "MEAN", "ReduceSum": "SUM", "ReduceMax": "REDUCE_MAX", "ReduceMin": "REDUCE_MIN"}


@handler("GlobalAveragePool")
def global_average_pool(importer: Importer, node: Any) -> None:
    value = importer.value(node)
    _reduce(importer, node, value, list(range(2, len(value.shape))), True, "MEAN")


@handler("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin")
def reduce(importer: Importer, node: Any) -> None:
    value = importer.value(node)
    axes = importer.network.whole(node, 1, "axes")
    if not axes and importer.attribute(node, "noop_with_empty_axes", 0):
        importer.give_value(node.output[0], value)
        return
    rank = len(value.shape)
    chosen = sorted(axis % rank for axis in axes) if axes else list(range(rank))
    _reduce(importer, node, value, chosen, bool(importer.attribute(node, "keepdims", 1)), _CODES[node.op_type])


def _reduce(importer: Importer, node: Any, value: Value, axes: list[int], keep: bool, code: str) -> None:
    extremes = code in ("REDUCE_MAX", "REDUCE_MIN")
    quant, _, name = importer.quant_of(node, inherited=value.quant if extremes or code == "MEAN" else None)
    order = value.native
    own = value.quant if extremes else quant
    if keep:
        result_order = order
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(value.shape))
    else:
        left = [axis for axis in range(len(value.shape)) if axis not in axes]
        result_order = tuple(left.index(axis) for axis in order if axis in left)
        shape = tuple(value.shape[axis] for axis in left)
    tensor = value.tensor
    here = importer.writer.indices(f"{importer.name(node)}/axes", sorted(order.index(axis) for axis in axes))
    target = name if own.same(quant) else f"{name}/own_scale"
    result = importer.make(target, shape, own, result_order)
    importer.writer.operator(code, [tensor, here], [result], keepDims=keep)
    if target != name:
        importer.give_value(name, importer.mover.requantised(importer.known(target), quant, name))
