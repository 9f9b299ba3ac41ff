"""The parts of the schema that the importer knows are those of the schema that comes with LiteRT."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest

from mcu_harness.model import tflite_schema
from mcu_harness.model.flatbuffer import Damaged, File
from mcu_harness.model.importers.tflite_options import OPTIONS, read_options
from mcu_harness.model.operators.options import NO_OPTIONS, Option, OptionTable

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")


def _values(enumeration: type) -> dict[str, int]:
    return {name: value for name, value in vars(enumeration).items() if not name.startswith("_")}


def test_operators_and_enumerations_have_the_numbers_of_litert() -> None:
    for names, enumeration in (
        (tflite_schema.OPERATOR_NAMES, schema.BuiltinOperator),
        (tflite_schema.ACTIVATIONS, schema.ActivationFunctionType),
        (tflite_schema.PADDINGS, schema.Padding),
        (tflite_schema.WEIGHTS_FORMATS, schema.FullyConnectedOptionsWeightsFormat),
        (tflite_schema.MIRROR_MODES, schema.MirrorPadMode),
    ):
        assert dict(zip(names, range(len(names)), strict=True)) == _values(enumeration)
    types = _values(schema.TensorType)
    assert {name.upper(): number for number, name in enumerate(tflite_schema.TENSOR_TYPES)} == types


_NAMES_OF_LITERT = {
    "svdf_activation": "fusedActivationFunction",
    "cell_activation": "fusedActivationFunction",
    "fused_activation": "fusedActivationFunction",
}


def _attribute(option: Option) -> str:
    head, *rest = option.attribute.split("_")
    return _NAMES_OF_LITERT.get(option.attribute, head + "".join(part.capitalize() for part in rest))


def _value(option: Option, number: int) -> tuple[object, object]:
    """What LiteRT's schema is given, and what the importer must read."""
    if option.names:
        return len(option.names) - 1, option.names[-1]
    if isinstance(option.default, bool):
        return not option.default, not option.default
    if isinstance(option.default, tuple):
        return [number, -1, 5], (number, -1, 5)
    if isinstance(option.default, str):
        return f"name {number}", f"name {number}"
    return (0.5 + number,) * 2 if isinstance(option.default, float) else (100 + number,) * 2


_WITH_OPTIONS = sorted(operator for operator, table in OPTIONS.items() if table.kind != NO_OPTIONS)


def _union_name(kind: int) -> str:
    return next(name for name, value in _values(schema.BuiltinOptions).items() if value == kind)


@pytest.mark.parametrize("operator", _WITH_OPTIONS)
def test_options_written_by_litert_are_read_under_their_names(operator: str) -> None:
    table: OptionTable = OPTIONS[operator]
    written = getattr(schema, _union_name(table.kind) + "T")()
    expected = {}
    for number, option in enumerate(table.options):
        given, expected[option.attribute] = _value(option, number)
        assert hasattr(written, _attribute(option)), f"{operator} has no {_attribute(option)}"
        setattr(written, _attribute(option), given)
    builder = flatbuffers.Builder(256)
    builder.Finish(written.Pack(builder))
    assert read_options(table, File(bytes(builder.Output())).root()) == expected


@pytest.mark.parametrize("operator", _WITH_OPTIONS)
def test_options_that_a_file_leaves_out_have_the_defaults_of_litert(operator: str) -> None:
    table: OptionTable = OPTIONS[operator]
    name = _union_name(table.kind)
    builder = flatbuffers.Builder(16)
    builder.StartObject(0)
    builder.Finish(builder.EndObject())
    content = bytes(builder.Output())
    theirs = getattr(schema, name + "T").InitFromPackedBuf(content)
    for option, value in zip(table.options, read_options(table, File(content).root()).values(), strict=True):
        assert value == option.default
        if option.names:
            assert option.names.index(str(value)) == getattr(theirs, _attribute(option))
        elif not isinstance(option.default, (tuple, str)):
            assert value == getattr(theirs, _attribute(option))


def _with_vector(numbers: list[int]) -> bytes:
    builder = flatbuffers.Builder(64)
    vector = builder.CreateNumpyVector(np.array(numbers, np.int32))
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(0, vector, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def test_a_vector_is_read_where_it_lies() -> None:
    assert File(_with_vector([3, -4, 5])).root().numbers(0, "<i4").tolist() == [3, -4, 5]


def test_reading_the_same_bytes_again_and_again_is_refused() -> None:
    """Tables of a file may share a vector: a file of 1 MB must not become gigabytes."""
    table = File(_with_vector(list(range(100)))).root()
    with pytest.raises(Damaged, match="larger than the file"):
        for _ in range(10):
            table.numbers(0, "<i4")


@pytest.mark.parametrize("at", [0, 4, 8, 12, 16, 20])
@pytest.mark.parametrize("word", [0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
def test_offsets_that_lead_out_of_the_file_are_damage(at: int, word: int) -> None:
    content = bytearray(_with_vector([1, 2, 3]))
    content[at : at + 4] = word.to_bytes(4, "little")
    try:
        values = File(bytes(content)).root().numbers(0, "<i4").tolist()
    except Damaged:
        return
    assert len(values) <= len(content) // 4
