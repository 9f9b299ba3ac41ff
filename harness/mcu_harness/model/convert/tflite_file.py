"""A .tflite file taken apart for changes and put together again, with the schema that LiteRT ships. For workers."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from mcu_harness.model.convert.refusal import Refusal, first_line

Array = npt.NDArray[Any]

_DTYPES = {
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.FLOAT32: np.float32,
}
_TYPES: dict[Any, int] = {np.dtype(kind): number for number, kind in _DTYPES.items()}
_OPERATORS = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}


class TfliteFile:
    """The model in `content`. `graph` is its first subgraph, `tensors` those of it; both are schema objects."""

    def __init__(self, content: bytes) -> None:
        try:
            self.model = schema.ModelT.InitFromPackedBuf(content, 0)
            self.graph = self.model.subgraphs[0]
            self.tensors: list[Any] = list(self.graph.tensors)
        except (ValueError, TypeError, IndexError, AttributeError, OverflowError) as error:
            raise Refusal(f"damaged .tflite file: {first_line(error)}", "copy or convert the model again") from error

    def kind(self, operator: Any) -> str:
        """The name of an operator, as "CONV_2D"."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return str(_OPERATORS.get(max(code.builtinCode, code.deprecatedBuiltinCode), "CUSTOM"))

    def code(self, name: str, version: int) -> int:
        """The place of the code of operator `name`, which is added or raised to `version`."""
        number = getattr(schema.BuiltinOperator, name)
        for place, entry in enumerate(self.model.operatorCodes):
            if max(entry.builtinCode, entry.deprecatedBuiltinCode) == number:
                entry.version = max(entry.version, version)
                return place
        entry = schema.OperatorCodeT()
        entry.builtinCode, entry.deprecatedBuiltinCode, entry.version = number, min(number, 127), version
        self.model.operatorCodes.append(entry)
        return len(self.model.operatorCodes) - 1

    def constant(self, index: int) -> Array | None:
        """The numbers of tensor `index` in its shape, None where it is no constant. Numbers of 4 bits come as int8."""
        tensor = self.tensors[index]
        data = self.model.buffers[tensor.buffer].data
        if data is None or not len(data):
            return None
        content = np.asarray(data, np.uint8)
        shape = tuple(int(size) for size in tensor.shape) if tensor.shape is not None else ()
        try:
            if tensor.type == schema.TensorType.INT4:
                halves = np.stack([content & 15, content >> 4], axis=1).reshape(-1)[: int(np.prod(shape, initial=1))]
                return ((halves.astype(np.int8) ^ 8) - 8).astype(np.int8).reshape(shape)
            return content.view(_DTYPES[tensor.type]).reshape(shape)
        except (KeyError, ValueError) as error:
            raise Refusal(f"tensor {index}: its data does not fit its shape", "convert the model again") from error

    def scales(self, index: int) -> Array | None:
        """The scales of tensor `index`, shaped so that they multiply its numbers; None where it is not quantised."""
        return self._along(index, "scale", np.float64)

    def zero_points(self, index: int) -> Array:
        """As `scales`, 0 where none are given."""
        found = self._along(index, "zeroPoint", np.int64)
        return np.zeros(1, np.int64) if found is None else found

    def _along(self, index: int, name: str, dtype: Any) -> Array | None:
        tensor = self.tensors[index]
        values = None if tensor.quantization is None else getattr(tensor.quantization, name)
        if values is None or not len(values):
            return None
        array = np.asarray(values).astype(dtype)
        if len(array) == 1:
            return array
        shape = [1] * len(tensor.shape)
        shape[tensor.quantization.quantizedDimension] = len(array)
        return array.reshape(shape)

    def set_constant(self, tensor: Any, values: Array) -> None:
        """Give `tensor` the data of `values`, and its type; other tensors with its former data keep that."""
        self._set(tensor, _TYPES[values.dtype], np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8))

    def set_int4(self, tensor: Any, values: Array) -> None:
        """Give `tensor` numbers of -8 to 7, two in a byte, the first in its lower half."""
        flat = (values.reshape(-1).astype(np.int8) & 15).astype(np.uint8)
        pairs = np.append(flat, np.zeros(len(flat) % 2, np.uint8)).reshape(-1, 2)
        self._set(tensor, schema.TensorType.INT4, pairs[:, 0] | pairs[:, 1] << 4)

    def _set(self, tensor: Any, kind: int, data: Array) -> None:
        buffer = schema.BufferT()
        buffer.data = data
        tensor.type, tensor.buffer = kind, len(self.model.buffers)
        self.model.buffers.append(buffer)

    def add(self, tensor: Any) -> int:
        """Add `tensor` to the graph; its number."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def build(self) -> bytes:
        """The file; data that no tensor has any more, and codes of operators that are gone, are left out."""
        operators = [operator for graph in self.model.subgraphs for operator in graph.operators]
        codes = sorted({operator.opcodeIndex for operator in operators})
        self.model.operatorCodes = [self.model.operatorCodes[code] for code in codes]
        for operator in operators:
            operator.opcodeIndex = codes.index(operator.opcodeIndex)
        self.graph.tensors = self.tensors
        used = {tensor.buffer for graph in self.model.subgraphs for tensor in graph.tensors}
        used |= {entry.buffer for entry in self.model.metadata or []}
        for place, buffer in enumerate(self.model.buffers):
            if place not in used:
                buffer.data = None
        packer = flatbuffers.Builder(1024)
        packer.Finish(self.model.Pack(packer), b"TFL3")
        return bytes(packer.Output())
