"""A layer with its operands looked up: what shape rules, checks and code generation work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mcu_harness.model.graph import Attribute, Graph, Layer, Tensor

Shape = tuple[int, ...]
View = npt.NDArray[np.generic]


# The padding of a window that simplification has moved: `pad_h` and `pad_w` say what lies before the image, its output's size the rest.
EXPLICIT = "EXPLICIT"


class ShapeError(ValueError):
    """The operands do not fit together; the message says how, without naming the layer."""


def axis_of(axis: int, rank: int) -> int:
    """`axis`, which may count from the end, as 0 to rank - 1; raises ShapeError."""
    if not -rank <= axis < rank:
        raise ShapeError(f"axis {axis} is outside a tensor of {rank} dimensions")
    return axis % rank


def padding_before(attributes: Mapping[str, Attribute], letter: str, lacking: int) -> int:
    """Positions before the image that a window along "h" or "w" begins at, where the image lacks `lacking` in all (kernels/padding.h)."""
    if attributes.get("padding") == EXPLICIT:
        return int(attributes[f"pad_{letter}"])  # type: ignore[arg-type]
    return max(lacking, 0) // 2


@dataclass(frozen=True, slots=True)
class Operation:
    """A layer with its operands looked up; absent optional inputs are None."""

    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    attributes: dict[str, Attribute]

    @classmethod
    def of(cls, graph: Graph, layer: Layer) -> Operation:
        return cls.among(graph.tensors, layer)

    @classmethod
    def among(cls, tensors: Sequence[Tensor], layer: Layer) -> Operation:
        inputs = tuple(None if index < 0 else tensors[index] for index in layer.inputs)
        return cls(inputs, tuple(tensors[index] for index in layer.outputs), layer.attributes)

    def operand(self, position: int) -> Tensor:
        """Input number `position`, which must be there."""
        tensor = self.inputs[position] if position < len(self.inputs) else None
        if tensor is None:
            raise ShapeError(f"input {position} is missing")
        return tensor

    def shape(self, position: int = 0) -> Shape:
        return self.operand(position).shape

    def indices(self, position: int) -> Shape:
        """The integers in constant input number `position`, flattened."""
        data = self.operand(position).data
        if data is None:
            raise ShapeError(f"input {position} is not constant")
        return tuple(int(value) for value in data.reshape(-1))

    def number(self, name: str) -> int:
        return int(self.attributes[name])  # type: ignore[arg-type]
