"""What each channel of each tensor can be at least and at most, for any inputs of the model.

Most operators never fall while an input rises (or never rise), so the ends of what goes in give the ends of what comes out, with the
reference's own arithmetic. Where an operator has no rule here, or its sums could wrap, all values of its type are possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.model.codegen.fixed_point import quantize_multiplier, round_half_away
from mcu_harness.model.codegen.layer import Context, NoPlan
from mcu_harness.model.codegen.operators.arithmetic import HEADROOM_BITS, add_scaling
from mcu_harness.model.codegen.operators.lookup import TABLE, table_of
from mcu_harness.model.codegen.operators.mean import mean_multiplier
from mcu_harness.model.codegen.operators.pad import fill_value
from mcu_harness.model.codegen.quantization import activation_range, affine, product_scales
from mcu_harness.model.codegen.rounding import rounded_twice, wraps
from mcu_harness.model.graph import BYTE_RANGES, Graph, Layer, Tensor
from mcu_harness.model.operation import Operation, axis_of
from mcu_harness.model.operators.shapes import reduced_axes
from mcu_harness.model.simplify.products import OPERATORS, products_of

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_LIMITS = {**BYTE_RANGES, "int16": (-32768, 32767)}


@dataclass(frozen=True, slots=True)
class Span:
    """`least` and `most`, int64 [channels], are the ends of what the elements with that index along the last dimension can be."""

    least: Int64s
    most: Int64s

    @property
    def constant(self) -> Flags:
        """[channels]: whether the channel is the same value everywhere, always."""
        flags: Flags = self.least == self.most
        return flags

    def clipped(self, low: int, high: int) -> Span:
        return Span(np.clip(self.least, low, high), np.clip(self.most, low, high))

    def over(self, channels: int) -> Span:
        """The same for a tensor of `channels` channels that this one is broadcast to."""
        return self if len(self.least) == channels else whole(self, channels)


Spans = Mapping[int, Span]
Rule = Callable[[Layer, Context, Spans], Span]


def channels_of(tensor: Tensor) -> int:
    return tensor.shape[-1] if tensor.shape else 1


def whole(span: Span, channels: int) -> Span:
    """All channels of `span` as one, for each of `channels`."""
    return Span(np.full(channels, span.least.min()), np.full(channels, span.most.max()))


def spans_of(graph: Graph) -> dict[int, Span]:
    """By tensor index, for every tensor of quantised values that the layers read or write."""
    spans: dict[int, Span] = {}
    used = {
        *graph.inputs,
        *(index for layer in graph.layers for index in (*layer.inputs, *layer.outputs) if index >= 0),
    }
    for index in used:
        tensor = graph.tensors[index]
        if tensor.dtype in _LIMITS and tensor.elements:
            spans[index] = _of_constant(tensor) if tensor.data is not None else _anything(tensor)
    for layer in graph.layers:
        rule = _table if TABLE in layer.attributes else RULES.get(layer.operator)
        quantised = all(index in spans for index in (*layer.inputs[:1], *layer.outputs))
        if rule is None or not quantised or len(layer.outputs) != 1 or graph.tensors[layer.outputs[0]].is_state:
            continue
        try:
            found = rule(layer, Context(graph, layer, NoPlan()), spans)
        except (ModelError, ValueError):
            continue  # an operator with numbers that cannot be turned into C: whoever tries says why
        spans[layer.outputs[0]] = found.clipped(*_LIMITS[graph.tensors[layer.outputs[0]].dtype])
    return spans


def _anything(tensor: Tensor) -> Span:
    low, high = _LIMITS[tensor.dtype]
    return Span(np.full(channels_of(tensor), low, np.int64), np.full(channels_of(tensor), high, np.int64))


def _of_constant(tensor: Tensor) -> Span:
    assert tensor.data is not None
    rows = tensor.data.reshape(-1, channels_of(tensor)).astype(np.int64)
    return Span(rows.min(axis=0), rows.max(axis=0))


class _Unknown(ValueError):
    """Raised by a rule that cannot tell."""


def _products(layer: Layer, context: Context, spans: Spans) -> Span:
    products, span = products_of(layer, context), spans[layer.inputs[0]]
    if products.channels != len(span.least):
        span = whole(span, products.channels)
    result = context.tensor(layer.outputs[0])
    scales = product_scales(layer, context, len(products.weights))
    ends = np.stack(products.ends(span.least, span.most))
    if layer.operator == "FULLY_CONNECTED":
        reals = ends.astype(np.float64) * np.broadcast_to(np.array(scales), len(products.weights))
        if (np.abs(ends) >= 1 << 31).any() or (np.abs(reals) >= 1 << 31).any():
            raise _Unknown
        outputs = np.array([[round_half_away(value) for value in row] for row in reals.tolist()], np.int64)
    else:
        pairs = np.array([quantize_multiplier(scale) for scale in scales], np.int64)
        if wraps(ends, pairs[:, 1]):
            raise _Unknown
        outputs = rounded_twice(ends, pairs[:, 0], pairs[:, 1])
    return _finished(layer, result, outputs)


def _finished(layer: Layer, result: Tensor, outputs: Int64s) -> Span:
    """`outputs` [2, channels], without the zero point, as the layer's activation lets them through."""
    shifted = outputs + affine(layer, result).zero_point
    return Span(shifted[0], shifted[1]).clipped(*activation_range(layer, result))


def _offsets(layer: Layer, context: Context, spans: Spans, channels: int) -> list[Int64s]:
    """The ends of both operands of a binary layer, [2, channels] each, without their zero points."""
    found = []
    for index in layer.inputs:
        span, zero_point = spans[index].over(channels), affine(layer, context.tensor(index)).zero_point
        found.append(np.stack([span.least, span.most]) - zero_point)
    return found


def _sum(layer: Layer, context: Context, spans: Spans) -> Span:
    result = context.tensor(layer.outputs[0])
    first, second = _offsets(layer, context, spans, channels_of(result))
    scaling = add_scaling(layer, context)
    a, b = (rounded_twice(x << HEADROOM_BITS, *by) for x, by in zip((first, second), scaling, strict=False))
    sums = a - b[::-1] if layer.operator == "SUB" else a + b
    if wraps(sums, scaling[2][1]):
        raise _Unknown
    return _finished(layer, result, rounded_twice(sums, *scaling[2]))


def _product(layer: Layer, context: Context, spans: Spans) -> Span:
    result = context.tensor(layer.outputs[0])
    first, second = _offsets(layer, context, spans, channels_of(result))
    corners = np.stack([x * y for x in first for y in second])
    scales = [np.float32(affine(layer, context.tensor(index)).scale) for index in (*layer.inputs, result.index)]
    multiplier, shift = quantize_multiplier(float(scales[0] * scales[1] / scales[2]))
    if wraps(corners, shift):
        raise _Unknown
    ends = np.stack([corners.min(axis=0), corners.max(axis=0)])
    return _finished(layer, result, rounded_twice(ends, multiplier, shift))


def _extremum(layer: Layer, context: Context, spans: Spans) -> Span:
    channels = channels_of(context.tensor(layer.outputs[0]))
    first, second = (spans[index].over(channels) for index in layer.inputs)
    pick = np.maximum if layer.operator == "MAXIMUM" else np.minimum
    return Span(pick(first.least, second.least), pick(first.most, second.most))


def _table(layer: Layer, context: Context, spans: Spans) -> Span:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    if source.dtype not in BYTE_RANGES or result.dtype not in BYTE_RANGES:
        raise _Unknown
    kinds = ((affine(layer, source), source.dtype), (affine(layer, result), result.dtype))
    stored = table_of(layer.operator, *kinds, tuple(sorted(layer.attributes.items())))
    low, high = BYTE_RANGES[source.dtype]
    outputs = stored[np.arange(low, high + 1) & 255].view(result.dtype).astype(np.int64)
    span = spans[source.index]
    parts = [outputs[a - low : b - low + 1] for a, b in zip(span.least.tolist(), span.most.tolist(), strict=True)]
    return Span(np.array([part.min() for part in parts]), np.array([part.max() for part in parts]))


def _pool(layer: Layer, context: Context, spans: Spans) -> Span:
    return spans[layer.inputs[0]].clipped(*activation_range(layer, context.tensor(layer.outputs[0])))


def _mean(layer: Layer, context: Context, spans: Spans) -> Span:
    source, result = context.tensor(layer.inputs[0]), context.tensor(layer.outputs[0])
    axes = reduced_axes(Operation.of(context.graph, layer))
    span = spans[source.index]
    if len(source.shape) - 1 in axes:
        span = whole(span, channels_of(result))
    elements = int(np.prod([source.shape[axis] for axis in axes], dtype=np.int64))
    incoming, outgoing = affine(layer, source), affine(layer, result)
    multiplier, shift = mean_multiplier(incoming.scale / outgoing.scale, elements)
    sums = (np.stack([span.least, span.most]) - incoming.zero_point) * elements
    if wraps(sums, shift):
        raise _Unknown
    ends = rounded_twice(sums, multiplier, shift) + outgoing.zero_point
    return Span(ends[0], ends[1])


def _reshape(layer: Layer, context: Context, spans: Spans) -> Span:
    span, channels = spans[layer.inputs[0]], channels_of(context.tensor(layer.outputs[0]))
    if channels % len(span.least):
        return whole(span, channels)
    times = channels // len(span.least)
    return Span(np.tile(span.least, times), np.tile(span.most, times))


def _pad(layer: Layer, context: Context, spans: Spans) -> Span:
    span, value = spans[layer.inputs[0]], fill_value(layer, context)
    paddings = Operation.of(context.graph, layer).indices(1)
    if any(paddings[:-2]):
        span = Span(np.minimum(span.least, value), np.maximum(span.most, value))
    before, after = (np.full(count, value, np.int64) for count in paddings[-2:])
    return Span(np.concatenate([before, span.least, after]), np.concatenate([before, span.most, after]))


def _concatenation(layer: Layer, context: Context, spans: Spans) -> Span:
    parts, rank = [spans[index] for index in layer.inputs], len(context.tensor(layer.outputs[0]).shape)
    if axis_of(int(layer.attributes["axis"]), rank) == rank - 1:  # type: ignore[arg-type]
        return Span(np.concatenate([x.least for x in parts]), np.concatenate([x.most for x in parts]))
    return Span(np.min([x.least for x in parts], axis=0), np.max([x.most for x in parts], axis=0))


def _same(layer: Layer, context: Context, spans: Spans) -> Span:
    del context
    return spans[layer.inputs[0]]


LOOKUPS = (
    *("RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "QUANTIZE", "RELU_N1_TO_1", "RELU_0_TO_1"),
    *("ABS", "NEG", "RSQRT", "EXP", "LOG", "GELU"),
)
RULES: dict[str, Rule] = {
    **dict.fromkeys(OPERATORS, _products),
    **dict.fromkeys(("ADD", "SUB"), _sum),
    "MUL": _product,
    **dict.fromkeys(("MAXIMUM", "MINIMUM"), _extremum),
    **dict.fromkeys(LOOKUPS, _table),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D"), _pool),
    "MEAN": _mean,
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _reshape),
    **dict.fromkeys(("PAD", "PADV2"), _pad),
    "CONCATENATION": _concatenation,
    "RESIZE_NEAREST_NEIGHBOR": _same,
}
