"""A quantised neural network as plain data: tensors, layers, their order. Knows no file format and no C."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mcu_harness.scenario.custom_operators import CustomOperator

DTYPE_BYTES = {"int8": 1, "uint8": 1, "int16": 2, "int32": 4, "int64": 8, "float32": 4, "bool": 1}

# Smallest and largest value of the quantised activation types.
BYTE_RANGES = {"int8": (-128, 127), "uint8": (0, 255)}
RANGES = {**BYTE_RANGES, "int16": (-32768, 32767)}

Attribute = int | float | str | bool | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quantization:
    """real = scale[c] * (q - zero_point[c]); one entry each (per tensor) or one per index along `axis`."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0

    @property
    def per_channel(self) -> bool:
        return len(self.scales) > 1


@dataclass(frozen=True, slots=True)
class Channels:
    """`kept` are the indices along the last dimension of a tensor of the model, out of `total`, that are computed."""

    kept: tuple[int, ...]
    total: int

    @property
    def removed(self) -> tuple[int, ...]:
        return tuple(sorted({*range(self.total)}.difference(self.kept)))


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor. `data` is set for constants (weights, biases, shapes), in row-major order. `initial` is set for states, which
    keep their value from one inference to the next: what they hold before the first.

    `channels` says which channels of the model's tensor this one has, where simplification has taken some out; None: it has all.

    Activations are NHWC, convolution filters OHWI, depthwise filters 1HW(C*multiplier), dense filters [out, in],
    all as TFLite stores them. `is_made`: the model file has no such tensor. `name` is untrusted text from the model file: for people only.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None = None
    data: npt.NDArray[np.generic] | None = field(default=None, compare=False, repr=False)
    initial: npt.NDArray[np.generic] | None = field(default=None, compare=False, repr=False)
    is_made: bool = False
    channels: Channels | None = None

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.elements * DTYPE_BYTES[self.dtype]

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def is_state(self) -> bool:
        return self.initial is not None


@dataclass(frozen=True, slots=True)
class Layer:
    """One operator instance. `inputs` may hold -1 for an optional tensor that is absent (no bias).

    `index` counts the layers that run. `operator` is the TFLite name ("CONV_2D"); `attributes` hold its options under their TFLite names in
    snake_case (stride_h, stride_w, dilation_h_factor, dilation_w_factor, padding ("SAME"/"VALID"),
    fused_activation ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"), depth_multiplier, axis, alpha, beta, keep_dims, ...).
    """

    index: int
    operator: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: dict[str, Attribute] = field(default_factory=dict)
    macs: int = 0
    number: int = -1  # of the operator in the model file, where layers that fold away count too; -1: made here
    spared_macs: int = 0  # that the model has here beside `macs`, and that are not computed
    merged: tuple[str, ...] = ()  # `place` of layers of the model that this one computes too

    @property
    def name(self) -> str:
        """A name that is safe everywhere: "03 CONV_2D"; comes from no file."""
        return f"{self.index:02d} {self.operator}"

    @property
    def place(self) -> str:
        """How messages name it: "layer 05 CONV_2D", counted as other tools count the file's operators."""
        return f"layer {self.index if self.number < 0 else self.number:02d} {self.operator}"

    @property
    def symbol(self) -> str:
        """The C function the generator emits for it; its constants are `<symbol>_filter` and so on."""
        return f"mcu_layer_{self.index:02d}_{self.operator.lower()}"


@dataclass(frozen=True, slots=True)
class Repair:
    """`content` belongs at byte `position` of the model file, where the file has something that the importer corrected."""

    position: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole model: `tensors[i].index == i`, `layers` in execution order, `inputs`/`outputs` tensor indices.

    Tensors that nothing uses are of dtype "unused". `repairs` are for the oracle, so that it reads what the importer read.
    """

    name: str
    tensors: tuple[Tensor, ...]
    layers: tuple[Layer, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    digest: str  # sha256 of the model file
    file_bytes: int
    source: str = ""  # the model file, for messages
    repairs: tuple[Repair, ...] = ()
    removed: tuple[
        Layer, ...
    ] = ()  # layers of the model that are not computed, because nothing depends on their inputs
    custom: tuple[CustomOperator, ...] = ()  # that the user gives C for

    @property
    def states(self) -> tuple[Tensor, ...]:
        """Tensors that keep their value between inferences: the order of inputs matters then."""
        return tuple(tensor for tensor in self.tensors if tensor.is_state)

    def custom_operator(self, layer: Layer) -> CustomOperator:
        """What the user says of a layer that is CUSTOM."""
        return next(each for each in self.custom if each.name == layer.attributes["custom_code"])

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    @property
    def readers(self) -> dict[int, tuple[int, ...]]:
        """By tensor that is read, the indices of the layers that do; each once."""
        found: dict[int, list[int]] = {}
        for layer in self.layers:
            for index in {*layer.inputs}:
                found.setdefault(index, []).append(layer.index)
        return {index: tuple(layers) for index, layers in found.items()}

    @property
    def spared_macs(self) -> int:
        """Of the model, beside `macs`: what simplification has taken out."""
        return sum(layer.spared_macs for layer in self.layers) + sum(layer.macs for layer in self.removed)
