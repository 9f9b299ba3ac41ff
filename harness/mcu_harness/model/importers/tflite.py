"""Reads .tflite files into a Graph. The file is untrusted: whatever is in it, the answer is a Graph or a ModelError.

What no operator uses is not looked at, as LiteRT does not look at it. Constants are views of the file's bytes and cost nothing.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mcu_harness.base.errors import ModelError
from mcu_harness.base.files import read_bounded
from mcu_harness.model import tflite_schema as schema
from mcu_harness.model.checks import validate
from mcu_harness.model.detection import detection_attributes, settle_detections
from mcu_harness.model.flatbuffer import Damaged, File, Table
from mcu_harness.model.flexbuffer import numbers_of
from mcu_harness.model.float_islands import join_float_islands
from mcu_harness.model.fold import fold_constants
from mcu_harness.model.graph import DTYPE_BYTES, Attribute, Graph, Layer, Quantization, Repair, Tensor
from mcu_harness.model.importers.foreign_files import kind_of_file
from mcu_harness.model.importers.tflite_options import OPTIONS, read_options
from mcu_harness.model.importers.variables import Values, first_values, resolve
from mcu_harness.model.legacy_uint8 import as_int8
from mcu_harness.model.operators.catalogue import macs
from mcu_harness.model.operators.custom import CUSTOM
from mcu_harness.model.operators.detection import DETECTION
from mcu_harness.model.operators.operator import MAX_RANK
from mcu_harness.model.operators.options import NO_OPTIONS
from mcu_harness.scenario.custom_operators import CustomOperator

MAX_FILE_BYTES = 1 << 28  # larger than any Cortex-M's flash by far
_INTERMEDIATES = "intermediates"  # tensors that carry quantisation only
_WITHOUT_OUTPUT = ("CALL_ONCE", "ASSIGN_VARIABLE")
MAX_ENTRIES = 20_000  # tensors, layers: hundreds of times what such models have
_IDENTIFIER = b"TFL3"
_NUMPY = {
    name: np.dtype(code)
    for name, code in {
        "int8": "<i1", "uint8": "<u1", "int16": "<i2", "int32": "<i4", "int64": "<i8", "float32": "<f4", "bool": "?",
    }.items()
}  # fmt: skip


def import_tflite(path: Path, custom: Sequence[CustomOperator] = ()) -> Graph:
    """The model in `path`, validated: see harness/mcu_harness/model/checks.py for what is promised about it. `custom` are the
    operators that the user gives C for.

    Raises ModelError, naming file, layer, operator and tensor, for files that cannot be read, are damaged, or hold
    something that is not supported.
    """
    content = _content(path)
    try:
        graph = _Reader(content, str(path), custom).graph(path.stem)
    except Damaged as error:
        raise _damaged(str(path), str(error)) from error
    graph = join_float_islands(as_int8(settle_detections(fold_constants(graph))))
    validate(graph, str(path))
    return replace(graph, layers=tuple(replace(layer, macs=macs(graph, layer)) for layer in graph.layers))


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelError(f"{path}: {path.stat().st_size} bytes, at most {MAX_FILE_BYTES} are read")
        content = read_bounded(path, MAX_FILE_BYTES)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    if content[4:8] != _IDENTIFIER:
        what, hint = kind_of_file(content)
        raise ModelError(f"{path}: not a .tflite file: {what}", hint=hint)
    return content


def _damaged(place: str, why: str) -> ModelError:
    return ModelError(f"{place}: damaged or truncated .tflite file: {why}", hint="copy or convert the model again")


def _unpacked(data: npt.NDArray[np.uint8], elements: int, place: str) -> npt.NDArray[np.uint8]:
    """Numbers of four bits, two in a byte, the lower half first, as int8 a byte: what LiteRT's kernels make of them too."""
    if len(data) != (elements + 1) // 2:
        raise _damaged(place, f"{len(data)} bytes of data for {elements} numbers of int4")
    halves = np.stack([data & 15, data >> 4], axis=1).reshape(-1)[:elements]
    return ((halves ^ 8) - np.uint8(8)).astype(np.uint8)


def _as_state(tensor: Tensor) -> Tensor:
    """A variable tensor, which LiteRT fills with the zero point of its int8, or with 0. Costs no memory, whatever its shape."""
    if len(tensor.shape) > MAX_RANK or any(size < 0 for size in tensor.shape):
        return tensor  # the checks say what is wrong with it
    value = tensor.quantization.zero_points[0] if tensor.quantization and tensor.dtype == "int8" else 0
    first = np.array(value if -128 <= value <= 127 else 0, _NUMPY[tensor.dtype])
    return replace(tensor, initial=np.broadcast_to(first, tensor.shape))


class _Reader:
    """One pass over one file."""

    def __init__(self, content: bytes, source: str, custom: Sequence[CustomOperator] = ()) -> None:
        self.content = content
        self.source = source
        self.custom = {operator.name: operator for operator in custom}
        self.model = File(content).root()
        self.buffers = self.model.tables(schema.MODEL["buffers"])
        self.codes = self.model.tables(schema.MODEL["operator_codes"])
        self.repairs: list[Repair] = []

    def graph(self, name: str) -> Graph:
        """The first subgraph, which is the one that LiteRT runs."""
        subgraphs = self.model.tables(schema.MODEL["subgraphs"])
        if not subgraphs:
            raise _damaged(self.source, "it has no subgraph")
        graph = self._subgraph(subgraphs[0], name)
        return resolve(graph, self._first_values(graph, subgraphs))

    def _first_values(self, graph: Graph, subgraphs: list[Table]) -> Values:
        """What the subgraphs that CALL_ONCE names assign to variables. Others are other signatures, which LiteRT does not run."""
        values: Values = {}
        for layer in graph.layers:
            if layer.operator == "CALL_ONCE":
                number = int(layer.attributes["init_subgraph_index"])  # type: ignore[arg-type]
                if not 0 < number < len(subgraphs):
                    raise _damaged(self.source, f"subgraph {number} is not there")
                once = self._subgraph(subgraphs[number], "")
                values.update(first_values(once.tensors, once.layers, self.source))
        return values

    def _subgraph(self, subgraph: Table, name: str) -> Graph:
        counts = [subgraph.length(schema.SUBGRAPH[field]) for field in ("tensors", "operators")]
        if max(counts) > MAX_ENTRIES:
            raise ModelError(f"{self.source}: more than {MAX_ENTRIES} tensors or layers")
        tables = subgraph.tables(schema.SUBGRAPH["tensors"])
        operators = enumerate(subgraph.tables(schema.SUBGRAPH["operators"]))
        layers = tuple(self._layer(table, index, len(tables)) for index, table in operators)
        ends = {field: self._indices(subgraph, field, len(tables)) for field in ("inputs", "outputs")}
        used = {*ends["inputs"], *ends["outputs"]}
        for layer in layers:
            intermediates = layer.attributes.get(_INTERMEDIATES, ())
            used.update(layer.inputs, layer.outputs, intermediates if isinstance(intermediates, tuple) else ())
        return Graph(
            name=name,
            tensors=tuple(self._tensors(tables, used)),
            layers=layers,
            inputs=ends["inputs"],
            outputs=ends["outputs"],
            digest=hashlib.sha256(self.content).hexdigest(),
            file_bytes=len(self.content),
            source=self.source,
            repairs=tuple(self.repairs),
            custom=tuple(
                self.custom[name]
                for name in sorted(
                    {str(layer.attributes["custom_code"]) for layer in layers if layer.operator == CUSTOM}
                )
            ),
        )

    def _indices(self, subgraph: Table, field: str, count: int) -> tuple[int, ...]:
        indices = tuple(subgraph.numbers(schema.SUBGRAPH[field], "<i4").tolist())
        if not all(0 <= index < count for index in indices):
            raise _damaged(self.source, f"model {field} name tensors that are not there ({count} tensors)")
        return indices

    def _tensors(self, tables: list[Table], used: Set[int]) -> Iterator[Tensor]:
        for index, table in enumerate(tables):
            yield self._tensor(table, index) if index in used else Tensor(index, "", (), "unused")

    def _tensor(self, table: Table, index: int) -> Tensor:
        name = table.text(schema.TENSOR["name"])
        place = f"{self.source}: tensor {index} {name[:60]!a}"
        number = table.number(schema.TENSOR["type"], "b", 0)
        kind = schema.TENSOR_TYPES[number] if 0 <= number < len(schema.TENSOR_TYPES) else f"type number {number}"
        if kind == "resource":  # a variable's handle
            return Tensor(index, name, (), kind)
        packed = kind == "int4"
        kind = "int8" if packed else kind
        if kind not in DTYPE_BYTES:
            raise ModelError(
                f"{place}: type {kind} is not supported",
                hint=f"supported types: {', '.join(DTYPE_BYTES)}; quantise the model to int8",
            )
        if table.table(schema.TENSOR["sparsity"]) is not None:
            raise ModelError(f"{place}: sparse tensors are not supported")
        shape = tuple(table.numbers(schema.TENSOR["shape"], "<i4").tolist())
        tensor = Tensor(index, name, shape, kind)
        data = self._data(table.number(schema.TENSOR["buffer"], "I", 0), place)
        if packed and data is None:
            raise ModelError(
                f"{place}: int4 is supported for constants only", hint="quantise activations to int8 or int16"
            )
        if data is not None and packed:
            data = _unpacked(data, tensor.elements, place)
        if data is not None:
            itemsize = _NUMPY[kind].itemsize
            if tensor.elements * itemsize != len(data) or any(size < 0 for size in shape):
                raise _damaged(place, f"{len(data)} bytes of data for shape {shape} of {kind}")
            tensor = replace(tensor, data=data.view(_NUMPY[kind]).reshape(shape))
        tensor = replace(tensor, quantization=self._quantization(table, tensor, place))
        return _as_state(tensor) if table.number(schema.TENSOR["is_variable"], "?", False) else tensor

    def _data(self, number: int, place: str) -> npt.NDArray[np.uint8] | None:
        """The bytes of buffer `number`, None for an empty one (a tensor that is computed)."""
        if number >= len(self.buffers):
            raise _damaged(place, f"buffer {number} is not there")
        buffer = self.buffers[number]
        if buffer.number(schema.BUFFER["offset"], "Q", 0) > 1:  # 0 and 1 mean "not used": the way of models above 2 GB
            raise ModelError(f"{place}: constants outside of the flatbuffer are not supported")
        data = buffer.numbers(schema.BUFFER["data"], "<u1", free=True)
        return data.view(np.uint8) if len(data) else None

    def _quantization(self, table: Table, tensor: Tensor, place: str) -> Quantization | None:
        quantization = table.table(schema.TENSOR["quantization"])
        if quantization is None:
            return None
        scales = tuple(float(scale) for scale in quantization.numbers(schema.QUANTIZATION["scale"], "<f4"))
        if not scales:
            return None
        points = tuple(quantization.numbers(schema.QUANTIZATION["zero_point"], "<i8").tolist())
        if len(points) != len(scales):
            raise _damaged(place, f"{len(points)} zero points for {len(scales)} scales")
        if quantization.number(schema.QUANTIZATION["details_type"], "B", 0):
            raise ModelError(f"{place}: quantisation other than affine is not supported")
        axis, rank = quantization.number(schema.QUANTIZATION["axis"], "i", 0), len(tensor.shape)
        if rank == 1 and axis and tensor.is_constant:
            # An early converter gave the filter's axis to one-dimensional biases: there is but one that can be meant.
            self.repairs.append(Repair(quantization.place(schema.QUANTIZATION["axis"]), struct.pack("<i", 0)))
            axis = 0
        if not 0 <= axis < max(rank, 1):
            raise _damaged(place, f"quantised dimension {axis} of a tensor of {rank} dimensions")
        return Quantization(scales, points, axis)

    def _layer(self, table: Table, index: int, count: int) -> Layer:
        operator = self._operator_name(table.number(schema.OPERATOR["code_index"], "I", 0))
        inputs, outputs = (tuple(table.numbers(schema.OPERATOR[x], "<i4").tolist()) for x in ("inputs", "outputs"))
        place = f"{self.source}: layer {index:02d} {operator}"
        if (
            not all(-1 <= i < count for i in inputs)
            or not all(0 <= i < count for i in outputs)
            or not (outputs or operator in _WITHOUT_OUTPUT)
        ):
            raise _damaged(place, f"it names tensors that are not there ({count} tensors)")
        options = self._options(operator, table, place)
        intermediates = tuple(table.numbers(schema.OPERATOR["intermediates"], "<i4").tolist())
        if intermediates and operator in OPTIONS:
            if not all(0 <= i < count for i in intermediates):
                raise _damaged(place, f"it names tensors that are not there ({count} tensors)")
            options = {**options, _INTERMEDIATES: intermediates}
        return Layer(index, operator, inputs, outputs, options, number=index)

    def _operator_name(self, number: int) -> str:
        """The TFLite name. Custom operators that nobody gives C for have their own, quoted, name behind CUSTOM; no check accepts those."""
        if number >= len(self.codes):
            raise _damaged(self.source, f"operator code {number} is not there")
        code = self.codes[number]
        # Codes above 127 did not fit the old field, which newer converters leave at 0: the larger one is meant.
        builtin = max(
            code.number(schema.OPERATOR_CODE["old_code"], "b", 0), code.number(schema.OPERATOR_CODE["code"], "i", 0)
        )
        if builtin == schema.CUSTOM:
            name = code.text(schema.OPERATOR_CODE["custom_code"])
            if name in self.custom:
                return CUSTOM
            return name if name == DETECTION else f"CUSTOM {name[:60]!a}"
        known = 0 <= builtin < len(schema.OPERATOR_NAMES)
        return schema.OPERATOR_NAMES[builtin] if known else f"operator number {builtin}"

    def _options(self, operator: str, table: Table, place: str) -> dict[str, Attribute]:
        """The operator's options; operators that are not supported have none, and are refused later all at once."""
        if operator == CUSTOM:
            name = self.codes[table.number(schema.OPERATOR["code_index"], "I", 0)].text(
                schema.OPERATOR_CODE["custom_code"]
            )
            content = table.numbers(schema.OPERATOR["custom_options"], "<u1").tobytes()
            return {"custom_code": name, "custom_options": content.decode("latin-1")}
        if operator == DETECTION:
            return detection_attributes(numbers_of(table.numbers(schema.OPERATOR["custom_options"], "<u1").tobytes()))
        options = OPTIONS.get(operator)
        if options is None:
            return {}
        given = table.number(schema.OPERATOR["options_type"], "B", NO_OPTIONS)
        if given not in (NO_OPTIONS, options.kind) and options.kind != NO_OPTIONS:
            raise _damaged(place, f"it has options of another operator (kind {given})")
        return read_options(options, table.table(schema.OPERATOR["options"]) if given == options.kind else None)
