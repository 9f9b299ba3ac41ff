"""Writes .tflite files: tensors and operators as handles, dead ones left out, packed with the schema that LiteRT ships.

For workers: LiteRT's schema module is imported here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

Array = npt.NDArray[Any]

# The operator's version that TensorFlow's converter writes for int8, and the name of its options table ("" for none).
_OPERATORS: dict[str, tuple[int, str]] = {
    "ADD": (2, "AddOptions"),
    "AVERAGE_POOL_2D": (2, "Pool2DOptions"),
    "BATCH_MATMUL": (2, "BatchMatMulOptions"),
    "CONCATENATION": (2, "ConcatenationOptions"),
    "CONV_2D": (3, "Conv2DOptions"),
    "DEPTHWISE_CONV_2D": (3, "DepthwiseConv2DOptions"),
    "DEPTH_TO_SPACE": (2, "DepthToSpaceOptions"),
    "ELU": (1, ""),
    "FULLY_CONNECTED": (4, "FullyConnectedOptions"),
    "GATHER": (2, "GatherOptions"),
    "GELU": (2, "GeluOptions"),
    "HARD_SWISH": (1, "HardSwishOptions"),
    "LEAKY_RELU": (2, "LeakyReluOptions"),
    "LOGISTIC": (2, ""),
    "LOG_SOFTMAX": (2, "LogSoftmaxOptions"),
    "MAXIMUM": (2, "MaximumMinimumOptions"),
    "MAX_POOL_2D": (2, "Pool2DOptions"),
    "MEAN": (2, "ReducerOptions"),
    "MINIMUM": (2, "MaximumMinimumOptions"),
    "MIRROR_PAD": (2, "MirrorPadOptions"),
    "MUL": (2, "MulOptions"),
    "PAD": (2, "PadOptions"),
    "PADV2": (2, "PadV2Options"),
    "PRELU": (1, ""),
    "QUANTIZE": (1, "QuantizeOptions"),
    "REDUCE_MAX": (2, "ReducerOptions"),
    "REDUCE_MIN": (2, "ReducerOptions"),
    "RELU": (2, ""),
    "RELU6": (2, ""),
    "RELU_N1_TO_1": (1, ""),
    "RESHAPE": (1, "ReshapeOptions"),
    "RESIZE_BILINEAR": (3, "ResizeBilinearOptions"),
    "RESIZE_NEAREST_NEIGHBOR": (3, "ResizeNearestNeighborOptions"),
    "SOFTMAX": (2, "SoftmaxOptions"),
    "SPACE_TO_DEPTH": (2, "SpaceToDepthOptions"),
    "SPLIT": (2, "SplitOptions"),
    "STRIDED_SLICE": (2, "StridedSliceOptions"),
    "SUB": (2, "SubOptions"),
    "SUM": (2, "ReducerOptions"),
    "TANH": (2, ""),
    "TRANSPOSE": (2, "TransposeOptions"),
    "TRANSPOSE_CONV": (3, "TransposeConvOptions"),
}
_DTYPES = {"int8": schema.TensorType.INT8, "int32": schema.TensorType.INT32}
_ENUMS = {
    "padding": {"SAME": 0, "VALID": 1},
    "fusedActivationFunction": {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3},
    "mode": {"REFLECT": 0, "SYMMETRIC": 1},
}


@dataclass(slots=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    data: Array | None


@dataclass(slots=True)
class _Operator:
    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any]


class TfliteWriter:
    """A model under construction. Tensors are handles; -1 stands for an operand that is left out."""

    def __init__(self) -> None:
        self._tensors: list[_Tensor] = []
        self._operators: list[_Operator] = []
        self._names: set[str] = set()
        self._later: _Operator | None = None

    def activation(self, name: str, shape: Sequence[int], scale: float, zero_point: int) -> int:
        """An int8 tensor that an operator or the user writes."""
        return self._add(name, shape, "int8", (scale,), (zero_point,), 0, None)

    def constant(
        self, name: str, values: Array, scales: Sequence[float] = (), zero_points: Sequence[int] = (), axis: int = 0
    ) -> int:
        """An int8 or int32 constant; `axis` is the dimension along which there are several scales."""
        points = tuple(zero_points) or (0,) * len(scales)
        return self._add(name, values.shape, str(values.dtype), tuple(scales), points, axis, values)

    def indices(self, name: str, values: Sequence[Any]) -> int:
        """An int32 constant of positions, sizes or axes."""
        return self.constant(name, np.asarray(values, np.int32))

    def operator(self, code: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> None:
        """An operator; options have the schema's names, padding and activation theirs ("SAME", "RELU")."""
        self._operators.append(_Operator(code, tuple(inputs), tuple(outputs), options))
        if self._later is not None and set(self._later.inputs) & {*outputs}:
            self._operators.append(self._later)
            self._later = None

    def later(self, code: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> None:
        """An operator that comes right behind the next one, which writes what it reads."""
        self._later = _Operator(code, tuple(inputs), tuple(outputs), options)

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self._tensors[tensor].shape

    def name(self, tensor: int) -> str:
        return self._tensors[tensor].name

    def reshaped_from(self, tensor: int) -> int | None:
        """What a RESHAPE made `tensor` of, None where it is no RESHAPE's."""
        for operator in reversed(self._operators):
            if tensor in operator.outputs:
                return operator.inputs[0] if operator.code == "RESHAPE" else None
        return None

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file, with what `outputs` depend on and nothing else."""
        wanted = {*outputs}
        operators: list[_Operator] = []
        for operator in reversed(self._operators):
            if wanted.intersection(operator.outputs):
                wanted.update(operator.inputs, operator.outputs)
                operators.insert(0, operator)
        kept = sorted((wanted | {*inputs}) - {-1})
        place = {-1: -1, **{tensor: number for number, tensor in enumerate(kept)}}
        model = schema.ModelT()
        model.version, model.description = 3, "converted by mcu-harness"
        codes = list(dict.fromkeys((operator.code, self._version(operator)) for operator in operators))
        model.operatorCodes = [_operator_code(code, version) for code, version in codes]
        model.buffers = [schema.BufferT()]
        graph = schema.SubGraphT()
        graph.name = "main"
        graph.tensors = [self._packed(self._tensors[tensor], model.buffers) for tensor in kept]
        graph.inputs = np.array([place[tensor] for tensor in inputs], np.int32)
        graph.outputs = np.array([place[tensor] for tensor in outputs], np.int32)
        graph.operators = []
        for operator in operators:
            entry = schema.OperatorT()
            entry.opcodeIndex = codes.index((operator.code, self._version(operator)))
            entry.inputs = np.array([place[tensor] for tensor in operator.inputs], np.int32)
            entry.outputs = np.array([place[tensor] for tensor in operator.outputs], np.int32)
            entry.builtinOptions, entry.builtinOptionsType = _options(operator)
            graph.operators.append(entry)
        model.subgraphs = [graph]
        packer = flatbuffers.Builder(1024)
        packer.Finish(model.Pack(packer), b"TFL3")
        return bytes(packer.Output())

    def _add(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str,
        scales: tuple[float, ...],
        zero_points: tuple[int, ...],
        axis: int,
        data: Array | None,
    ) -> int:
        unique, number = name, 1
        while unique in self._names:
            number += 1
            unique = f"{name}_{number}"
        self._names.add(unique)
        self._tensors.append(_Tensor(unique, tuple(map(int, shape)), dtype, scales, zero_points, axis, data))
        return len(self._tensors) - 1

    def _version(self, operator: _Operator) -> int:
        version = _OPERATORS[operator.code][0]
        if operator.code == "FULLY_CONNECTED" and len(self._tensors[operator.inputs[1]].scales) > 1:
            return 12  # the first with a scale a channel
        return version

    def _packed(self, tensor: _Tensor, buffers: list[Any]) -> Any:
        packed = schema.TensorT()
        packed.name, packed.type = tensor.name, _DTYPES[tensor.dtype]
        packed.shape = np.array(tensor.shape, np.int32)
        if tensor.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(tensor.data).tobytes(), np.uint8)
            packed.buffer = len(buffers)
            buffers.append(buffer)
        if tensor.scales:
            packed.quantization = schema.QuantizationParametersT()
            packed.quantization.scale = np.array(tensor.scales, np.float32)
            packed.quantization.zeroPoint = np.array(tensor.zero_points, np.int64)
            packed.quantization.quantizedDimension = tensor.axis
        return packed


def _operator_code(code: str, version: int) -> Any:
    entry = schema.OperatorCodeT()
    entry.builtinCode = getattr(schema.BuiltinOperator, code)
    entry.deprecatedBuiltinCode = min(entry.builtinCode, 127)
    entry.version = version
    return entry


def _options(operator: _Operator) -> tuple[Any, int]:
    table = _OPERATORS[operator.code][1]
    if not table:
        return None, 0
    options = getattr(schema, table + "T")()
    for name, value in operator.options.items():
        assert hasattr(options, name), (operator.code, name)
        setattr(options, name, _ENUMS[name][value] if name in _ENUMS else value)
    return options, getattr(schema.BuiltinOptions, table)
