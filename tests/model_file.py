"""Writes .tflite files from tensors and operators as they are, right or wrong, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

DTYPES = {
    "resource": 13,
    "float32": 0,
    "int32": 2,
    "uint8": 3,
    "int64": 4,
    "bool": 6,
    "int16": 7,
    "int8": 9,
    "int4": 17,
}
ACTIVATIONS = {"NONE": 0, "RELU": 1, "RELU_N1_TO_1": 2, "RELU6": 3, "TANH": 4}
PADDINGS = {"SAME": 0, "VALID": 1}

# The operator's version that TensorFlow's converter writes for int8, and the name of its options table ("" for none).
OPERATORS: dict[str, tuple[int, str]] = {
    "CONV_2D": (3, "Conv2DOptions"),
    "DEPTHWISE_CONV_2D": (3, "DepthwiseConv2DOptions"),
    "FULLY_CONNECTED": (4, "FullyConnectedOptions"),
    "ADD": (2, "AddOptions"),
    "SUB": (2, "SubOptions"),
    "MUL": (2, "MulOptions"),
    "AVERAGE_POOL_2D": (2, "Pool2DOptions"),
    "MAX_POOL_2D": (2, "Pool2DOptions"),
    "RESHAPE": (1, "ReshapeOptions"),
    "SOFTMAX": (2, "SoftmaxOptions"),
    "MEAN": (2, "ReducerOptions"),
    "PAD": (2, "PadOptions"),
    "PADV2": (2, "PadV2Options"),
    "CONCATENATION": (2, "ConcatenationOptions"),
    "SQUEEZE": (1, "SqueezeOptions"),
    "EXPAND_DIMS": (1, "ExpandDimsOptions"),
    "RELU": (2, ""),
    "RELU6": (2, ""),
    "LEAKY_RELU": (2, "LeakyReluOptions"),
    "LOGISTIC": (2, ""),
    "TANH": (2, ""),
    "HARD_SWISH": (1, "HardSwishOptions"),
    "QUANTIZE": (1, "QuantizeOptions"),
    "DEQUANTIZE": (2, "DequantizeOptions"),
    "TRANSPOSE": (2, "TransposeOptions"),
    "STRIDED_SLICE": (2, "StridedSliceOptions"),
    "SPLIT": (2, "SplitOptions"),
    "RESIZE_NEAREST_NEIGHBOR": (3, "ResizeNearestNeighborOptions"),
    "SHAPE": (1, "ShapeOptions"),
    "PACK": (2, "PackOptions"),
    "UNPACK": (2, "UnpackOptions"),
    "SLICE": (2, "SliceOptions"),
    "SPLIT_V": (2, "SplitVOptions"),
    "GATHER": (2, "GatherOptions"),
    "TILE": (1, "TileOptions"),
    "BROADCAST_TO": (2, "BroadcastToOptions"),
    "DEPTH_TO_SPACE": (1, "DepthToSpaceOptions"),
    "SPACE_TO_DEPTH": (2, "SpaceToDepthOptions"),
    "BATCH_TO_SPACE_ND": (2, "BatchToSpaceNDOptions"),
    "SPACE_TO_BATCH_ND": (2, "SpaceToBatchNDOptions"),
    "REVERSE_V2": (1, "ReverseV2Options"),
    "MIRROR_PAD": (2, "MirrorPadOptions"),
    "MAXIMUM": (2, "MaximumMinimumOptions"),
    "MINIMUM": (2, "MaximumMinimumOptions"),
    "REDUCE_MAX": (2, "ReducerOptions"),
    "REDUCE_MIN": (2, "ReducerOptions"),
    "SUM": (2, "ReducerOptions"),
    "REDUCE_ANY": (1, "ReducerOptions"),
    "REDUCE_ALL": (1, "ReducerOptions"),
    "GATHER_ND": (1, "GatherNdOptions"),
    "FLOOR_DIV": (1, "FloorDivOptions"),
    "FLOOR_MOD": (1, "FloorModOptions"),
    "RESIZE_BILINEAR": (3, "ResizeBilinearOptions"),
    "TRANSPOSE_CONV": (3, "TransposeConvOptions"),
    "BATCH_MATMUL": (2, "BatchMatMulOptions"),
    "GELU": (2, "GeluOptions"),
    "ABS": (2, "AbsOptions"),
    "NEG": (1, "NegOptions"),
    "SQRT": (2, ""),
    "RSQRT": (2, ""),
    "LOG": (2, ""),
    "EXP": (2, "ExpOptions"),
    "ELU": (1, ""),
    "SQUARE": (1, "SquareOptions"),
    "SQUARED_DIFFERENCE": (2, "SquaredDifferenceOptions"),
    "PRELU": (1, ""),
    "LOG_SOFTMAX": (2, "LogSoftmaxOptions"),
    "L2_NORMALIZATION": (2, "L2NormOptions"),
    "ARG_MAX": (2, "ArgMaxOptions"),
    "ARG_MIN": (2, "ArgMinOptions"),
    "CAST": (1, "CastOptions"),
    "EQUAL": (2, "EqualOptions"),
    "NOT_EQUAL": (2, "NotEqualOptions"),
    "GREATER": (2, "GreaterOptions"),
    "GREATER_EQUAL": (2, "GreaterEqualOptions"),
    "LESS": (2, "LessOptions"),
    "LESS_EQUAL": (2, "LessEqualOptions"),
    "LOGICAL_AND": (1, "LogicalAndOptions"),
    "LOGICAL_OR": (1, "LogicalOrOptions"),
    "LOGICAL_NOT": (1, "LogicalNotOptions"),
    "SELECT": (2, "SelectOptions"),
    "SELECT_V2": (1, "SelectV2Options"),
    "DIV": (2, "DivOptions"),
    "EMBEDDING_LOOKUP": (1, ""),
    "FILL": (3, "FillOptions"),
    "RELU_N1_TO_1": (1, ""),
    "RELU_0_TO_1": (1, ""),
    "SVDF": (3, "SVDFOptions"),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (3, "UnidirectionalSequenceLSTMOptions"),
    "VAR_HANDLE": (1, "VarHandleOptions"),
    "READ_VARIABLE": (1, "ReadVariableOptions"),
    "ASSIGN_VARIABLE": (1, "AssignVariableOptions"),
    "CALL_ONCE": (1, "CallOnceOptions"),
}
_DEFAULTS: dict[str, float | int] = {
    "strideH": 1,
    "strideW": 1,
    "depthMultiplier": 1,
    "beta": 1.0,
    "filterHeight": 1,
    "filterWidth": 1,
}


@dataclass
class _Tensor:
    shape: tuple[int, ...]
    dtype: str
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int
    name: str
    data: npt.NDArray[np.generic] | None
    is_variable: bool = False


@dataclass
class _Operator:
    code: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, object]
    version: int
    intermediates: tuple[int, ...] = ()


@dataclass
class ModelFile:
    """One subgraph under construction; tensors are handles, their index in the model.

    `once` is a second subgraph, which gives the first subgraph's variables their first values.
    """

    seed: int = 0
    tensors: list[_Tensor] = field(default_factory=list)
    operators: list[_Operator] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    once: ModelFile | None = None

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def tensor(
        self,
        shape: Sequence[int],
        scale: float | Sequence[float] | None = 0.05,
        zero_point: int | Sequence[int] = 0,
        *,
        dtype: str = "int8",
        axis: int = 0,
        name: str = "",
        data: npt.NDArray[np.generic] | None = None,
    ) -> int:
        """Add a tensor that nothing writes yet; `scale=None` leaves it without quantisation. Returns its index."""
        scales = () if scale is None else tuple(np.atleast_1d(np.asarray(scale, np.float64)).tolist())
        points = () if scale is None else tuple(np.atleast_1d(np.asarray(zero_point, np.int64)).tolist())
        if len(points) == 1:
            points *= max(1, len(scales))
        index = len(self.tensors)
        self.tensors.append(_Tensor(tuple(shape), dtype, scales, points, axis, name or f"t{index}", data))
        return index

    def input(
        self, shape: Sequence[int], scale: float | None = 0.05, zero_point: int = -3, *, dtype: str = "int8"
    ) -> int:
        """Add a model input."""
        index = self.tensor(
            shape, scale if dtype not in ("float32", "int32", "bool") else None, zero_point, dtype=dtype
        )
        self.inputs.append(index)
        return index

    def constant(
        self,
        array: npt.ArrayLike,
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        *,
        dtype: str | None = None,
        axis: int = 0,
        name: str = "",
    ) -> int:
        """Add a constant; its type is `dtype`, else the array's own (Python integers become int32)."""
        data = np.asarray(array)
        if dtype is not None or (not isinstance(array, np.ndarray) and data.dtype == np.int64):
            data = data.astype(dtype or np.int32)
        return self.tensor(
            data.shape, scale, zero_point, dtype=str(data.dtype), axis=axis, name=name, data=np.ascontiguousarray(data)
        )

    def operator(
        self,
        code: str,
        inputs: Sequence[int],
        outputs: int | Sequence[int],
        *,
        version: int | None = None,
        intermediates: Sequence[int] = (),
        **options: object,
    ) -> int:
        """Add an operator that writes `outputs` (made by `tensor`); returns the first of them.

        Options have their TFLite names in snake_case; `padding` and `fused_activation` are names ("SAME", "RELU").
        """
        written = (outputs,) if isinstance(outputs, int) else tuple(outputs)
        known = OPERATORS[code][0] if code in OPERATORS else 1
        self.operators.append(_Operator(code, tuple(inputs), written, options, version or known, tuple(intermediates)))
        return written[0] if written else -1

    def variable(self, first: npt.NDArray[np.generic], scale: float | None = 0.05, zero_point: int = -3) -> int:
        """Add a resource variable that CALL_ONCE sets to `first`; returns its handle."""
        if self.once is None:
            self.once = ModelFile()
            self.operators.insert(0, _Operator("CALL_ONCE", (), (), {"init_subgraph_index": 1}, 1))
        name = f"variable {len(self.tensors)}"
        handles = []
        for file in (self.once, self):
            handles.append(file.tensor((), None, dtype="resource"))
            file.operator("VAR_HANDLE", [], handles[-1], container="", shared_name=name)
        value = self.once.constant(first, scale, zero_point)
        self.once.operator("ASSIGN_VARIABLE", [handles[0], value], ())
        return handles[1]

    def state(self, shape: Sequence[int], scale: float, zero_point: int = 0, *, dtype: str = "int8") -> int:
        """Add a variable tensor: one that operators like SVDF change and that keeps its value."""
        index = self.tensor(shape, scale, zero_point, dtype=dtype)
        self.tensors[index].is_variable = True
        return index

    def output(self, *tensors: int) -> None:
        """Make tensors model outputs."""
        self.outputs.extend(tensors)

    def shape(self, tensor: int) -> tuple[int, ...]:
        return self.tensors[tensor].shape

    def write(self, path: Path) -> Path:
        """Write the .tflite file and return `path`."""
        path.write_bytes(self.build())
        return path

    def build(self) -> bytes:
        """The .tflite file."""
        model = schema.ModelT()
        model.version = 3
        model.description = "built by a test"
        files = [self] if self.once is None else [self, self.once]
        codes = list(dict.fromkeys((op.code, op.version) for file in files for op in file.operators))
        model.operatorCodes = [_operator_code(code, version) for code, version in codes]
        model.buffers = [schema.BufferT()]
        model.subgraphs = [_subgraph(file, model.buffers, codes) for file in files]
        packer = flatbuffers.Builder(1024)
        packer.Finish(model.Pack(packer), b"TFL3")
        return bytes(packer.Output())


def _subgraph(file: ModelFile, buffers: list[schema.BufferT], codes: list[tuple[str, int]]) -> schema.SubGraphT:
    graph = schema.SubGraphT()
    graph.name = "main"
    graph.tensors = []
    for tensor in file.tensors:
        number = 0
        if tensor.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
            number = len(buffers)
            buffers.append(buffer)
        graph.tensors.append(_tensor(tensor, number))
    graph.inputs, graph.outputs = list(file.inputs), list(file.outputs)
    graph.operators = [_operator(op, codes.index((op.code, op.version))) for op in file.operators]
    return graph


def _operator_code(code: str, version: int) -> schema.OperatorCodeT:
    result = schema.OperatorCodeT()
    number = getattr(schema.BuiltinOperator, code, None)
    if number is None:
        number, result.customCode = schema.BuiltinOperator.CUSTOM, code
    result.builtinCode, result.deprecatedBuiltinCode = number, min(number, 127)
    result.version = version
    return result


def _tensor(tensor: _Tensor, buffer: int) -> schema.TensorT:
    result = schema.TensorT()
    result.shape = list(tensor.shape)
    result.type = DTYPES[tensor.dtype]
    result.buffer = buffer
    result.name = tensor.name
    result.hasRank = True
    result.isVariable = tensor.is_variable
    quantization = schema.QuantizationParametersT()
    if tensor.scales:
        quantization.scale, quantization.zeroPoint = list(tensor.scales), list(tensor.zero_points)
        quantization.quantizedDimension = tensor.axis
    result.quantization = quantization
    return result


def _operator(op: _Operator, code: int) -> schema.OperatorT:
    result = schema.OperatorT()
    result.opcodeIndex = code
    result.inputs, result.outputs = list(op.inputs), list(op.outputs)
    if op.intermediates:
        result.intermediates = list(op.intermediates)
    if "custom_options" in op.options:
        result.customOptions = list(op.options["custom_options"])  # type: ignore[call-overload]
    table = OPERATORS[op.code][1] if op.code in OPERATORS else ""
    if not table:
        return result
    options = getattr(schema, table + "T")()
    for name, value in {**{k: v for k, v in _DEFAULTS.items() if hasattr(options, k)}, **op.options}.items():
        attribute = "fusedActivationFunction" if name == "fused_activation" else _camel(name)
        if not hasattr(options, attribute) and attribute not in ("cellActivation", "svdfActivation"):
            raise AttributeError(f"{op.code} has no option {name}")
        if attribute == "fusedActivationFunction":
            value = ACTIVATIONS[str(value)]
        elif attribute in ("cellActivation", "svdfActivation"):
            attribute, value = "fusedActivationFunction", ACTIVATIONS[str(value)]
        elif attribute == "padding":
            value = PADDINGS[str(value)]
        elif attribute == "mode":
            value = schema.MirrorPadMode.REFLECT if value == "REFLECT" else schema.MirrorPadMode.SYMMETRIC
        setattr(options, attribute, value)
    result.builtinOptionsType = getattr(schema.BuiltinOptions, table)
    result.builtinOptions = options
    return result


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
