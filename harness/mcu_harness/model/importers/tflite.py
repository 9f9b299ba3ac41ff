"""Reads .tflite files into a Graph. The file is untrusted: whatever is in it, the answer is a Graph or a ModelError.

Every vector that is read is paid for from a budget of the file's own size, so that overlapping or absurd offsets cost
neither time nor memory; constants are views of the file's bytes and cost nothing.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite
from tflite.utils import BUILTIN_OPCODE2NAME

from mcu_harness.base.errors import ModelError
from mcu_harness.model.checks import validate
from mcu_harness.model.fold import fold_constants
from mcu_harness.model.graph import DTYPE_BYTES, Attribute, Graph, Layer, Quantization, Tensor
from mcu_harness.model.importers.tflite_options import OPTIONS
from mcu_harness.model.macs import macs

MAX_FILE_BYTES = 1 << 28  # larger than any Cortex-M's flash by far
MAX_ENTRIES = 20_000  # tensors, layers: hundreds of times what such models have
_DTYPES = {
    getattr(tflite.TensorType, name.upper()): (name, np.dtype(code))
    for name, code in {
        "int8": "<i1", "uint8": "<u1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "float32": "<f4", "bool": "?",
    }.items()
}  # fmt: skip
# What the generated readers raise on garbage. Nothing else is caught: an error in our own code must stay one.
_GARBAGE = (struct.error, IndexError, ValueError, TypeError, OverflowError, MemoryError, UnicodeError)


def import_tflite(path: Path) -> Graph:
    """The model in `path`, validated: see harness/mcu_harness/model/checks.py for what is promised about it.

    Raises ModelError, naming file, layer, operator and tensor, for files that cannot be read, are damaged, or hold
    something that is not supported.
    """
    content = _content(path)
    try:
        graph = _Reader(content, str(path)).graph(path.stem)
    except _GARBAGE as error:
        raise _damaged(str(path), f"{type(error).__name__}: {error}") from error
    graph = fold_constants(graph)
    validate(graph, str(path))
    return replace(graph, layers=tuple(replace(layer, macs=macs(graph, layer)) for layer in graph.layers))


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelError(f"{path}: {path.stat().st_size} bytes, at most {MAX_FILE_BYTES} are read")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if content[4:8] != b"TFL3":
        raise ModelError(
            f"{path}: not a .tflite file (bytes 4 to 7 are {content[4:8]!r}, expected b'TFL3')",
            hint="convert the model with tf.lite.TFLiteConverter, full-integer quantisation",
        )
    return content


def _damaged(source: str, why: str) -> ModelError:
    return ModelError(f"{source}: damaged or truncated .tflite file: {why}", hint="copy or convert the model again")


class _Reader:
    """One pass over one file."""

    def __init__(self, content: bytes, source: str) -> None:
        self.content = content
        self.source = source
        self.model = tflite.Model.GetRootAs(content, 0)
        self.budget = 4 * len(content)

    def graph(self, name: str) -> Graph:
        if self._length(self.model.SubgraphsLength) != 1:
            raise ModelError(
                f"{self.source}: {self.model.SubgraphsLength()} subgraphs, expected one (no control flow, no second "
                "signature)",
                hint="convert one signature at a time",
            )
        subgraph = self._entry(self.model.Subgraphs, 0)
        if max(subgraph.TensorsLength(), subgraph.OperatorsLength()) > MAX_ENTRIES:
            raise ModelError(f"{self.source}: more than {MAX_ENTRIES} tensors or layers")
        tensors = tuple(self._tensor(subgraph, i) for i in range(self._length(subgraph.TensorsLength)))
        count = len(tensors)
        return Graph(
            name=name,
            tensors=tensors,
            layers=tuple(self._layer(subgraph, i, count) for i in range(self._length(subgraph.OperatorsLength))),
            inputs=self._indices(subgraph.InputsLength, subgraph.InputsAsNumpy, count, "model inputs"),
            outputs=self._indices(subgraph.OutputsLength, subgraph.OutputsAsNumpy, count, "model outputs"),
            digest=hashlib.sha256(self.content).hexdigest(),
            file_bytes=len(self.content),
        )

    def _spend(self, nbytes: int) -> None:
        self.budget -= nbytes
        if self.budget < 0:
            raise _damaged(self.source, "its parts are larger than the file")

    def _length(self, length: Callable[[], int]) -> int:
        """Entries of a vector of tables, each at least an offset of 4 bytes."""
        count = length()
        self._spend(4 * count)
        return count

    def _entry(self, get: Callable[[int], Any], index: int) -> Any:
        """Entry of a vector of tables; the generated readers answer None past its end or for an absent vector."""
        table = get(index)
        if table is None:
            raise _damaged(self.source, f"entry {index} of a table is missing")
        return table

    def _vector(self, length: Callable[[], int], get: Callable[[], Any], width: int) -> npt.NDArray[np.generic]:
        """A vector of numbers, empty when absent (the generated readers answer 0 then)."""
        self._spend(width * length())
        values = get()
        return values if isinstance(values, np.ndarray) else np.empty(0, np.int64)

    def _integers(self, length: Callable[[], int], get: Callable[[], Any], width: int = 4) -> tuple[int, ...]:
        return tuple(int(value) for value in self._vector(length, get, width))

    def _indices(self, length: Callable[[], int], get: Callable[[], Any], count: int, what: str) -> tuple[int, ...]:
        indices = self._integers(length, get)
        if not all(0 <= index < count for index in indices):
            raise _damaged(self.source, f"{what} name tensors that are not there ({count} tensors)")
        return indices

    def _tensor(self, subgraph: Any, index: int) -> Tensor:
        table = self._entry(subgraph.Tensors, index)
        raw_name = table.Name() or b""
        self._spend(len(raw_name))
        name = raw_name.decode("utf-8", "replace")
        place = f"{self.source}: tensor {index} {name[:60]!a}"
        kind = _DTYPES.get(table.Type())
        if kind is None:
            known = {number: label for label, number in vars(tflite.TensorType).items() if not label.startswith("_")}
            raise ModelError(
                f"{place}: type {known.get(table.Type(), table.Type())} is not supported",
                hint=f"supported types: {', '.join(DTYPE_BYTES)}; quantise the model to int8",
            )
        if table.Sparsity() is not None or table.IsVariable():
            raise ModelError(f"{place}: sparse and variable (stateful) tensors are not supported")
        shape = self._integers(table.ShapeLength, table.ShapeAsNumpy)
        tensor = Tensor(index, name, shape, kind[0], self._quantization(table, place))
        data = self._data(table.Buffer(), place)
        if data is None:
            return tensor
        if tensor.elements * kind[1].itemsize != len(data) or any(size < 0 for size in shape):
            raise _damaged(place, f"{len(data)} bytes of data for shape {shape} of {kind[0]}")
        return replace(tensor, data=data.view(kind[1]).reshape(shape))

    def _data(self, number: int, place: str) -> npt.NDArray[np.uint8] | None:
        """The bytes of buffer `number`, None for an empty one (a tensor that is computed)."""
        if not 0 <= number < self.model.BuffersLength():
            raise _damaged(place, f"buffer {number} is not there")
        buffer = self._entry(self.model.Buffers, number)
        if buffer.Offset() > 1:  # 0 and 1 mean "not used": the schema's way for models above 2 GB
            raise ModelError(f"{place}: constants outside of the flatbuffer are not supported")
        if buffer.DataLength() == 0:
            return None
        data: npt.NDArray[np.uint8] = buffer.DataAsNumpy()
        return data

    def _quantization(self, table: Any, place: str) -> Quantization | None:
        quantization = table.Quantization()
        if quantization is None:
            return None
        scales = self._vector(quantization.ScaleLength, quantization.ScaleAsNumpy, 4)
        if not len(scales):
            return None
        points = self._integers(quantization.ZeroPointLength, quantization.ZeroPointAsNumpy, 8)
        if len(points) != len(scales):
            raise _damaged(place, f"{len(points)} zero points for {len(scales)} scales")
        if quantization.DetailsType():
            raise ModelError(f"{place}: quantisation other than affine is not supported")
        axis, rank = quantization.QuantizedDimension(), table.ShapeLength()
        if not 0 <= axis < max(rank, 1):
            raise _damaged(place, f"quantised dimension {axis} of a tensor of {rank} dimensions")
        return Quantization(tuple(float(scale) for scale in scales), points, axis)

    def _layer(self, subgraph: Any, index: int, count: int) -> Layer:
        table = self._entry(subgraph.Operators, index)
        operator = self._operator_name(table.OpcodeIndex())
        inputs = self._integers(table.InputsLength, table.InputsAsNumpy)
        outputs = self._integers(table.OutputsLength, table.OutputsAsNumpy)
        place = f"{self.source}: layer {index:02d} {operator}"
        if not all(-1 <= i < count for i in inputs) or not all(0 <= i < count for i in outputs) or not outputs:
            raise _damaged(place, f"it names tensors that are not there ({count} tensors)")
        return Layer(index, operator, inputs, outputs, self._options(operator, table, place))

    def _operator_name(self, number: int) -> str:
        """The TFLite name. Custom operators keep "CUSTOM" and their own, quoted, name; no check accepts those."""
        if not 0 <= number < self.model.OperatorCodesLength():
            raise _damaged(self.source, f"operator code {number} is not there")
        code = self._entry(self.model.OperatorCodes, number)
        builtin = code.BuiltinCode()
        if builtin == tflite.BuiltinOperator.CUSTOM:
            custom = code.CustomCode() or b""
            self._spend(len(custom))
            return f"CUSTOM {custom[:60].decode('utf-8', 'replace')!a}"
        return str(BUILTIN_OPCODE2NAME.get(builtin, f"operator number {builtin}"))

    def _options(self, operator: str, table: Any, place: str) -> dict[str, Attribute]:
        """The operator's options; operators that are not supported have none, and are refused later all at once."""
        options = OPTIONS.get(operator)
        if options is None:
            return {}
        given = table.BuiltinOptionsType()
        if given not in (tflite.BuiltinOptions.NONE, options.kind) and options.kind != tflite.BuiltinOptions.NONE:
            raise _damaged(place, f"it has options of another operator (kind {given})")
        position = table.BuiltinOptions() if given == options.kind else None
        return options.read(position)
