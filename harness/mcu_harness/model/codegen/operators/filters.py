"""The filter of a convolution, whatever operator it stands in, and what every kernel set must know of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.model.codegen.layer import Context, unsupported
from mcu_harness.model.graph import Layer


@dataclass(frozen=True, slots=True)
class Filters:
    """`values` as [output channels, taps] int8, the window's size, and how many outputs an input channel has of its own.

    `multiplier` 0 means that every output reads all input channels.
    """

    values: npt.NDArray[np.int8]
    height: int
    width: int
    multiplier: int

    @property
    def size(self) -> tuple[int, int]:
        return self.height, self.width


def filters_of(layer: Layer, context: Context) -> Filters:
    """The filters of a CONV_2D or DEPTHWISE_CONV_2D.

    A depthwise convolution of one channel is an ordinary one. Raises ModelError.
    """
    stored = _stored(layer, context)
    channels = context.tensor(layer.inputs[0]).shape[3]
    if layer.operator == "CONV_2D":
        outputs, height, width, depth = stored.shape
        if depth != channels:
            raise unsupported(layer, f"its filter has {depth} input channels, its input more: groups are not supported")
        return Filters(stored.reshape(outputs, -1), height, width, 0)
    _, height, width, outputs = stored.shape
    values = np.ascontiguousarray(stored.reshape(-1, outputs).T)
    if channels == 1:
        return Filters(values, height, width, 0)
    if outputs % channels:
        raise unsupported(layer, f"{outputs} output channels are no multiple of {channels} input channels")
    return Filters(values, height, width, outputs // channels)


def _stored(layer: Layer, context: Context) -> npt.NDArray[np.int8]:
    tensor = context.tensor(layer.inputs[1])
    if tensor.data is None or tensor.dtype != "int8" or len(tensor.shape) != 4:
        raise unsupported(layer, f"filter {tensor.index} ({tensor.name!r}) must be constant int8 of four dimensions")
    return tensor.data.astype(np.int8).reshape(tensor.shape)
