"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED in one form: outputs that sum up products of input channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.layer import Context
from mcu_harness.model.codegen.operators.filters import filters_of
from mcu_harness.model.codegen.operators.fully_connected import filters_of as dense_filters_of
from mcu_harness.model.codegen.quantization import affine
from mcu_harness.model.codegen.sliding_windows import Axis, window_of
from mcu_harness.model.graph import Layer

Int64s = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MOST_AT_A_TIME = 1 << 20  # products in 64 bits, so that a large layer costs no memory
OPERATORS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})


@dataclass(frozen=True, slots=True)
class Products:
    """`weights` is int8 [outputs, taps]. `channel` [taps] is the input channel that a tap reads; with `multiplier` m > 0 (depthwise)
    output o reads channel o // m alone. `outside` [taps] tells which taps may lie in the padding, where inputs are `zero_point`.
    """

    weights: npt.NDArray[np.int8]
    channel: Int64s
    outside: Flags
    multiplier: int
    channels: int
    zero_point: int
    bias: Int64s

    def ends(self, least: Int64s, most: Int64s) -> tuple[Int64s, Int64s]:
        """Least and greatest sum of each output, for inputs of channel c in [least[c], most[c]]."""
        low, high = least - self.zero_point, most - self.zero_point
        sums = np.zeros((2, len(self.weights)), np.int64)
        for rows in self._slices():
            up = np.maximum(self.weights[rows], 0).astype(np.int64)
            down = self.weights[rows] - up
            for end, (upper, lower) in enumerate(((low, high), (high, low))):
                sums[end, rows] = (up * self._at_taps(upper, end, rows)).sum(axis=1)
                sums[end, rows] += (down * self._at_taps(lower, 1 - end, rows)).sum(axis=1)
        return sums[0] + self.bias, sums[1] + self.bias

    def _at_taps(self, values: Int64s, end: int, rows: slice) -> Int64s:
        """`values` by channel as what the taps of these outputs can meet at least (end 0) or at most (end 1)."""
        padded = np.minimum(values, 0) if end == 0 else np.maximum(values, 0)
        if self.multiplier:
            channel = np.arange(len(self.weights))[rows] // self.multiplier
            return np.where(self.outside[None, :], padded[channel][:, None], values[channel][:, None])
        return np.where(self.outside, padded[self.channel], values[self.channel])[None, :]

    def reads(self, *, outside: bool = False) -> Flags:
        """[outputs, channels]: whether the output has a weight for the channel, of taps in the padding only where `outside`.

        Of a depthwise layer [outputs, 1]: for the one channel that it reads.
        """
        if self.multiplier:
            return np.asarray(self.weights[:, self.outside | (not outside)].any(axis=1))[:, None]
        taps = self.weights.reshape(len(self.weights), -1, self.channels)
        if outside:
            taps = taps[:, self.outside.reshape(-1, self.channels)[:, 0]]
        return np.asarray(taps.any(axis=1))

    def added(self, values: Int64s) -> Int64s:
        """What inputs of `values` [channels] add to each output's sum, beyond what the zero point does."""
        offsets = values - self.zero_point
        sums = np.zeros(len(self.weights), np.int64)
        for rows in self._slices():
            weights = self.weights[rows].astype(np.int64)
            if self.multiplier:
                sums[rows] = weights.sum(axis=1) * offsets[np.arange(len(self.weights))[rows] // self.multiplier]
            else:
                sums[rows] = weights @ offsets[self.channel]
        return sums

    def _slices(self) -> list[slice]:
        step = max(1, _MOST_AT_A_TIME // max(self.weights.shape[1], 1))
        return [slice(start, start + step) for start in range(0, len(self.weights), step)]


def products_of(layer: Layer, context: Context) -> Products:
    """Raises ModelError for what cannot be turned into C either."""
    source = context.tensor(layer.inputs[0])
    channels = source.shape[-1] if source.shape else 1
    if layer.operator == "FULLY_CONNECTED":
        weights, multiplier = dense_filters_of(layer, context), 0
        if weights.shape[1] % channels:
            channels = 1  # rows of the filter do not begin where pixels do: its channels are not told apart
        outside = np.zeros(weights.shape[1], bool)
    else:
        filters = filters_of(layer, context)
        window = window_of(layer, source, context.tensor(layer.outputs[0]), filters.size)
        rows, columns = _outside(window.height), _outside(window.width)
        weights, multiplier = filters.values, filters.multiplier
        outside = np.repeat((rows[:, None] | columns[None, :]).reshape(-1), 1 if multiplier else channels)
    return Products(
        weights=weights,
        channel=np.arange(weights.shape[1], dtype=np.int64) % channels,
        outside=outside,
        multiplier=multiplier,
        channels=channels,
        zero_point=affine(layer, source).zero_point,
        bias=_bias(layer, context, len(weights)),
    )


def _outside(axis: Axis) -> Flags:
    """[kernel]: whether the tap reads beyond the input at some output position."""
    taps = np.arange(axis.kernel) * axis.dilation - axis.padding
    last: Flags = taps + (axis.out - 1) * axis.stride >= axis.size
    return last | (taps < 0)


def _bias(layer: Layer, context: Context, outputs: int) -> Int64s:
    data = context.tensor(layer.inputs[2]).data if len(layer.inputs) > 2 and layer.inputs[2] >= 0 else None
    return np.zeros(outputs, np.int64) if data is None else data.reshape(-1).astype(np.int64)
