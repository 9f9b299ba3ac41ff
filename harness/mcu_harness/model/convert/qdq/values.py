"""What flows between nodes: quantised activations, each in one or several layouts, and constants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mcu_harness.model.convert.qdq.layouts import Order, laid_out, plain, reshaped, same_bytes, transposed
from mcu_harness.model.convert.tflite_writer import TfliteWriter

Array = npt.NDArray[Any]
_SAME_SCALE = 1e-6  # scales closer than that, relatively, are one


@dataclass(frozen=True, slots=True)
class Quant:
    """real = scale * (q - zero_point), q in -128 to 127."""

    scale: float
    zero_point: int

    @property
    def low(self) -> float:
        return self.scale * (-128 - self.zero_point)

    @property
    def high(self) -> float:
        return self.scale * (127 - self.zero_point)

    def same(self, other: Quant) -> bool:
        return math.isclose(self.scale, other.scale, rel_tol=_SAME_SCALE) and self.zero_point == other.zero_point

    def of(self, real: Array) -> Array:
        """int8 values nearest to `real`."""
        steps = np.round(np.asarray(real, np.float64) / self.scale) + self.zero_point
        return np.clip(steps, -128, 127).astype(np.int8)


@dataclass(frozen=True, slots=True)
class QuantConstant:
    """An integer constant behind a DequantizeLinear. One scale, or one for each index along `axis`."""

    values: Array
    scales: npt.NDArray[np.float64]
    zero_points: npt.NDArray[np.int64]
    axis: int

    @property
    def per_channel(self) -> bool:
        return len(self.scales) > 1

    def real(self) -> npt.NDArray[np.float64]:
        shape = [1] * self.values.ndim
        if self.per_channel:
            shape[self.axis] = -1
        points, scales = self.zero_points.reshape(shape or (-1,)), self.scales.reshape(shape or (-1,))
        real: npt.NDArray[np.float64] = ((self.values.astype(np.float64) - points) * scales).reshape(self.values.shape)
        return real

    def transposed(self, axes: Sequence[int]) -> QuantConstant:
        axis = list(axes).index(self.axis) if self.per_channel else 0
        return QuantConstant(self.values.transpose(axes), self.scales, self.zero_points, axis)


@dataclass(slots=True)
class Value:
    """An activation. `shape` and the keys of `forms` are in terms of the original; `forms` has the tensor in each order.

    `shuffled` is (tensor, positions): the elements in another sequence, element k being element positions[k] of the
    last dimension of the original; for readers that can reorder their weights instead. `fixed`: the scale is what
    TFLite's operator always has, in place of the model's own.
    """

    name: str
    shape: tuple[int, ...]
    quant: Quant
    forms: dict[Order, int] = field(default_factory=dict)
    shuffled: tuple[int, Array] | None = None
    fixed: bool = False

    @property
    def native(self) -> Order:
        """The order that it was made in."""
        return next(iter(self.forms))

    @property
    def tensor(self) -> int:
        return self.forms[self.native]


class Mover:
    """Brings values into other layouts and shapes, with as few operators as that takes."""

    def __init__(self, writer: TfliteWriter) -> None:
        self.writer = writer

    def get(self, value: Value, order: Order) -> int:
        """The tensor that holds `value` in `order`."""
        if order not in value.forms:
            native = value.native
            if same_bytes(value.shape, native, order):
                tensor = self.reshape(value.tensor, laid_out(value.shape, order), value)
            else:
                axes = [native.index(axis) for axis in order]
                tensor = self._new(f"{value.name}/transposed", laid_out(value.shape, order), value.quant)
                self.writer.operator(
                    "TRANSPOSE", [value.tensor, self.writer.indices(f"{value.name}/order", axes)], [tensor]
                )
            value.forms[order] = tensor
        return value.forms[order]

    def plain(self, value: Value) -> int:
        return self.get(value, plain(len(value.shape)))

    def transposed(self, value: Value, axes: Sequence[int], name: str) -> Value:
        """Transposing moves nothing: every form stays, under another order."""
        shape = tuple(value.shape[axis] for axis in axes)
        forms = {transposed(order, axes): tensor for order, tensor in value.forms.items()}
        return Value(name, shape, value.quant, forms, fixed=value.fixed)

    def reshaped(self, value: Value, shape: Sequence[int], name: str) -> Value:
        """`value` with another shape of as many elements."""
        target = tuple(map(int, shape))
        result = Value(name, target, value.quant, fixed=value.fixed)
        for order, tensor in value.forms.items():
            found = reshaped(value.shape, target, order)
            if found is not None and found not in result.forms:
                result.forms[found] = self.reshape(tensor, laid_out(target, found), value)
        if result.forms:
            if len(value.shape) == len(target) and value.shuffled is not None and value.shape == target:
                result.shuffled = value.shuffled
            return result
        result.forms[plain(len(target))] = self.reshape(self.plain(value), target, value)
        order = value.native
        if len(target) == 2 and order[0] == 0 and target[0] == value.shape[0]:
            positions = np.arange(target[1]).reshape(value.shape[1:]).transpose([axis - 1 for axis in order[1:]])
            result.shuffled = (self.reshape(value.tensor, target, value), positions.reshape(-1))
        return result

    def reshape(self, tensor: int, shape: Sequence[int], value: Value) -> int:
        """`tensor` as `shape`: itself, what it was before its own RESHAPE, or behind a new one."""
        target = tuple(map(int, shape))
        if self.writer.shape(tensor) == target:
            return tensor
        source = self.writer.reshaped_from(tensor)
        if source is not None:
            tensor = source
            if self.writer.shape(tensor) == target:
                return tensor
        result = self._new(f"{value.name}/reshaped", target, value.quant)
        sizes = self.writer.indices(f"{value.name}/shape", target)
        self.writer.operator("RESHAPE", [tensor, sizes], [result], newShape=np.array(target, np.int32))
        return result

    def flattened(self, tensor: int, shape: Sequence[int], name: str, quant: Quant) -> int:
        """`tensor`, which an operator is still to write, behind a RESHAPE to `shape` that is called `name`."""
        result = self._new(name, shape, quant)
        sizes = self.writer.indices(f"{name}/shape", list(shape))
        self.writer.later("RESHAPE", [tensor, sizes], [result], newShape=np.array(shape, np.int32))
        return result

    def requantised(self, value: Value, quant: Quant, name: str) -> Value:
        """`value` with another scale or zero point, behind a QUANTIZE where it has not that already."""
        if value.quant.same(quant):
            return value
        result = Value(name, value.shape, quant)
        tensor = self._new(name, self.writer.shape(value.tensor), quant)
        self.writer.operator("QUANTIZE", [value.tensor], [tensor])
        result.forms[value.native] = tensor
        return result

    def _new(self, name: str, shape: Sequence[int], quant: Quant) -> int:
        return self.writer.activation(name, shape, quant.scale, quant.zero_point)
