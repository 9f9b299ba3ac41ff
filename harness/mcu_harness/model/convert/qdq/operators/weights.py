"""Filters and biases: symmetric int8, a scale a channel or one, and int32 sums in the scale of input times filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.model.convert.qdq.importer import Importer
from mcu_harness.model.convert.qdq.values import QuantConstant

Array = npt.NDArray[Any]
_SAME_SCALE = 1e-5  # a bias whose scale is that close to input times filter is in it
_INT32 = (-(2**31), 2**31 - 1)


@dataclass(frozen=True, slots=True)
class Filter:
    """int8 `values`; `scales` is one, or one for each output channel, which is dimension `axis`."""

    values: Array
    scales: npt.NDArray[np.float64]
    axis: int


def filter_of(importer: Importer, node: Any, place: int, axis: int) -> Filter:
    """The filter that is input `place` of `node`, its output channels along `axis`; raises Refusal."""
    found = importer.constant(node, place)
    if not isinstance(found, QuantConstant):
        why = "are float32" if found is not None else "are computed"
        raise importer.refusal(
            node,
            f"its weights {why}, expected int8 behind a DequantizeLinear",
            "quantise weights too, to symmetric int8",
        )
    if found.values.dtype != np.int8:
        raise importer.refusal(node, f"weights of {found.values.dtype}, expected int8")
    if found.zero_points.any():
        raise importer.refusal(
            node,
            f"weights with zero point {int(found.zero_points[found.zero_points != 0][0])}",
            "quantise weights symmetrically",
        )
    if found.per_channel and found.axis != axis:
        raise importer.refusal(
            node,
            f"weights have a scale for each index of dimension {found.axis}, expected of dimension {axis}, the output channels",
        )
    scales = found.scales
    if (scales == 0).any():
        dead = scales == 0
        across = tuple(k for k in range(found.values.ndim) if k != axis)
        if (found.values != 0).any(axis=across)[dead].any() if found.per_channel else found.values.any():
            raise importer.refusal(node, "weights with scale 0")
        scales = np.where(dead, scales[~dead].min() if (~dead).any() else 1.0, scales)
    return Filter(found.values, scales, axis)


def bias_of(importer: Importer, node: Any, place: int, input_scale: float, scales: Array, count: int) -> Array:
    """int32 sums, (count,), in `input_scale * scales`: zeros where there is none."""
    found = importer.constant(node, place)
    if found is None:
        if len(node.input) > place and node.input[place]:
            raise importer.refusal(node, "its bias is computed, expected a constant")
        return np.zeros(count, np.int32)
    wanted = np.broadcast_to(np.float64(input_scale) * scales, (count,))
    if isinstance(found, QuantConstant):
        values = np.broadcast_to(found.values.reshape(-1), (count,)).astype(np.float64) - found.zero_points[0]
        ratio = np.broadcast_to(found.scales, (count,)) / wanted
        if found.values.dtype != np.int32 or np.abs(ratio - 1).max() > _SAME_SCALE:
            importer.note(node, "its bias has another scale than input times weights: requantised")
            values = np.round(values * ratio)
    else:
        values = np.round(np.broadcast_to(np.asarray(found, np.float64).reshape(-1), (count,)) / wanted)
    if not np.isfinite(values).all() or values.min() < _INT32[0] or values.max() > _INT32[1]:
        raise importer.refusal(node, "its bias does not fit into 32 bits at the scale of input times weights")
    sums: Array = values.astype(np.int32)
    return sums


def operands(
    importer: Importer, node: Any, found: Filter, bias: Array, input_scale: float, axis: int
) -> tuple[int, int]:
    """Filter and bias as constants; `axis` is where the output channels are in the filter as TFLite has it."""
    name = node.name or node.output[0]
    scales = found.scales.tolist()
    filters = importer.writer.constant(f"{name}/filter", found.values, scales, axis=axis)
    sums = importer.writer.constant(f"{name}/bias", bias, (np.float64(input_scale) * found.scales).tolist())
    return filters, sums
