"""Whether the layers of a .tflite file compute in float or in int8, without importing it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from mcu_harness.base.errors import ModelError
from mcu_harness.model import tflite_schema as schema
from mcu_harness.model.flatbuffer import Damaged, File, Table

_FLOAT, _INTEGERS = schema.TENSOR_TYPES.index("float32"), tuple(map(schema.TENSOR_TYPES.index, ("int8", "uint8")))
# What stands between float edges and int8 layers, and what may turn either into the other.
_EDGES = tuple(map(schema.OPERATOR_NAMES.index, ("QUANTIZE", "DEQUANTIZE", "CUSTOM")))


class TfliteKind(Enum):
    QUANTIZED = "layers compute in integers"
    FLOAT = "layers compute in float"
    WEIGHTS_ONLY = "weights are integers, layers compute in float"


def tflite_kind(path: Path) -> TfliteKind:
    """What kind of .tflite file `path` is. Anything else, a damaged file too, is QUANTIZED: its importer says more."""
    try:
        with path.open("rb") as stream:
            if stream.read(8)[4:] != b"TFL3":
                return TfliteKind.QUANTIZED
        return _kind(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except (Damaged, IndexError):
        return TfliteKind.QUANTIZED


def _kind(content: bytes) -> TfliteKind:
    model = File(content).root()
    graph = model.tables(schema.MODEL["subgraphs"])[0]
    codes = [_code(table) for table in model.tables(schema.MODEL["operator_codes"])]
    types = [table.number(schema.TENSOR["type"], "b", 0) for table in graph.tables(schema.SUBGRAPH["tensors"])]
    computes_in_float = integer_weights = False
    for operator in graph.tables(schema.SUBGRAPH["operators"]):
        if codes[operator.number(schema.OPERATOR["code_index"], "I", 0)] in _EDGES:
            continue
        inputs, outputs = (
            [types[index] for index in operator.numbers(schema.OPERATOR[ends], "<i4").tolist() if index >= 0]
            for ends in ("inputs", "outputs")
        )
        if any(kind in _INTEGERS for kind in outputs):
            return TfliteKind.QUANTIZED
        if _FLOAT in outputs:
            computes_in_float = True
            integer_weights |= any(kind in _INTEGERS for kind in inputs)
    if not computes_in_float:
        return TfliteKind.QUANTIZED
    return TfliteKind.WEIGHTS_ONLY if integer_weights else TfliteKind.FLOAT


def _code(table: Table) -> int:
    old = table.number(schema.OPERATOR_CODE["old_code"], "b", 0)
    return max(old, table.number(schema.OPERATOR_CODE["code"], "i", 0))
